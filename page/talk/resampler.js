// Resamples a stream of mono samples by a windowed sinc, in pieces of any length.

const LOBES = 12; // zero crossings of the sinc on either side
const SHAPE = 8; // of the Kaiser window: aliases are attenuated by 80 dB
const PASS = 0.94; // of the lower of the two Nyquist frequencies

/** `push` takes Float32Arrays at `from` Hz and returns the samples that are complete by then, at `to` Hz. */
export class Resampler {
  constructor(from, to) {
    const shared = greatestCommonDivisor(Math.round(from), Math.round(to));
    this.up = Math.round(to) / shared;
    this.down = Math.round(from) / shared;
    this.same = this.up === this.down;
    const cutoff = PASS * Math.min(1, to / from);
    this.half = Math.ceil(LOBES / cutoff);
    this.filters = this.same ? [] : filters(this.up, this.half, cutoff);
    this.history = new Float32Array(this.half - 1); // input that the next output still needs; silence at first
    this.at = 0; // of the next output, in 1 / up input samples from the start of `history`
  }

  push(samples) {
    if (this.same) return samples;
    const input = new Float32Array(this.history.length + samples.length);
    input.set(this.history);
    input.set(samples, this.history.length);
    const taps = 2 * this.half;
    const last = input.length - taps; // start of the last complete window
    const count = last < 0 ? 0 : Math.max(0, Math.ceil(((last + 1) * this.up - this.at) / this.down));
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      const first = Math.floor(this.at / this.up);
      output[index] = dot(this.filters[this.at % this.up], input, first);
      this.at += this.down;
    }
    const done = Math.min(input.length, Math.floor(this.at / this.up));
    this.at -= done * this.up;
    this.history = input.slice(done);
    return output;
  }

  /** Returns the last samples, when no more input follows. */
  finish() {
    return this.push(new Float32Array(this.same ? 0 : this.half));
  }
}

function dot(filter, input, first) {
  let sum = 0;
  for (let tap = 0; tap < filter.length; tap += 1) sum += filter[tap] * input[first + tap];
  return sum;
}

/** Returns one filter for each of `up` positions between two input samples, (2 half) taps each, of gain 1. */
function filters(up, half, cutoff) {
  return Array.from({ length: up }, (_, phase) => {
    const taps = Float32Array.from({ length: 2 * half }, (_, tap) => {
      const away = tap - (half - 1) - phase / up;
      return sinc(cutoff * away) * kaiser(away / half);
    });
    const gain = taps.reduce((sum, tap) => sum + tap, 0);
    return taps.map((tap) => tap / gain);
  });
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(share) {
  return share * share > 1 ? 0 : bessel(SHAPE * Math.sqrt(1 - share * share)) / bessel(SHAPE);
}

/** Returns the modified Bessel function of the first kind and order 0, by its series. */
function bessel(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b ? greatestCommonDivisor(b, a % b) : a;
}
