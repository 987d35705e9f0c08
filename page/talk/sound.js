// The microphone and the loudspeaker.
import { Resampler } from "./resampler.js";

const RATE = 24000;
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

const REFUSALS = {
  NotAllowedError:
    "The browser does not let this page use the microphone. Allow it at the sign beside the address, then press the button again.",
  NotFoundError: "No microphone was found. Plug one in, or play a recording instead.",
  NotReadableError: "Another program holds the microphone. Close that program, then press the button again.",
};

/** Returns why this page cannot use sound, or "". */
export function soundProblem() {
  if (!window.isSecureContext) {
    const here = `http://localhost${location.port && `:${location.port}`}`;
    return `Browsers give the microphone only to pages opened over https or on localhost. On the computer that runs this, open ${here}; from elsewhere it needs https.`;
  }
  if (!window.AudioWorkletNode || !navigator.mediaDevices) {
    return "This browser is too old to talk with. Use a current Chrome, Edge, Firefox or Safari.";
  }
  return "";
}

/** Returns the devices of a kind, "audioinput" or "audiooutput", that have a name by now. */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === kind && device.label && device.deviceId !== "default");
}

/** An expected failure of sound; its message says what to do next. */
export class SoundError extends Error {}

/** Both directions of sound. `onFrame({pcm, level})` is called every 20 ms, `onPlayback({kind, item, seconds})` during playback. */
export class Sound {
  static async open(onFrame, onPlayback) {
    const context = new AudioContext({ latencyHint: "interactive" });
    const load = (name) => context.audioWorklet.addModule(new URL(name, import.meta.url));
    await Promise.all([context.resume(), load("capture.js"), load("playback.js")]);
    return new Sound(context, onFrame, onPlayback);
  }

  constructor(context, onFrame, onPlayback) {
    this.context = context;
    this.capture = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    this.capture.port.onmessage = ({ data }) => onFrame(data);
    this.capture.connect(context.destination); // it has no output, but only connected nodes run
    this.playback = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.playback.port.onmessage = ({ data }) => onPlayback({ ...data, seconds: this.audibleSeconds(data) });
    this.playback.connect(context.destination);
    this.resamplers = new Map();
    this.source = this.microphone = this.recording = this.stream = null;
    this.closed = false;
  }

  /** Returns the seconds that have left the loudspeaker, not only the page. */
  audibleSeconds({ kind, seconds }) {
    return kind === "finished" ? seconds : Math.max(0, seconds - (this.context.outputLatency || 0));
  }

  /** Captures from a microphone; `onUnplugged` is called when it is unplugged. Throws SoundError. */
  async useMicrophone(deviceId, onUnplugged) {
    const stream = await openMicrophone(deviceId);
    this.stop();
    this.stream = stream;
    if (this.closed) return this.stop(); // while the person was asked for permission
    stream.getAudioTracks()[0].onended = onUnplugged;
    this.microphone = this.context.createMediaStreamSource(stream);
    this.connectSource(this.microphone);
  }

  /** Captures from a recording instead of the microphone, until it ends. Throws SoundError. */
  async useRecording(file, onEnded) {
    const sound = await this.context.decodeAudioData(await file.arrayBuffer()).catch(() => {
      throw new SoundError(`The browser cannot read ${file.name}. Try a wav or mp3 file.`);
    });
    const recording = new AudioBufferSourceNode(this.context, { buffer: sound });
    recording.onended = () => {
      if (this.source === recording) this.connectSource(this.microphone);
      if (this.recording === recording) onEnded(); // no other one replaced it
    };
    this.recording = recording;
    this.connectSource(recording);
    recording.start();
    return () => recording.stop();
  }

  connectSource(source) {
    this.source?.disconnect();
    this.source = source;
    source?.connect(this.capture);
  }

  stop() {
    this.connectSource((this.microphone = null));
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  /** Adds audio at 24 kHz to the end of `item`. */
  play(item, samples) {
    if (!this.resamplers.has(item)) this.resamplers.set(item, new Resampler(RATE, this.context.sampleRate));
    this.send({ kind: "add", item, samples: this.resamplers.get(item).push(samples) });
  }

  /** Notes that `item` is complete. */
  end(item) {
    if (this.resamplers.has(item)) {
      this.send({ kind: "add", item, samples: this.resamplers.get(item).finish() });
      this.resamplers.delete(item);
    }
    this.send({ kind: "end", item });
  }

  flush() {
    this.resamplers.clear();
    this.send({ kind: "flush" });
  }

  /** Drops `item`, of which nothing has been heard. */
  drop(item) {
    this.resamplers.delete(item);
    this.send({ kind: "drop", item });
  }

  setPaused(paused) {
    this.send({ kind: "pause", paused });
  }

  send(message) {
    this.playback.port.postMessage(message);
  }

  /** Plays through another loudspeaker, if the browser can; "" is the default. */
  async useLoudspeaker(deviceId) {
    await this.context.setSinkId?.(deviceId).catch(() => {});
  }

  async close() {
    this.closed = true;
    this.stop();
    await this.context.close();
  }
}

/** Returns whether the loudspeaker can be chosen. */
export function canChooseLoudspeaker() {
  return Boolean(window.AudioContext && "setSinkId" in AudioContext.prototype);
}

async function openMicrophone(deviceId) {
  const request = (audio) => navigator.mediaDevices.getUserMedia({ audio });
  try {
    const chosen = deviceId ? { ...MICROPHONE, deviceId: { exact: deviceId } } : MICROPHONE;
    return await request(chosen).catch((error) => {
      if (error.name === "OverconstrainedError") return request(MICROPHONE); // the chosen one is gone
      throw error;
    });
  } catch (error) {
    throw new SoundError(REFUSALS[error.name] ?? `The microphone could not be opened: ${error.message}`);
  }
}
