/* Whether the faces of the last frame are followed or the whole frame is searched, as in
   recognition/engine/follower.py. */

/** @typedef {import("./boxes.js").Box} Box */

/** Milliseconds between full searches: a new face is found after at most this long. */
const SEARCH_EVERY = 400;
/** With nobody in view, smaller faces than wanted are searched for this often. */
const SEARCH_SMALL_EVERY = 1000;
/** Pixels. */
const SMALLEST_FACE = 24;
/** For this long a face that went out of sight is looked for in every frame. */
const REMEMBERED = 1200;

export class Follower {
  /** The faces of the last frame. @type {Box[]} */
  #visible = [];
  /** How many faces there were, and when. @type {{at: number, count: number}[]} */
  #counts = [];
  #searchedAt = -Infinity;
  /** @type {number|null} */
  #searchedSmallAt = null;

  /**
   * @param {Box[]} faces of a frame
   * @param {number} now
   */
  see(faces, now) {
    this.#visible = faces;
    this.#counts = this.#counts.filter(({ at }) => now - at <= REMEMBERED);
    this.#counts.push({ at: now, count: faces.length });
  }

  /**
   * The boxes of faces to follow, or none if the whole frame should be searched.
   * @param {number} now
   */
  hints(now) {
    const isDue = now - this.#searchedAt >= SEARCH_EVERY;
    const isMissingOne = this.#counts.some(({ at, count }) => now - at <= REMEMBERED && count > this.#visible.length);
    if (this.#visible.length && !isMissingOne && !isDue) return this.#visible;
    this.#searchedAt = now;
    return [];
  }

  /**
   * The smallest face to look for in the next frame, in pixels.
   * @param {number} now
   * @param {number} wanted
   */
  minFace(now, wanted) {
    if (this.#visible.length) {
      const smallest = Math.min(...this.#visible.map((box) => Math.max(box.right - box.left, box.bottom - box.top)));
      // Some smaller: they may go farther away.
      return Math.min(wanted, Math.max(SMALLEST_FACE, Math.floor(0.7 * smallest)));
    }
    this.#searchedSmallAt ??= now;
    if (now - this.#searchedSmallAt < SEARCH_SMALL_EVERY) return wanted;
    this.#searchedSmallAt = now;
    return Math.min(wanted, SMALLEST_FACE);
  }
}
