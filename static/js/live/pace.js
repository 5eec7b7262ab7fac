/* How fast frames are sent: as fast as is wanted, slower where the answers take long. */

/** Never slower than this: faces keep their numbers only over short gaps. */
const LONGEST_INTERVAL = 400;
/** For so long, in milliseconds, answers count toward the frame rate that is shown. */
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

  /** Forget what was measured: another connection may be faster or slower. */
  reset() {
    this.roundTrip = null;
    this.strain = 1;
    this.nextAt = 0;
    this.answers = [];
  }

  /** Milliseconds between two frames. Two of them may be on their way at the same time. */
  get interval() {
    const possible = 0.6 * (this.roundTrip ?? 0);
    return Math.min(LONGEST_INTERVAL, Math.max(1000 / this.wanted, possible) * this.strain);
  }

  /**
   * Whether the next frame may go. A little early is fine: the camera's frames come when they
   * come, and waiting for the one after would halve the rate.
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
   * A frame was looked at.
   * @param {number} roundTrip milliseconds
   * @param {number} now
   */
  answered(roundTrip, now) {
    this.roundTrip = this.roundTrip === null ? roundTrip : 0.85 * this.roundTrip + 0.15 * roundTrip;
    this.strain = Math.max(1, this.strain * 0.97);
    this.answers.push(now);
  }

  /** A frame was skipped, or not answered in time: go slower for a while. */
  slowDown() {
    this.strain = Math.min(15, this.strain * 1.3);
  }

  /**
   * Frames answered a second.
   * @param {number} now
   */
  rate(now) {
    this.answers = this.answers.filter((moment) => now - moment < SPAN);
    return this.answers.length / (SPAN / 1000);
  }
}
