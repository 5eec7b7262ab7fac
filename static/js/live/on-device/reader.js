/* From a picture to its faces and their expressions, as recognition/engine/pipeline.py reads frames. */
import { SIDE, alignFace } from "./align.js";
import { Detector } from "./detector.js";
import { Follower } from "./follower.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./detector.js").Network} Network */
/** @typedef {import("./detector.js").Found} Found */

/**
 * A network that reads gray faces, float32 [n, 48, 48, 1], and returns values for each.
 * @typedef {(faces: Float32Array, shape: number[]) => Promise<Float32Array>} FaceNetwork
 *
 * @typedef {Object} Networks
 * @property {Network} proposal
 * @property {Network} refinement
 * @property {Network} output
 * @property {FaceNetwork} expression seven probabilities a face
 * @property {FaceNetwork} covered the probability that something hides a part of the face
 *
 * @typedef {LiveProtocol.FrameFaces["faces"][number]} ReadFace
 *
 * @typedef {Object} Reading
 * @property {number} width
 * @property {number} height
 * @property {ReadFace[]} faces
 * @property {{detect: number, classify: number}} milliseconds
 */

/**
 * @param {Found["landmarks"]} points
 * @returns {ReadFace["landmarks"]}
 */
const named = ([left_eye, right_eye, nose, mouth_left, mouth_right]) => (
  { left_eye, right_eye, nose, mouth_left, mouth_right }
);

export class Reader {
  /** @param {Networks} networks */
  constructor(networks) {
    this.networks = networks;
    this.detector = new Detector(networks);
    this.follower = new Follower();
  }

  /** Forget the last frame: the next one comes from elsewhere. */
  forget() {
    this.follower = new Follower();
  }

  /**
   * The faces of a frame. Those of the frame before are followed, which is faster than a search.
   * @param {Pixels} picture RGB
   * @param {number} wanted the smallest face in pixels
   * @param {number} now milliseconds
   * @returns {Promise<Reading>}
   */
  async read(picture, wanted, now) {
    const started = performance.now();
    const minFace = this.follower.minFace(now, wanted);
    const hints = this.follower.hints(now);
    let found = await this.detector.follow(picture, hints, minFace);
    if (!hints.length || found.length < hints.length) found = await this.detector.detect(picture, minFace);
    this.follower.see(found, now);
    const detected = performance.now();
    const faces = await this.#classify(picture, found);
    const { width, height } = picture;
    const milliseconds = { detect: detected - started, classify: performance.now() - detected };
    return { width, height, faces, milliseconds };
  }

  /**
   * @param {Pixels} picture
   * @param {Found[]} found
   * @returns {Promise<ReadFace[]>}
   */
  async #classify(picture, found) {
    if (!found.length) return [];
    const aligned = new Float32Array(found.length * SIDE * SIDE);
    found.forEach(({ landmarks }, at) => aligned.set(alignFace(picture, landmarks), at * SIDE * SIDE));
    const shape = [found.length, SIDE, SIDE, 1];
    const probabilities = await this.networks.expression(aligned, shape);
    const covered = await this.networks.covered(aligned, shape);
    const classes = probabilities.length / found.length;
    return found.map(({ left, top, right, bottom, score, landmarks }, at) => ({
      box: { x: left, y: top, width: right - left, height: bottom - top },
      score,
      landmarks: named(landmarks),
      probabilities: /** @type {ReadFace["probabilities"]} */ ([...probabilities.subarray(at * classes, (at + 1) * classes)]),
      covered: covered[at],
    }));
  }
}
