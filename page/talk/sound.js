// The microphone and the loudspeaker, as the conversation needs them.
import { Resampler } from "./resampler.js";

const RATE = 24000;
const CLEAN = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

const REFUSALS = {
  NotAllowedError:
    "The browser does not let this page use the microphone. Allow it at the sign beside the address, then press the button again.",
  NotFoundError: "No microphone was found. Plug one in, or play a recording instead.",
  NotReadableError: "Another program holds the microphone. Close that program, then press the button again.",
};

/** Why this page can have no sound at all, or "". */
export function obstacle() {
  if (!window.isSecureContext) {
    const here = `http://localhost${location.port && `:${location.port}`}`;
    return `Browsers give the microphone only to pages opened over https or on localhost. On the computer that runs this, open ${here}; from elsewhere it needs https.`;
  }
  if (!window.AudioWorkletNode || !navigator.mediaDevices) {
    return "This browser is too old to talk with. Use a current Chrome, Edge, Firefox or Safari.";
  }
  return "";
}

/** The devices of a kind, "audioinput" or "audiooutput", that have a name by now. */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === kind && device.label && device.deviceId !== "default");
}

/** What goes wrong with sound on purpose; its message says what to do next. */
export class SoundError extends Error {}

/** Both directions of sound. `heard({pcm, level})` is called with each 20 ms, `played({kind, item, seconds})` as it plays. */
export class Sound {
  static async open(heard, played) {
    const context = new AudioContext({ latencyHint: "interactive" });
    const load = (name) => context.audioWorklet.addModule(new URL(name, import.meta.url));
    await Promise.all([context.resume(), load("capture.js"), load("playback.js")]);
    return new Sound(context, heard, played);
  }

  constructor(context, heard, played) {
    this.context = context;
    this.capture = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    this.capture.port.onmessage = ({ data }) => heard(data);
    this.capture.connect(context.destination); // it puts out nothing, but only what is connected runs
    this.playback = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.playback.port.onmessage = ({ data }) => played({ ...data, seconds: this.reached(data) });
    this.playback.connect(context.destination);
    this.resamplers = new Map();
    this.source = this.microphone = this.recording = this.stream = null;
    this.closed = false;
  }

  /** What has left the loudspeaker, rather than the page. */
  reached({ kind, seconds }) {
    return kind === "finished" ? seconds : Math.max(0, seconds - (this.context.outputLatency || 0));
  }

  /** Listens to a microphone; `lost` is called when it is unplugged. Raises SoundError. */
  async listen(deviceId, lost) {
    const stream = await microphone(deviceId);
    this.stop();
    this.stream = stream;
    if (this.closed) return this.stop(); // while the person was asked
    stream.getAudioTracks()[0].onended = lost;
    this.microphone = this.context.createMediaStreamSource(stream);
    this.from(this.microphone);
  }

  /** Listens to a recording instead of the microphone, until it ends. Raises SoundError. */
  async listenTo(file, ended) {
    const sound = await this.context.decodeAudioData(await file.arrayBuffer()).catch(() => {
      throw new SoundError(`The browser cannot read ${file.name}. Try a wav or mp3 file.`);
    });
    const recording = new AudioBufferSourceNode(this.context, { buffer: sound });
    recording.onended = () => {
      if (this.source === recording) this.from(this.microphone);
      if (this.recording === recording) ended(); // no other one took its place
    };
    this.recording = recording;
    this.from(recording);
    recording.start();
    return () => recording.stop();
  }

  from(source) {
    this.source?.disconnect();
    this.source = source;
    source?.connect(this.capture);
  }

  stop() {
    this.from((this.microphone = null));
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
  }

  /** Sound at 24 kHz to be played after what there is of `item`. */
  play(item, samples) {
    if (!this.resamplers.has(item)) this.resamplers.set(item, new Resampler(RATE, this.context.sampleRate));
    this.send({ kind: "add", item, samples: this.resamplers.get(item).push(samples) });
  }

  /** No more of `item` comes. */
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

  /** Forgets what there is of `item`, of which nothing has been heard. */
  drop(item) {
    this.resamplers.delete(item);
    this.send({ kind: "drop", item });
  }

  hold(held) {
    this.send({ kind: "hold", held });
  }

  send(message) {
    this.playback.port.postMessage(message);
  }

  /** Plays through another loudspeaker, where the browser can; "" is the usual one. */
  async through(deviceId) {
    await this.context.setSinkId?.(deviceId).catch(() => {});
  }

  async close() {
    this.closed = true;
    this.stop();
    await this.context.close();
  }
}

/** Whether the loudspeaker can be chosen. */
export function choosesLoudspeaker() {
  return Boolean(window.AudioContext && "setSinkId" in AudioContext.prototype);
}

async function microphone(deviceId) {
  const ask = (audio) => navigator.mediaDevices.getUserMedia({ audio });
  try {
    const chosen = deviceId ? { ...CLEAN, deviceId: { exact: deviceId } } : CLEAN;
    return await ask(chosen).catch((error) => {
      if (error.name === "OverconstrainedError") return ask(CLEAN); // the chosen one is not there any more
      throw error;
    });
  } catch (error) {
    throw new SoundError(REFUSALS[error.name] ?? `The microphone could not be opened: ${error.message}`);
  }
}
