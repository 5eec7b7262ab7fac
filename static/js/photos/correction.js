/* The user's correction of the selected face, stored beside the prediction. */
import { find } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { correctFace } from "../shared/api.js";
import { correctionName, emotionName } from "../shared/emotions.js";

/** @typedef {import("../shared/api.js").Face} Face */

export class CorrectionForm {
  /**
   * @param {HTMLFormElement} form
   * @param {() => Promise<void>} reload reads the analysis again and shows it
   */
  constructor(form, reload) {
    this.form = form;
    this.reload = reload;
    /** The chosen face. @type {Face|null} */
    this.face = null;
    this.choice = find(form, "select", HTMLSelectElement);
    this.undo = find(form, "[data-undo]", HTMLButtonElement);
    /** Changes are sent in this order. */
    this.sent = Promise.resolve();
    form.addEventListener("submit", (event) => event.preventDefault());
    this.choice.addEventListener("change", () => this.#send(this.choice.value));
    this.undo.addEventListener("click", () => {
      this.choice.focus(); // the button disappears
      this.#send("");
    });
  }

  /** @param {Face[]} faces @param {number} index of the chosen one */
  show(faces, index) {
    const face = faces[index];
    this.face = face;
    const { emotion, correction } = face;
    find(this.form, "label", HTMLLabelElement).textContent = faces.length > 1 ? `Correct face ${index + 1}` : "Correct this face";
    this.choice.options[0].textContent = `As predicted: ${emotionName(emotion)}`;
    this.choice.value = correction ?? "";
    this.undo.hidden = !correction;
    const labeled = faces.some((one) => one.correction && one.correction !== "not_a_face");
    find(this.form, "[data-take]").hidden = !labeled;
  }

  /** @param {string} value an expression, "not_a_face", or nothing to take it back */
  #send(value) {
    if (!this.face) return;
    const { id } = this.face;
    this.sent = this.sent.then(async () => {
      try {
        await correctFace(id, value || null);
        await this.reload();
        announce(value ? `Corrected: ${correctionName(value)}.` : "Correction removed.");
      } catch (error) {
        if (this.face?.id === id) this.choice.value = this.face.correction ?? "";
        announce(error.message);
        if (error.status === 404) await this.reload();
      }
    });
  }
}
