// Frames of the microphone on their way to the server: kept until the connection takes them, counted once sent.
// Nothing here depends on the browser.

const FRAME = 20; // ms
const MAX_WAITING = 1500; // frames (30 s) that wait; beyond that the oldest are lost
const MAX_TIMES = 6000; // frames (2 minutes) whose times of capture are kept
const AUDIBLE = 0.01; // RMS (-40 dB) from which on a frame may be speech

/** `send(pcm)` returns whether the connection took a frame. */
export class Outbox {
  constructor(send) {
    Object.assign(this, { send, waiting: [], times: [], sent: 0, lost: 0 });
  }

  /** Takes 20 ms that were captured at the time `at` (ms). */
  add({ pcm, level = 0 }, at) {
    this.waiting.push({ pcm, level, at });
    if (this.waiting.length <= MAX_WAITING) return;
    const { level: loudness } = this.waiting.shift();
    if (loudness > AUDIBLE) this.lost += FRAME;
  }

  /** Sends what the connection takes now, in order. */
  flush() {
    while (this.waiting.length && this.send(this.waiting[0].pcm)) {
      this.times.push(this.waiting.shift().at);
      this.sent += FRAME;
    }
    if (this.times.length > 2 * MAX_TIMES) this.times.splice(0, this.times.length - MAX_TIMES);
  }

  /** Returns when the audio at `ms` of all that was sent was captured; null if nothing was sent. */
  capturedAt(ms) {
    if (!this.times.length) return null;
    const last = this.times.length - 1;
    const before = Math.min(last, Math.max(0, Math.floor((this.sent - ms) / FRAME)));
    return this.times[last - before];
  }
}
