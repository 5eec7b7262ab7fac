/* The 48x48 gray face that the classifier reads, as in recognition/engine/align.py and contrast.py. */
import { blank, reduce, round, toGray, warp } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {[number, number]} Point */
/** An affine map: x' = a x + b y + c, y' = d x + e y + f. @typedef {number[]} Map */

export const SIDE = 48;

const CENTER = (SIDE - 1) / 2;
/** Left eye, right eye, nose, left and right mouth corner in a 48x48 face. */
const TEMPLATE = [[14.8, 17.6], [32.2, 17.6], [23.5, 28.0], [16.2, 37.0], [30.8, 37.0]]
  .map((point) => point.map((value) => CENTER + 1.1 * (value - CENTER)));

/** Up to this factor bilinear sampling doesn't alias visibly. */
const PLAIN_SHRINK = 1.05;
const OVERSAMPLE = 2;
/** Whole blocks of pixels are averaged first; about this factor is left. */
const REDUCED_SHRINK = 1.5;
/** Gray levels below which a face is stretched before it is classified; fewer than eight are noise. */
const FAINT = 40;
const NOISE = 8;

/**
 * The face with these landmarks, framed as FER2013 frames faces.
 * @param {Pixels} picture RGB
 * @param {Point[]} landmarks in its pixels
 * @returns {Uint8ClampedArray} gray, 48 x 48
 */
export function alignFace(picture, landmarks) {
  return stretchFaint(toGray(frame(picture, similarity(landmarks))).data);
}

/**
 * Sample a 48x48 face out of a picture. Where the map shrinks, every source pixel contributes.
 * @param {Pixels} picture
 * @param {Map} toFace from picture to face
 */
function frame(picture, toFace) {
  const shrink = 1 / Math.sqrt(Math.max(Math.abs(determinant(toFace)), 1e-12));
  if (shrink <= PLAIN_SHRINK) return sample(picture, toFace, SIDE);
  const block = round(shrink / REDUCED_SHRINK);
  if (block > 1) [picture, toFace] = reduceUsed(picture, toFace, block);
  const [a, b, c, d, e, f] = toFace.map((value) => OVERSAMPLE * value);
  const shift = (OVERSAMPLE - 1) / 2; // pixel corners stay, not pixel centers
  return reduce(sample(picture, [a, b, c + shift, d, e, f + shift], SIDE * OVERSAMPLE), OVERSAMPLE);
}

/**
 * @param {Pixels} picture
 * @param {Map} toFace
 * @param {number} side
 */
function sample(picture, toFace, side) {
  const face = blank(side, side, picture.channels);
  warp(picture, inverse(toFace), side, null, face.data);
  return face;
}

/**
 * Average the part of the picture that the map uses in blocks; returns it with its new map.
 * @param {Pixels} picture
 * @param {Map} toFace
 * @param {number} block
 * @returns {[Pixels, Map]}
 */
function reduceUsed(picture, toFace, block) {
  const { width, height, channels } = picture;
  const [a, b, c, d, e, f] = inverse(toFace);
  const corners = [[-1, -1], [SIDE, -1], [-1, SIDE], [SIDE, SIDE]];
  const xs = corners.map(([x, y]) => a * x + b * y + c);
  const ys = corners.map(([x, y]) => d * x + e * y + f);
  const left = clip(Math.floor(Math.min(...xs)), 0, width - 1);
  const top = clip(Math.floor(Math.min(...ys)), 0, height - 1);
  const right = clip(Math.ceil(Math.max(...xs)) + block, left, width);
  const bottom = clip(Math.ceil(Math.max(...ys)) + block, top, height);
  const columns = Math.max(1, Math.floor((right - left) / block));
  const rows = Math.max(1, Math.floor((bottom - top) / block));
  const part = blank(Math.min(columns * block, width - left), Math.min(rows * block, height - top), channels);
  for (let y = 0; y < part.height; y += 1) {
    const start = ((top + y) * width + left) * channels;
    part.data.set(picture.data.subarray(start, start + part.width * channels), y * part.width * channels);
  }
  // A reduced pixel r covers the part's pixels around x * (r + 0.5) - 0.5.
  const [x, y] = [part.width / columns, part.height / rows];
  const [shiftX, shiftY] = [(x - 1) / 2 + left, (y - 1) / 2 + top];
  const map = [
    toFace[0] * x, toFace[1] * y, toFace[0] * shiftX + toFace[1] * shiftY + toFace[2],
    toFace[3] * x, toFace[4] * y, toFace[3] * shiftX + toFace[4] * shiftY + toFace[5],
  ];
  return [reduce(part, block), map];
}

/**
 * The similarity that maps the landmarks closest to the template's (Umeyama 1991, without reflection).
 * @param {Point[]} source
 * @returns {Map}
 */
function similarity(source) {
  const from = mean(source);
  const to = mean(TEMPLATE);
  let [spread, along, turned] = [0, 0, 0];
  source.forEach(([px, py], at) => {
    const [x, y] = [px - from[0], py - from[1]];
    const [u, v] = [TEMPLATE[at][0] - to[0], TEMPLATE[at][1] - to[1]];
    spread += x * x + y * y;
    along += x * u + y * v;
    turned += x * v - y * u;
  });
  const a = along / Math.max(spread, 1e-12);
  const b = turned / Math.max(spread, 1e-12);
  return [a, -b, to[0] - a * from[0] + b * from[1], b, a, to[1] - b * from[0] - a * from[1]];
}

/** @param {number[][]} points */
const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);

/** @param {Map} map */
const determinant = ([a, b, , d, e]) => a * e - b * d;

/** @param {Map} map */
function inverse([a, b, c, d, e, f]) {
  const scale = 1 / (a * e - b * d || Infinity);
  const [p, q, r, s] = [e * scale, -b * scale, -d * scale, a * scale];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clip = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * The face, its contrast stretched if it has hardly any: the classifier reads it better then.
 * @param {Uint8ClampedArray} face gray
 */
export function stretchFaint(face) {
  const sorted = face.slice().sort();
  const [low, high] = [percentile(sorted, 0.01), percentile(sorted, 0.99)];
  if (high - low < NOISE || high - low >= FAINT) return face;
  return face.map((value) => Math.floor(clip((value - low) * 255 / (high - low), 0, 255)));
}

/**
 * @param {Uint8ClampedArray} sorted
 * @param {number} share
 */
function percentile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}
