/* The faces in view: their position between results, and their last minute. */
import { EMOTIONS } from "../shared/emotions.js";

/** @typedef {import("./socket.js").LiveFace} LiveFace */

/** Length of a face's history in seconds. */
export const HISTORY = 60;
/** Milliseconds between two points of the history. */
const STEP = 250;
/** How long a face that left is kept, and how long its frame fades. */
const KEPT = 5_000;
const FADE = 400;
/** After this long without results the faces count as unknown. */
const STALE = 1_500;
/** The time constant with which frames follow faces, and the longest prediction. */
const FOLLOW = 45;
const AHEAD = 250;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Box fractions of the frame
 *
 * @typedef {Object} Track
 * @property {number} number
 * @property {string} emotion
 * @property {Object<string, number>} probabilities smoothed
 * @property {Box} box as last reported
 * @property {{x: number, y: number}} velocity fractions a millisecond
 * @property {number} capturedAt when the picture of the last report was taken
 * @property {number|null} leftAt
 * @property {Box} shown where its frame is drawn
 * @property {number} opacity
 * @property {Object<string, {x: number, y: number}[]>} history by expression; x in seconds
 * @property {LiveFace["measures"]} measures
 * @property {LiveFace["quality"]} quality
 * @property {number[][]|null} mesh its points as parts of the box
 */

export class Tracks {
  constructor() {
    /** @type {Map<number, Track>} */
    this.all = new Map();
    this.updatedAt = 0;
    this.advancedAt = 0;
  }

  clear() {
    this.all.clear();
  }

  /** The faces in view, the lowest number first. @returns {Track[]} */
  get present() {
    return [...this.all.values()].filter(({ leftAt }) => leftAt === null);
  }

  /**
   * Process a result.
   * @param {{width: number, height: number, faces: LiveFace[]}} result
   * @param {number} capturedAt
   * @param {number} now
   */
  update({ width, height, faces }, capturedAt, now) {
    this.updatedAt = now;
    const seen = new Set(faces.map(({ track }) => track));
    for (const track of this.all.values()) {
      if (!seen.has(track.number)) track.leftAt ??= now;
    }
    for (const face of faces) {
      const { x, y } = face.box;
      const box = {
        x: x / width, y: y / height, width: face.box.width / width, height: face.box.height / height,
      };
      const track = this.all.get(face.track) ?? this.#add(face.track, box, capturedAt);
      move(track, box, capturedAt);
      track.leftAt = null;
      track.emotion = face.emotion;
      track.probabilities = face.smoothed;
      track.measures = face.measures;
      track.quality = face.quality;
      const { width: across, height: down } = face.box;
      track.mesh = face.mesh && face.mesh.map(([left, top]) => [(left - x) / across, (top - y) / down]);
      remember(track, capturedAt);
    }
  }

  /**
   * @param {number} number
   * @param {Box} box
   * @param {number} capturedAt
   * @returns {Track}
   */
  #add(number, box, capturedAt) {
    /** @type {Track} */
    const track = {
      number, box, capturedAt, emotion: "neutral", probabilities: {}, velocity: { x: 0, y: 0 },
      leftAt: null, shown: { ...box }, opacity: 0, measures: null, quality: [], mesh: null,
      history: Object.fromEntries(EMOTIONS.map((emotion) => [emotion, []])),
    };
    this.all.set(number, track);
    return track;
  }

  /**
   * Move the frames to their positions at a given time, and drop faces that left long ago.
   * @param {number} now
   */
  advance(now) {
    const passed = Math.min(100, now - this.advancedAt);
    this.advancedAt = now;
    const stale = now - this.updatedAt > STALE;
    for (const track of this.all.values()) {
      if (stale) track.leftAt ??= now;
      if (track.leftAt !== null && now - track.leftAt > KEPT) {
        this.all.delete(track.number);
        continue;
      }
      const gone = track.leftAt === null ? 0 : (now - track.leftAt) / FADE;
      track.opacity = Math.max(0, 1 - gone);
      follow(track, passed, now);
    }
  }
}

/**
 * @param {Track} track
 * @param {Box} box
 * @param {number} capturedAt
 */
function move(track, box, capturedAt) {
  const passed = capturedAt - track.capturedAt;
  if (passed > 0) {
    // Half the old velocity, because boxes jitter by a pixel or two.
    const fresh = passed < 500 ? 0.5 / passed : 0;
    track.velocity.x = 0.5 * track.velocity.x + fresh * (box.x - track.box.x);
    track.velocity.y = 0.5 * track.velocity.y + fresh * (box.y - track.box.y);
  }
  track.box = box;
  track.capturedAt = capturedAt;
}

/**
 * Move the drawn frame toward the face's current position.
 * @param {Track} track
 * @param {number} passed
 * @param {number} now
 */
function follow({ box, velocity, shown, capturedAt, leftAt }, passed, now) {
  if (leftAt !== null) return;
  // FOLLOW compensates for the lag of the frame itself.
  const ahead = still.matches ? 0 : Math.min(AHEAD, Math.max(0, now - capturedAt) + FOLLOW);
  const share = still.matches ? 1 : 1 - Math.exp(-passed / FOLLOW);
  shown.x += share * (box.x + ahead * velocity.x - shown.x);
  shown.y += share * (box.y + ahead * velocity.y - shown.y);
  shown.width += share * (box.width - shown.width);
  shown.height += share * (box.height - shown.height);
}

/**
 * @param {Track} track
 * @param {number} capturedAt
 */
function remember({ history, probabilities }, capturedAt) {
  const x = capturedAt / 1000;
  const last = history[EMOTIONS[0]].at(-1);
  if (last && capturedAt - 1000 * last.x < STEP) return;
  const interrupted = last && x - last.x > 2;
  for (const emotion of EMOTIONS) {
    const points = history[emotion];
    if (interrupted) points.push({ x, y: NaN }); // a gap in the line
    points.push({ x, y: probabilities[emotion] });
    while (points[0].x < x - HISTORY - 1) points.shift();
  }
}
