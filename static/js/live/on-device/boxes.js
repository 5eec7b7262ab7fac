/* Arithmetic with boxes, as in recognition/engine/boxes.py. */

/**
 * @typedef {Object} Box
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 * @property {number} score of the network that proposed or kept it
 */

/** @param {Box} box */
const area = ({ left, top, right, bottom }) => (right - left) * (bottom - top);

/**
 * @param {Box} one
 * @param {Box} other
 */
function shared(one, other) {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(0, width) * Math.max(0, height);
}

/**
 * The boxes that no better box overlaps by more than `overlap`, best first.
 * @template {Box} T
 * @param {T[]} boxes
 * @param {number} overlap intersection over union
 * @returns {T[]}
 */
export function suppress(boxes, overlap) {
  return keepBest(boxes, (box, better) => {
    const both = shared(box, better);
    return both <= overlap * (area(box) + area(better) - both);
  });
}

/**
 * As suppress, but the overlap is intersection over the smaller of both boxes.
 * @template {Box} T
 * @param {T[]} boxes
 * @param {number} overlap
 * @returns {T[]}
 */
export function suppressNested(boxes, overlap) {
  return keepBest(boxes, (box, better) => shared(box, better) <= overlap * Math.min(area(box), area(better)));
}

/**
 * @template {Box} T
 * @param {T[]} boxes
 * @param {(box: T, better: T) => boolean} isApart
 */
function keepBest(boxes, isApart) {
  /** @type {T[]} */
  const kept = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (kept.every((better) => isApart(box, better))) kept.push(box);
  }
  return kept;
}

/**
 * The box with each side moved by a fraction of its size.
 * @template {Box} T
 * @param {T} box
 * @param {ArrayLike<number>} offsets left, top, right, bottom
 * @returns {T}
 */
export function move(box, offsets) {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  return {
    ...box,
    left: box.left + offsets[0] * width,
    top: box.top + offsets[1] * height,
    right: box.right + offsets[2] * width,
    bottom: box.bottom + offsets[3] * height,
  };
}

/**
 * The box grown around its center to a square of its longer side.
 * @template {Box} T
 * @param {T} box
 * @returns {T}
 */
export function square(box) {
  const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const half = Math.max(box.right - box.left, box.bottom - box.top) / 2;
  return { ...box, left: x - half, top: y - half, right: x + half, bottom: y + half };
}
