// Plays the agent's audio; runs in the audio thread.
import { JitterBuffer } from "./jitter.js";

const REPORT_INTERVAL = 0.04; // seconds between two reports of the position

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new JitterBuffer(sampleRate);
    this.reportedAt = 0;
    this.port.onmessage = ({ data }) => this.handle(data);
  }

  handle({ kind, item, samples, paused }) {
    if (kind === "add") this.buffer.add(item, samples);
    else if (kind === "end") this.buffer.end(item);
    else if (kind === "flush") this.buffer.flush();
    else if (kind === "drop") this.buffer.drop(item);
    else if (kind === "pause") this.buffer.setPaused(paused);
    this.reportEvents();
  }

  process(_, [[out]]) {
    this.buffer.fill(out);
    if (this.buffer.events.length) this.reportEvents();
    else if (this.buffer.playing && currentTime - this.reportedAt >= REPORT_INTERVAL) {
      this.report("position", this.buffer);
    }
    return true;
  }

  reportEvents() {
    for (const { kind, item, played } of this.buffer.events.splice(0)) this.report(kind, { item, played });
  }

  report(kind, { item, played }) {
    if (kind === "position") this.reportedAt = currentTime;
    const gap = this.buffer.longestGap / sampleRate;
    this.port.postMessage({ kind, item, seconds: played / sampleRate, gap });
  }
}

registerProcessor("playback", Playback);
