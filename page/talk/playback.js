// Plays what the agent says; runs in the audio thread.
import { JitterBuffer } from "./jitter.js";

const TELL = 0.04; // seconds between two reports of the position

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new JitterBuffer(sampleRate);
    this.told = 0;
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey({ kind, item, samples, held }) {
    if (kind === "add") this.buffer.add(item, samples);
    else if (kind === "end") this.buffer.end(item);
    else if (kind === "flush") this.buffer.flush();
    else if (kind === "drop") this.buffer.drop(item);
    else if (kind === "hold") this.buffer.hold(held);
    this.tell();
  }

  process(_, [[out]]) {
    this.buffer.fill(out);
    if (this.buffer.happened.length) this.tell();
    else if (this.buffer.rolling && currentTime - this.told >= TELL) this.report("position", this.buffer);
    return true;
  }

  tell() {
    for (const { kind, item, played } of this.buffer.happened.splice(0)) this.report(kind, { item, played });
  }

  report(kind, { item, played }) {
    if (kind === "position") this.told = currentTime;
    const gap = this.buffer.gap / sampleRate;
    this.port.postMessage({ kind, item, seconds: played / sampleRate, gap });
  }
}

registerProcessor("playback", Playback);
