// The microphone's audio as frames of 20 ms at 24 kHz; runs in the audio thread.
import { Resampler } from "./resampler.js";

const RATE = 24000;
const FRAME = 480; // 20 ms

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.frame = new Float32Array(FRAME);
    this.filled = 0;
    this.silence = new Float32Array(128);
  }

  /** Takes a quantum. Without a source the input is silence, so that the conversation's time continues. */
  process(inputs) {
    const samples = this.resampler.push(inputs[0][0] ?? this.silence);
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + FRAME - this.filled);
      this.frame.set(part, this.filled);
      at += part.length;
      this.filled += part.length;
      if (this.filled === FRAME) this.send();
    }
    return true;
  }

  send() {
    const pcm = new Int16Array(FRAME);
    let energy = 0;
    for (let at = 0; at < FRAME; at += 1) {
      const sample = Math.max(-1, Math.min(1, this.frame[at]));
      pcm[at] = Math.round(sample * 32767);
      energy += sample * sample;
    }
    this.filled = 0;
    this.port.postMessage({ pcm, level: Math.sqrt(energy / FRAME) }, [pcm.buffer]);
  }
}

registerProcessor("capture", Capture);
