// A jitter buffer: audio that arrives unevenly leaves evenly. Nothing here depends on the browser: samples in, samples out.

const DELAY_STEP = 0.04; // seconds by which the delay grows after an underrun
const MAX_UNDERRUN = 0.5; // seconds; a longer pause is the speaker's, not the connection's

/**
 * Plays items of audio one after the other. Each begins when enough of it has arrived to continue without a gap.
 *
 * `delay` is how much audio is kept ahead (seconds): as much as the connection may be late, and a frame.
 * `events` collects what happens: {kind: "started" | "finished" | "flushed", item, played} in samples.
 */
export class JitterBuffer {
  constructor(rate, delay = 0.08, maxDelay = 0.3) {
    this.rate = rate;
    this.minDelay = this.delay = delay;
    this.maxDelay = maxDelay;
    this.queue = []; // {item, samples, at}
    this.queued = 0; // samples in it
    this.complete = new Set(); // items of which no more will arrive
    this.item = null; // the one being played
    this.played = 0; // samples of it
    this.playing = false;
    this.paused = false;
    this.underrun = 0; // samples of silence since the item being played ran out
    this.longestGap = 0; // the longest such silence inside an item, in samples
    this.fadeOut = null; // what is left to play after a flush
    this.events = [];
  }

  add(item, samples) {
    if (!samples.length) return;
    this.queue.push({ item, samples, at: 0 });
    this.queued += samples.length;
  }

  /** Notes that no more of this item arrives. */
  end(item) {
    this.complete.add(item);
    this.finishIfPlayed();
  }

  /** Fades out within the next quantum and drops what was queued. */
  flush(quantum = 128) {
    if (this.playing && !this.paused) this.fadeOut = this.take(new Float32Array(quantum)).map(fade);
    if (this.item !== null) this.addEvent("flushed");
    Object.assign(this, { queue: [], queued: 0, item: null, played: 0, playing: false, paused: false, underrun: 0 });
    this.complete.clear();
  }

  /** Drops one item; flushes if it has just begun. */
  drop(item) {
    if (this.item === item) return this.flush();
    this.queue = this.queue.filter((each) => each.item !== item);
    this.queued = this.queue.reduce((sum, { samples, at }) => sum + samples.length - at, 0);
    this.complete.delete(item);
    this.finishIfPlayed();
  }

  /** Stops at the present sample while `paused`. */
  setPaused(paused) {
    this.paused = paused;
  }

  /** Writes the next quantum. */
  fill(out) {
    out.fill(0);
    if (this.fadeOut) {
      out.set(this.fadeOut.subarray(0, out.length));
      this.fadeOut = null;
    }
    if (this.paused || !this.canPlay()) {
      this.underrun += this.item !== null && !this.paused ? out.length : 0;
      return;
    }
    this.take(out);
    this.finishIfPlayed();
  }

  canPlay() {
    if (this.playing) return true;
    const enough = this.queued >= this.delay * this.rate;
    if (!this.queued || !(enough || this.complete.has(this.queue.at(-1).item))) return false;
    this.playing = true;
    if (this.item === this.queue[0].item) this.noteUnderrun();
    this.underrun = 0;
    return true;
  }

  noteUnderrun() {
    this.longestGap = Math.max(this.longestGap, this.underrun);
    if (this.underrun < MAX_UNDERRUN * this.rate) this.delay = Math.min(this.maxDelay, this.delay + DELAY_STEP);
  }

  take(out) {
    let filled = 0;
    while (filled < out.length && this.queue.length) {
      const first = this.queue[0];
      this.startItem(first.item);
      const part = first.samples.subarray(first.at, first.at + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      first.at += part.length;
      this.played += part.length;
      this.queued -= part.length;
      if (first.at === first.samples.length) this.queue.shift();
    }
    if (filled < out.length) {
      this.playing = false;
      this.underrun = out.length - filled;
    }
    return out;
  }

  startItem(item) {
    if (this.item === item) return;
    if (this.item !== null) this.finish();
    this.item = item;
    this.addEvent("started");
  }

  /** Finishes an item when all of it has been played and no more arrives. */
  finishIfPlayed() {
    if (this.item !== null && !this.queue.length && this.complete.has(this.item)) this.finish();
  }

  finish() {
    this.addEvent("finished");
    this.complete.delete(this.item);
    this.delay = Math.max(this.minDelay, this.delay - DELAY_STEP / 2);
    Object.assign(this, { item: null, played: 0, underrun: 0 });
    if (!this.queue.length) this.playing = false;
  }

  addEvent(kind) {
    this.events.push({ kind, item: this.item, played: this.played });
  }
}

function fade(sample, at, all) {
  return sample * (1 - (at + 1) / all.length);
}
