/* The faces of a photo as a list. */
import { correctionText, emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { FaceButtons } from "./face-buttons.js";
import { doubt } from "../shared/quality.js";

/** @typedef {import("../shared/api.js").Face} Face */

export class FaceList extends FaceButtons {
  /** @param {Face[]} faces */
  render(faces) {
    this.buttons = faces.map((face, index) => this.#button(face, index));
    this.root.replaceChildren(...this.buttons.map((button) => {
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }

  /** @param {Face} face @param {number} index */
  #button(face, index) {
    const { emotion, probabilities, quality, correction } = face;
    const button = this.createButton(index);
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
    return button;
  }

  /** @param {number} index */
  select(index) {
    super.select(index);
    this.#reveal(this.buttons[index]);
  }

  get keepsScroll() {
    return true;
  }

  /** Scroll the list alone, never the page. @param {HTMLButtonElement} button */
  #reveal(button) {
    const { top, bottom } = button.getBoundingClientRect();
    const frame = this.root.getBoundingClientRect();
    if (top < frame.top) this.root.scrollTop -= frame.top - top + 4;
    else if (bottom > frame.bottom) this.root.scrollTop += bottom - frame.bottom + 4;
  }
}
