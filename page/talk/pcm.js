// 16-bit samples as the line carries them: little-endian, in base64.

const FEW = 8192; // arguments that a call takes everywhere

/** Int16Array → base64. */
export function encoded(pcm) {
  const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += FEW) text += String.fromCharCode(...bytes.subarray(at, at + FEW));
  return btoa(text);
}

/** base64 → Float32Array in [-1, 1). */
export function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const pcm = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
  return Float32Array.from(pcm, (sample) => sample / 32768);
}
