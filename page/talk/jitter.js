// Sound that comes in unevenly goes out evenly. Nothing here knows of the browser: samples in, samples out.

const GROWTH = 0.04; // seconds by which the cushion grows after sound came too late
const PATIENCE = 0.5; // a pause longer than this (seconds) is one of the speaker's, not of the line

/**
 * Items of sound one after the other, each begun when there is enough of it to play on without a gap.
 *
 * `cushion` is what is kept ahead (seconds): as much as the line may be late, and a frame.
 * What happens is told in `happened`: {kind: "started" | "finished" | "flushed", item, played} in samples.
 */
export class JitterBuffer {
  constructor(rate, cushion = 0.08, largest = 0.3) {
    this.rate = rate;
    this.least = this.cushion = cushion;
    this.largest = largest;
    this.queue = []; // {item, samples, at}
    this.queued = 0; // samples in it
    this.ended = new Set(); // items of which no more will come
    this.item = null; // the one being played
    this.played = 0; // samples of it
    this.rolling = false;
    this.held = false;
    this.dry = 0; // samples of silence since the item being played ran out
    this.gap = 0; // the longest that was a gap, in samples
    this.tail = null; // what is left to fade out after a flush
    this.happened = [];
  }

  add(item, samples) {
    if (!samples.length) return;
    this.queue.push({ item, samples, at: 0 });
    this.queued += samples.length;
  }

  /** No more of this item comes. */
  end(item) {
    this.ended.add(item);
    this.settle();
  }

  /** Falls silent within the next quantum and forgets what was to come. */
  flush(quantum = 128) {
    if (this.rolling && !this.held) this.tail = this.take(new Float32Array(quantum)).map(faded);
    if (this.item !== null) this.tell("flushed");
    Object.assign(this, { queue: [], queued: 0, item: null, played: 0, rolling: false, held: false, dry: 0 });
    this.ended.clear();
  }

  /** Forgets one item; falls silent if that has just begun. */
  drop(item) {
    if (this.item === item) return this.flush();
    this.queue = this.queue.filter((each) => each.item !== item);
    this.queued = this.queue.reduce((sum, { samples, at }) => sum + samples.length - at, 0);
    this.ended.delete(item);
    this.settle();
  }

  /** Stops where it is until `held` is false again. */
  hold(held) {
    this.held = held;
  }

  /** Writes the next quantum. */
  fill(out) {
    out.fill(0);
    if (this.tail) {
      out.set(this.tail.subarray(0, out.length));
      this.tail = null;
    }
    if (this.held || !this.ready()) {
      this.dry += this.item !== null && !this.held ? out.length : 0;
      return;
    }
    this.take(out);
    this.settle();
  }

  ready() {
    if (this.rolling) return true;
    const enough = this.queued >= this.cushion * this.rate;
    if (!this.queued || !(enough || this.ended.has(this.queue.at(-1).item))) return false;
    this.rolling = true;
    if (this.item === this.queue[0].item) this.late();
    this.dry = 0;
    return true;
  }

  late() {
    this.gap = Math.max(this.gap, this.dry);
    if (this.dry < PATIENCE * this.rate) this.cushion = Math.min(this.largest, this.cushion + GROWTH);
  }

  take(out) {
    let filled = 0;
    while (filled < out.length && this.queue.length) {
      const first = this.queue[0];
      this.turnTo(first.item);
      const part = first.samples.subarray(first.at, first.at + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      first.at += part.length;
      this.played += part.length;
      this.queued -= part.length;
      if (first.at === first.samples.length) this.queue.shift();
    }
    if (filled < out.length) {
      this.rolling = false;
      this.dry = out.length - filled;
    }
    return out;
  }

  turnTo(item) {
    if (this.item === item) return;
    if (this.item !== null) this.finish();
    this.item = item;
    this.tell("started");
  }

  /** An item is over when all of it has been played and no more comes. */
  settle() {
    if (this.item !== null && !this.queue.length && this.ended.has(this.item)) this.finish();
  }

  finish() {
    this.tell("finished");
    this.ended.delete(this.item);
    this.cushion = Math.max(this.least, this.cushion - GROWTH / 2);
    Object.assign(this, { item: null, played: 0, dry: 0 });
    if (!this.queue.length) this.rolling = false;
  }

  tell(kind) {
    this.happened.push({ kind, item: this.item, played: this.played });
  }
}

function faded(sample, at, all) {
  return sample * (1 - (at + 1) / all.length);
}
