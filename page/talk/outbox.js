// What the microphone hears, on its way to the server: kept until the line takes it, counted once it is sent.
// Nothing here knows of the browser.

const FRAME = 20; // ms
const LONGEST = 1500; // frames (30 s) that wait at most; after that the oldest are lost
const REMEMBERED = 6000; // frames (2 minutes) of which it is known when they were heard
const AUDIBLE = 0.01; // RMS (-40 dB) of a frame that may be speech

/** `send(pcm)` says whether the line took a frame. */
export class Outbox {
  constructor(send) {
    Object.assign(this, { send, waiting: [], times: [], sent: 0, lost: 0 });
  }

  /** Takes 20 ms that were heard at the time `at` (ms). */
  add({ pcm, level = 0 }, at) {
    this.waiting.push({ pcm, level, at });
    if (this.waiting.length <= LONGEST) return;
    const { level: loudness } = this.waiting.shift();
    if (loudness > AUDIBLE) this.lost += FRAME;
  }

  /** Sends what the line takes now, in order. */
  flush() {
    while (this.waiting.length && this.send(this.waiting[0].pcm)) {
      this.times.push(this.waiting.shift().at);
      this.sent += FRAME;
    }
    if (this.times.length > 2 * REMEMBERED) this.times.splice(0, this.times.length - REMEMBERED);
  }

  /** When that was heard which lies `ms` into all that was sent; null where nothing was. */
  heardAt(ms) {
    if (!this.times.length) return null;
    const last = this.times.length - 1;
    const before = Math.min(last, Math.max(0, Math.floor((this.sent - ms) / FRAME)));
    return this.times[last - before];
  }
}
