/* One button per face, selected by pointer or arrow keys, over the photo and in the list. */

/** @typedef {import("../shared/api.js").Face} Face */
/** @typedef {{x: number, y: number, width: number, height: number}} Place */

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/** @param {Place} place */
const center = ({ x, y, width, height }) => [x + width / 2, y + height / 2];

/**
 * The nearest face in a direction, or -1.
 * @param {Place[]} places
 * @param {number} from
 * @param {[number, number]} direction
 */
export function neighbor(places, from, [dx, dy]) {
  const [x, y] = center(places[from]);
  let best = -1;
  let shortest = Infinity;
  places.forEach((place, index) => {
    const [otherX, otherY] = center(place);
    const along = (otherX - x) * dx + (otherY - y) * dy;
    const across = Math.abs((otherX - x) * dy) + Math.abs((otherY - y) * dx);
    if (index === from || along <= 0) return;
    const distance = along + 2 * across; // straight ahead before sideways
    if (distance < shortest) [best, shortest] = [index, distance];
  });
  return best;
}

export class FaceButtons {
  /** @type {HTMLButtonElement[]} */
  buttons = [];
  selected = 0;

  /**
   * @param {HTMLElement} root holds the buttons
   * @param {(index: number) => void} onSelect
   * @param {(index: number) => void} onPoint -1 when the pointer has gone
   */
  constructor(root, onSelect, onPoint) {
    this.root = root;
    this.onSelect = onSelect;
    this.onPoint = onPoint;
    root.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** A button that chooses the face with this index. @param {number} index */
  createButton(index) {
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => this.onSelect(index));
    button.addEventListener("pointerenter", () => this.onPoint(index));
    button.addEventListener("pointerleave", () => this.onPoint(-1));
    return button;
  }

  /** @param {number} index */
  select(index) {
    this.selected = index;
    this.buttons.forEach((button, at) => {
      button.setAttribute("aria-pressed", String(at === index));
      button.tabIndex = at === index ? 0 : -1; // one tab stop; arrow keys do the rest
    });
  }

  /** Mark the face that the pointer is on, wherever it is. @param {number} index or -1 */
  point(index) {
    this.buttons.forEach((button, at) => button.classList.toggle("pointed", at === index));
  }

  /** Where each button is, in pixels. @returns {Place[]} */
  places() {
    return this.buttons.map(({ offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height }) =>
      ({ x, y, width, height }));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const direction = DIRECTIONS[event.key];
    const ends = /** @type {Record<string, number>} */ ({ Home: 0, End: this.buttons.length - 1 });
    const next = direction ? neighbor(this.places(), this.selected, direction) : ends[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) return;
    this.onSelect(next);
    this.buttons[next].focus({ preventScroll: this.keepsScroll });
  }

  /** Whether focus must not scroll the page. */
  get keepsScroll() {
    return false;
  }
}
