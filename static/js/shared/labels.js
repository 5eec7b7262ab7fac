/* Places the labels of faces so they stay readable in crowds. */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Rectangle in CSS pixels */

const GAP = 3;
/** A label goes inside a box that is this many times as high. */
const INSIDE = 3;

const overlaps = (/** @type {Rectangle} */ a, /** @type {Rectangle} */ b) =>
  a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom + GAP && b.top < a.bottom + GAP;

const rectangle = (/** @type {number} */ left, /** @type {number} */ top, /** @type {{width: number, height: number}} */ { width, height }) => ({ left, top, right: left + width, bottom: top + height });

/**
 * Place one label for each face. The first faces choose first: above their box, below it, inside
 * at its top or bottom where the box is large; then the same with the short form, which is the number alone. A face
 * whose label fits nowhere goes without one until it is selected.
 * @param {{left: number, top: number, width: number, height: number}[]} boxes in CSS pixels,
 *   the most important first
 * @param {{full: {width: number, height: number}, short: {width: number, height: number}}[]} sizes
 * @param {{width: number, height: number}} area
 * @returns {({form: "full"|"short", left: number, top: number}|null)[]} relative to the area
 */
export function placeLabels(boxes, sizes, area) {
  /** @type {Rectangle[]} */
  const taken = [];
  return boxes.map((box, index) => {
    for (const form of /** @type {const} */ (["full", "short"])) {
      const size = sizes[index][form];
      const left = Math.max(0, Math.min(box.left, area.width - size.width));
      const tops = [box.top - size.height - GAP, box.top + box.height + GAP];
      // In a small box it would hide the face.
      if (box.height >= INSIDE * size.height) tops.push(box.top + GAP, box.top + box.height - size.height - GAP);
      for (const top of tops) {
        if (top < 0 || top + size.height > area.height) continue;
        const spot = rectangle(left, top, size);
        if (taken.some((other) => overlaps(spot, other))) continue;
        // Don't cover other faces.
        const covers = boxes.some((other, at) => at !== index
          && overlaps(spot, rectangle(other.left, other.top, other)));
        if (covers) continue;
        taken.push(spot);
        return { form, left, top };
      }
    }
    return null;
  });
}
