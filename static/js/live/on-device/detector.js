/* Finds faces with the engine's three networks (MTCNN), as recognition/engine/detector.py does. */
import { move, square, suppress, suppressNested } from "./boxes.js";
import { CELL, PIECE, STRIDE, crop, levels, octavesOf, strips } from "./pyramid.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {[number, number]} Point */
/** @typedef {Box & {landmarks: Point[]}} Found left and right eye, nose, left and right mouth corner */

/**
 * One network: takes uint8 pictures [n, height, width, 3], returns its outputs by name.
 * @typedef {(data: Uint8Array, shape: number[]) => Promise<Record<string, Float32Array>>} Network
 */

const PROPOSAL_SCORE = 0.7;
const REFINED_SCORE = 0.7;
const FINAL_SCORE = 0.8;

export class Detector {
  /** @param {{proposal: Network, refinement: Network, output: Network}} networks */
  constructor(networks) {
    this.networks = networks;
  }

  /**
   * Every face of at least `minFace` pixels, largest first.
   * @param {Pixels} picture RGB
   * @param {number} minFace
   * @returns {Promise<Found[]>}
   */
  async detect(picture, minFace) {
    const octaves = octavesOf(picture);
    return this.#judge(octaves, await this.#propose(octaves, minFace), minFace);
  }

  /**
   * The faces that were in `boxes` one frame ago and are still nearby, largest first.
   * @param {Pixels} picture RGB
   * @param {Box[]} boxes
   * @param {number} minFace
   * @returns {Promise<Found[]>}
   */
  async follow(picture, boxes, minFace) {
    if (!boxes.length) return [];
    const octaves = octavesOf(picture);
    const start = boxes.map(square);
    // The second network locates a face even from a crop too far off to be sure that it is one.
    const { offsets } = await runOn(this.networks.refinement, crop(octaves, start, 24), 24);
    const pulled = start.map((box, at) => square(move(box, offsets.subarray(4 * at))));
    return this.#judge(octaves, pulled, minFace);
  }

  /**
   * Square boxes where the first network sees faces, over all sizes.
   * @param {Pixels[]} octaves
   * @param {number} minFace
   */
  async #propose(octaves, minFace) {
    /** @type {Box[]} */
    const found = [];
    for (const { level, x, y } of levels(octaves, CELL / minFace)) {
      for (const box of suppress(await this.#scan(level), 0.5)) {
        found.push({ ...box, left: box.left * x, top: box.top * y, right: box.right * x, bottom: box.bottom * y });
      }
    }
    return suppress(found, 0.7).map(square);
  }

  /**
   * The cells of one level in which a face is likely.
   * @param {Pixels} level
   */
  async #scan(level) {
    /** @type {Box[]} */
    const found = [];
    for (const { top, strip } of strips(level)) {
      const { width, height } = strip;
      const { scores, offsets } = await this.networks.proposal(new Uint8Array(strip.data), [1, height, width, 3]);
      const columns = columnsOf(width);
      scores.forEach((score, at) => {
        if (score <= PROPOSAL_SCORE) return;
        const left = at % columns * STRIDE;
        const upper = Math.floor(at / columns) * STRIDE + top;
        const cell = { left, top: upper, right: left + CELL, bottom: upper + CELL, score };
        found.push(move(cell, [0, 1, 2, 3].map((side) => offsets[side * scores.length + at])));
      });
    }
    return found;
  }

  /**
   * Runs the second and third network on square boxes.
   * @param {Pixels[]} octaves
   * @param {Box[]} boxes
   * @param {number} minFace
   */
  async #judge(octaves, boxes, minFace) {
    const found = await this.#finish(octaves, await this.#refine(octaves, boxes));
    const { width, height } = octaves[0];
    return found
      .filter(({ left, top, right, bottom }) => Math.max(right - left, bottom - top) >= minFace)
      .map((face) => within(face, width, height))
      .sort((a, b) => sizeOf(b) - sizeOf(a));
  }

  /**
   * The square boxes that the second network keeps, adjusted by its offsets.
   * @param {Pixels[]} octaves
   * @param {Box[]} boxes
   */
  async #refine(octaves, boxes) {
    if (!boxes.length) return boxes;
    const { scores, offsets } = await runOn(this.networks.refinement, crop(octaves, boxes, 24), 24);
    const kept = boxes.flatMap((box, at) => (
      scores[at] > REFINED_SCORE ? [move({ ...box, score: scores[at] }, offsets.subarray(4 * at))] : []
    ));
    return suppress(kept, 0.7).map(square);
  }

  /**
   * Final boxes and landmarks by the third network.
   * @param {Pixels[]} octaves
   * @param {Box[]} boxes
   * @returns {Promise<Found[]>}
   */
  async #finish(octaves, boxes) {
    if (!boxes.length) return [];
    const { scores, offsets, landmarks } = await runOn(this.networks.output, crop(octaves, boxes, 48), 48);
    const kept = boxes.flatMap((box, at) => {
      if (scores[at] <= FINAL_SCORE) return [];
      const [width, height] = [box.right - box.left, box.bottom - box.top];
      // Five x, then five y, as parts of the crop.
      const points = [0, 1, 2, 3, 4].map((which) => /** @type {Point} */ ([
        box.left + landmarks[10 * at + which] * width,
        box.top + landmarks[10 * at + 5 + which] * height,
      ]));
      return [move({ ...box, score: scores[at], landmarks: points }, offsets.subarray(4 * at))];
    });
    return suppressNested(kept, 0.7);
  }
}

/**
 * How many cells the first network scores in a row: its layers shrink a side by pooling and by three
 * convolutions of three pixels.
 * @param {number} width
 */
const columnsOf = (width) => Math.ceil((width - 2) / 2) - 4;

/** @param {Box} box */
const sizeOf = ({ left, top, right, bottom }) => (right - left) * (bottom - top);

/**
 * The face with its box inside the picture. Landmarks count from pixel centers, boxes from corners.
 * @param {Found} face
 * @param {number} width
 * @param {number} height
 * @returns {Found}
 */
function within(face, width, height) {
  return {
    ...face,
    left: Math.min(Math.max(face.left, 0), width),
    top: Math.min(Math.max(face.top, 0), height),
    right: Math.min(Math.max(face.right, 0), width),
    bottom: Math.min(Math.max(face.bottom, 0), height),
    landmarks: face.landmarks.map(([x, y]) => [x - 0.5, y - 0.5]),
  };
}

/**
 * The network's outputs for square crops.
 * @param {Network} network
 * @param {Uint8Array} crops
 * @param {number} side
 */
async function runOn(network, crops, side) {
  const size = 3 * side * side;
  const most = Math.max(1, Math.floor(PIECE / (side * side)));
  /** @type {Record<string, Float32Array>[]} */
  const parts = [];
  for (let at = 0; at < crops.length; at += most * size) {
    const batch = crops.slice(at, at + most * size);
    parts.push(await network(batch, [batch.length / size, side, side, 3]));
  }
  const names = Object.keys(parts[0]);
  return Object.fromEntries(names.map((name) => [name, joined(parts.map((part) => part[name]))]));
}

/** @param {Float32Array[]} parts */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
