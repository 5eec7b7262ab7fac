/* The labeled boxes over the photo. */
import { find } from "../shared/elements.js";
import { correctionName, correctionText, emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { placeLabels } from "../shared/labels.js";
import { FaceButtons } from "./face-buttons.js";

/** @typedef {import("../shared/api.js").Face} Face */

export class FaceOverlay extends FaceButtons {
  /** @type {HTMLElement[]} */
  labels = [];
  pointed = -1;

  /**
   * @param {HTMLElement} root lies over the photo
   * @param {(index: number) => void} onSelect
   * @param {(index: number) => void} onPoint -1 when the pointer has gone
   */
  constructor(root, onSelect, onPoint) {
    super(root, onSelect, onPoint);
    new ResizeObserver(() => this.layoutLabels()).observe(root);
  }

  /**
   * @param {Face[]} faces
   * @param {number} width of the photo in its pixels
   * @param {number} height
   */
  render(faces, width, height) {
    this.buttons = faces.map((face, index) => this.#button(face, index, faces.length, width, height));
    this.labels = faces.map((face, index) => label(face, index));
    this.root.replaceChildren(...this.buttons, ...this.labels);
    this.layoutLabels();
  }

  /** @param {Face} face @param {number} index @param {number} count @param {number} width @param {number} height */
  #button(face, index, count, width, height) {
    const { box, emotion, probabilities, correction } = face;
    const button = this.createButton(index);
    button.className = "face";
    button.dataset.emotion = correction ?? emotion;
    button.style.left = `${(100 * box.x) / width}%`;
    button.style.top = `${(100 * box.y) / height}%`;
    button.style.width = `${(100 * box.width) / width}%`;
    button.style.height = `${(100 * box.height) / height}%`;
    const said = correction ? `, ${correctionText(face)}` : "";
    const reading = `${emotionName(emotion)}, ${percent(probabilities[emotion])}${said}`;
    button.setAttribute("aria-label", `Face ${index + 1} of ${count}: ${reading}`);
    return button;
  }

  /** @param {number} index */
  select(index) {
    super.select(index);
    this.layoutLabels();
  }

  /** @param {number} index or -1 */
  point(index) {
    this.pointed = index;
    super.point(index);
    this.labels.forEach((element, at) => element.classList.toggle("hovered", at === index));
  }

  layoutLabels() {
    const area = { width: this.root.clientWidth, height: this.root.clientHeight };
    if (!area.width || !this.buttons.length) return;
    // The selected face places its label first.
    const order = this.buttons.map((_, index) => index);
    order.sort((a, b) => Number(b === this.selected) - Number(a === this.selected) || a - b);
    const boxes = order.map((index) => {
      const { offsetLeft: left, offsetTop: top, offsetWidth: width, offsetHeight: height } = this.buttons[index];
      return { left, top, width, height };
    });
    for (const element of this.labels) element.className = "face-label measuring";
    const sizes = order.map((index) => {
      const element = this.labels[index];
      const full = { width: element.offsetWidth, height: element.offsetHeight };
      return { full, short: { width: find(element, "b").offsetWidth + 10, height: full.height } };
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
