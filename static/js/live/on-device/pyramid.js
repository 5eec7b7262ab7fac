/* One picture in many sizes, as in recognition/engine/pyramid.py. */
import { halve, resize, round, warp } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./boxes.js").Box} Box */

/** Side in pixels of the cell that the first network sees; fixed by its layers. */
export const CELL = 12;
/** Pixels from one cell to the next. */
export const STRIDE = 2;
/** Networks run on tiles of about this many pixels. */
export const PIECE = 40_000;
/** From one size to the next; half the area. */
const STEP = 0.709;
const MID_GRAY = 127;

/**
 * The picture at 1/1, 1/2, 1/4 and so on, while a cell fits in.
 * @param {Pixels} picture RGB
 */
export function octavesOf(picture) {
  const octaves = [picture];
  for (let last = picture; Math.min(last.width, last.height) >= 2 * CELL;) {
    last = halve(last);
    octaves.push(last);
  }
  return octaves;
}

/**
 * Ever smaller copies, the first at `scale`, each with the factors back to full size.
 * @param {Pixels[]} octaves
 * @param {number} scale
 * @returns {Generator<{level: Pixels, x: number, y: number}>}
 */
export function* levels(octaves, scale) {
  const [{ width, height }] = octaves;
  for (; Math.min(width, height) * scale >= CELL; scale *= STEP) {
    const at = octaveFor(octaves, 1 / scale);
    const source = octaves[at];
    const level = resize(source, round(width * scale), round(height * scale));
    yield { level, x: source.width / level.width * 2 ** at, y: source.height / level.height * 2 ** at };
  }
}

/**
 * The level in horizontal strips, each with its top row; each cell is in exactly one.
 * @param {Pixels} level
 * @returns {Generator<{top: number, strip: Pixels}>}
 */
export function* strips(level) {
  const overlap = CELL - STRIDE;
  const rows = Math.max(Math.floor(Math.floor(PIECE / level.width) / STRIDE) * STRIDE, 2 * CELL);
  const row = level.width * level.channels;
  for (let top = 0; top < level.height - overlap; top += rows - overlap) {
    const height = Math.min(rows, level.height - top);
    yield { top, strip: { ...level, height, data: level.data.subarray(top * row, (top + height) * row) } };
  }
}

/**
 * The square boxes as RGB pictures one after the other; mid-gray outside the picture.
 * @param {Pixels[]} octaves
 * @param {Box[]} boxes
 * @param {number} side
 */
export function crop(octaves, boxes, side) {
  const size = 3 * side * side;
  const crops = new Uint8ClampedArray(boxes.length * size);
  boxes.forEach(({ left, top, right }, at) => {
    const step = Math.max(right - left, 1) / side;
    const octave = octaveFor(octaves, step);
    const factor = 2 ** octave;
    const map = [
      step / factor, 0, (left + step / 2) / factor - 0.5,
      0, step / factor, (top + step / 2) / factor - 0.5,
    ];
    warp(octaves[octave], map, side, MID_GRAY, crops.subarray(at * size, (at + 1) * size));
  });
  return new Uint8Array(crops.buffer);
}

/**
 * The octave from which to sample: at most a factor of two is left for bilinear sampling.
 * @param {Pixels[]} octaves
 * @param {number} shrink
 */
const octaveFor = (octaves, shrink) => (
  shrink > 1 ? Math.min(Math.floor(Math.log2(shrink)), octaves.length - 1) : 0
);
