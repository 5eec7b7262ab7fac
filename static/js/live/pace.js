/* The frame rate: as requested, or slower if replies take long. */

/** Never slower than this, because faces keep their numbers only over short gaps. */
const LONGEST_INTERVAL = 400;
/** The window, in milliseconds, of the displayed frame rate. */
const SPAN = 2_000;

export class Pace {
  /** @param {number} wanted frames a second */
  constructor(wanted) {
    this.wanted = wanted;
    /** Running average in milliseconds, or null. @type {number|null} */
    this.roundTrip = null;
    /** When frames were answered. @type {number[]} */
    this.answers = [];
    this.reset();
  }

  /** Reset the measurements: a new connection may be faster or slower. */
  reset() {
    this.roundTrip = null;
    this.strain = 1;
    this.nextAt = 0;
    this.answers = [];
  }

  /** Milliseconds between two frames. Two may be in flight. */
  get interval() {
    const possible = 0.6 * (this.roundTrip ?? 0);
    return Math.min(LONGEST_INTERVAL, Math.max(1000 / this.wanted, possible) * this.strain);
  }

  /**
   * Whether to send the next frame. Slightly early is fine: waiting for the camera's next frame
   * would halve the rate.
   * @param {number} now
   */
  isDue(now) {
    return now >= this.nextAt - 8;
  }

  /** @param {number} now */
  sent(now) {
    this.nextAt = Math.max(this.nextAt + this.interval, now);
  }

  /**
   * A frame was analyzed.
   * @param {number} roundTrip milliseconds
   * @param {number} now
   */
  answered(roundTrip, now) {
    this.roundTrip = this.roundTrip === null ? roundTrip : 0.85 * this.roundTrip + 0.15 * roundTrip;
    this.strain = Math.max(1, this.strain * 0.97);
    this.answers.push(now);
  }

  /** A frame was skipped or timed out: slow down for a while. */
  slowDown() {
    this.strain = Math.min(15, this.strain * 1.3);
  }

  /**
   * Frames answered per second.
   * @param {number} now
   */
  rate(now) {
    this.answers = this.answers.filter((moment) => now - moment < SPAN);
    return this.answers.length / (SPAN / 1000);
  }
}
