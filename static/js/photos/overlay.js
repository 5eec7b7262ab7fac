/* The boxes over the photo: one button a face, chosen by pointer or by arrow keys. */
import { correctionName, correctionText, emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { placeLabels } from "../shared/labels.js";

/** @typedef {import("../shared/api.js").Face} Face */

export const DIRECTIONS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

/** @param {Face} face */
const center = ({ box }) => [box.x + box.width / 2, box.y + box.height / 2];

/**
 * The nearest face in a direction, or -1.
 * @param {{box: Face["box"]}[]} faces
 * @param {number} from
 * @param {number[]} direction
 */
export function neighbor(faces, from, [dx, dy]) {
  const [x, y] = center(faces[from]);
  let best = -1;
  let shortest = Infinity;
  faces.forEach((face, index) => {
    const [faceX, faceY] = center(face);
    const along = (faceX - x) * dx + (faceY - y) * dy;
    const across = Math.abs((faceX - x) * dy) + Math.abs((faceY - y) * dx);
    if (index === from || along <= 0) return;
    const distance = along + 2 * across; // straight ahead before sideways
    if (distance < shortest) [best, shortest] = [index, distance];
  });
  return best;
}

export class FaceOverlay {
  /**
   * @param {HTMLElement} root lies over the photo
   * @param {(index: number) => void} onSelect
   * @param {(index: number) => void} onPoint -1 when the pointer has gone
   */
  constructor(root, onSelect, onPoint) {
    this.root = root;
    this.onSelect = onSelect;
    this.onPoint = onPoint;
    /** @type {Face[]} */
    this.faces = [];
    this.buttons = [];
    this.labels = [];
    this.selected = 0;
    this.pointed = -1;
    root.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => this.layoutLabels()).observe(root);
  }

  /**
   * @param {Face[]} faces
   * @param {number} width of the photo in its pixels
   * @param {number} height
   */
  render(faces, width, height) {
    this.faces = faces;
    this.buttons = faces.map((face, index) => this.#button(face, index, width, height));
    this.labels = faces.map((face, index) => label(face, index));
    this.root.replaceChildren(...this.buttons, ...this.labels);
    this.layoutLabels();
  }

  #button(face, index, width, height) {
    const { box, emotion, probabilities, correction } = face;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "face";
    button.dataset.emotion = correction ?? emotion;
    button.style.left = `${(100 * box.x) / width}%`;
    button.style.top = `${(100 * box.y) / height}%`;
    button.style.width = `${(100 * box.width) / width}%`;
    button.style.height = `${(100 * box.height) / height}%`;
    const said = correction ? `, ${correctionText(face)}` : "";
    const reading = `${emotionName(emotion)}, ${percent(probabilities[emotion])}${said}`;
    button.setAttribute("aria-label", `Face ${index + 1} of ${this.faces.length}: ${reading}`);
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
      button.tabIndex = at === index ? 0 : -1; // one stop of the Tab key; the arrows do the rest
    });
    this.layoutLabels();
  }

  /** Mark the face that the pointer is on, wherever it is. @param {number} index or -1 */
  point(index) {
    this.pointed = index;
    this.buttons.forEach((button, at) => button.classList.toggle("pointed", at === index));
    this.labels.forEach((element, at) => element.classList.toggle("hovered", at === index));
  }

  #onKey(event) {
    const last = this.faces.length - 1;
    let next = { Home: 0, End: last }[event.key];
    if (DIRECTIONS[event.key]) next = neighbor(this.faces, this.selected, DIRECTIONS[event.key]);
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) return;
    this.onSelect(next);
    this.buttons[next].focus();
  }

  layoutLabels() {
    const area = { width: this.root.clientWidth, height: this.root.clientHeight };
    if (!area.width || !this.faces.length) return;
    // The selected face chooses its place first.
    const order = this.faces.map((_, index) => index);
    order.sort((a, b) => (b === this.selected) - (a === this.selected) || a - b);
    const boxes = order.map((index) => {
      const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = this.buttons[index];
      return { left, top, width, height };
    });
    for (const element of this.labels) element.className = "face-label measuring";
    const sizes = order.map((index) => {
      const element = this.labels[index];
      const full = { width: element.offsetWidth, height: element.offsetHeight };
      return { full, short: { width: element.firstChild.offsetWidth + 10, height: full.height } };
    });
    placeLabels(boxes, sizes, area).forEach((spot, at) => {
      const element = this.labels[order[at]];
      const box = boxes[at];
      element.className = `face-label ${spot ? spot.form : "unplaced"}`;
      element.classList.toggle("selected", order[at] === this.selected);
      element.classList.toggle("hovered", order[at] === this.pointed);
      element.style.left = `${spot ? spot.left : Math.min(box.left, area.width - sizes[at].full.width)}px`;
      element.style.top = `${spot ? spot.top : Math.min(box.top + box.height, area.height - sizes[at].full.height)}px`;
    });
  }
}

/**
 * @param {Face} face
 * @param {number} index
 */
function label({ emotion, correction }, index) {
  const element = document.createElement("span");
  element.setAttribute("aria-hidden", "true"); // the button's name says it
  element.dataset.emotion = correction ?? emotion;
  const number = Object.assign(document.createElement("b"), { textContent: String(index + 1) });
  if (correction) number.append(icon("edit"));
  const name = Object.assign(document.createElement("span"), { textContent: correctionName(correction ?? emotion) });
  element.append(number, name);
  return element;
}
