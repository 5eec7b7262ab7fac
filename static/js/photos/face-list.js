/* The faces of a photo as a list: one button a face, chosen by pointer or by arrow keys. */
import { correctionText, emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { DIRECTIONS, neighbor } from "./overlay.js";
import { doubt } from "./quality.js";

/** @typedef {import("../shared/api.js").Face} Face */

export class FaceList {
  /**
   * @param {HTMLUListElement} list
   * @param {(index: number) => void} onSelect
   * @param {(index: number) => void} onPoint -1 when the pointer has gone
   */
  constructor(list, onSelect, onPoint) {
    this.list = list;
    this.onSelect = onSelect;
    this.onPoint = onPoint;
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    this.selected = 0;
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Face[]} faces */
  render(faces) {
    this.buttons = faces.map((face, index) => this.#button(face, index));
    this.list.replaceChildren(...this.buttons.map((button) => {
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }

  #button(face, index) {
    const { emotion, probabilities, quality, correction } = face;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.emotion = emotion;
    const number = Object.assign(document.createElement("b"), { textContent: String(index + 1) });
    const value = Object.assign(document.createElement("span"), { textContent: percent(probabilities[emotion]) });
    value.className = "figure";
    button.append(number, icon(`face-${emotion}`), emotionName(emotion), value);
    if (correction) {
      button.classList.add("corrected");
      const corrected = Object.assign(document.createElement("small"), { textContent: correctionText(face) });
      button.append(corrected);
    }
    if (quality.length) {
      button.classList.add("doubtful");
      button.title = doubt(quality);
    }
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
    this.#reveal(this.buttons[index]);
  }

  /** Mark the face that the pointer is on, wherever it is. @param {number} index or -1 */
  point(index) {
    this.buttons.forEach((button, at) => button.classList.toggle("pointed", at === index));
  }

  /** Scroll the list alone, never the page. */
  #reveal(button) {
    const { top, bottom } = button.getBoundingClientRect();
    const frame = this.list.getBoundingClientRect();
    if (top < frame.top) this.list.scrollTop -= frame.top - top + 4;
    else if (bottom > frame.bottom) this.list.scrollTop += bottom - frame.bottom + 4;
  }

  #onKey(event) {
    let next = { Home: 0, End: this.buttons.length - 1 }[event.key];
    if (DIRECTIONS[event.key]) {
      const places = this.buttons.map(({ offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height }) =>
        ({ box: { x, y, width, height } }));
      next = neighbor(places, this.selected, DIRECTIONS[event.key]);
    }
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) return;
    this.onSelect(next);
    this.buttons[next].focus({ preventScroll: true });
  }
}
