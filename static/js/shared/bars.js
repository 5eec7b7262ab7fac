/* Seven animated bars with their values. */
import { EMOTIONS, emotionName, percent } from "./emotions.js";
import { icon } from "./icons.js";

export class Bars {
  /** @param {HTMLUListElement} list empty */
  constructor(list) {
    this.rows = EMOTIONS.map((emotion) => {
      const item = document.createElement("li");
      item.dataset.emotion = emotion;
      const name = Object.assign(document.createElement("span"), { textContent: emotionName(emotion) });
      const bar = Object.assign(document.createElement("span"), { className: "bar" });
      const fill = document.createElement("span");
      bar.append(fill);
      const value = Object.assign(document.createElement("span"), { className: "figure" });
      item.append(icon(`face-${emotion}`), name, bar, value);
      list.append(item);
      return { emotion, item, fill, value };
    });
    this.move(null);
    this.write(null, "");
  }

  /**
   * Update the bars; cheap enough for every result.
   * @param {Object<string, number>|null} probabilities
   */
  move(probabilities) {
    for (const { emotion, fill } of this.rows) {
      fill.style.transform = `scaleX(${(probabilities?.[emotion] ?? 0).toFixed(3)})`;
    }
  }

  /**
   * Update the values, less often than the bars, so they are readable.
   * @param {Object<string, number>|null} probabilities
   * @param {string} top the most probable expression
   */
  write(probabilities, top) {
    for (const { emotion, item, value } of this.rows) {
      value.textContent = probabilities ? percent(probabilities[emotion]) : "–";
      item.classList.toggle("top", emotion === top);
    }
  }
}
