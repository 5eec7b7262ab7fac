/* The drawing of the faces' meshes over the photo, loaded when it is switched on. */
import { announce } from "../shared/announce.js";
import { getMeshes } from "../shared/api.js";
import { meshPath } from "../shared/measures.js";

/** @typedef {import("../shared/api.js").Analysis} Analysis */

export class MeshDrawing {
  /** The analysis whose meshes are drawn, at its state. @type {string} */
  #drawn = "";

  /**
   * @param {SVGElement} drawing
   * @param {HTMLInputElement} control the switch
   */
  constructor(drawing, control) {
    this.drawing = drawing;
    this.control = control;
    /** @type {Analysis|null} */
    this.analysis = null;
    control.addEventListener("change", () => this.#update());
  }

  /** @param {Analysis} analysis with its faces */
  show(analysis) {
    this.analysis = analysis;
    this.control.disabled = !analysis.faces?.some(({ measures }) => measures);
    this.#update();
  }

  async #update() {
    const { analysis, drawing } = this;
    drawing.toggleAttribute("hidden", !this.control.checked);
    if (!analysis || !this.control.checked || this.#drawn === `${analysis.id} ${analysis.sequence}`) return;
    drawing.setAttribute("viewBox", `0 0 ${analysis.width} ${analysis.height}`);
    try {
      const meshes = await getMeshes(analysis.id);
      this.#drawn = `${analysis.id} ${analysis.sequence}`;
      drawing.replaceChildren(...meshes.map(({ points, irises }) => {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        const rings = [irises.slice(1, 5), irises.slice(6, 10)].filter((ring) => ring.length);
        const eyes = rings.map((ring) => `M${[...ring, ring[0]].map((point) => point.join(" ")).join("L")}`);
        path.setAttribute("d", meshPath(points) + eyes.join(""));
        return path;
      }));
    } catch (error) {
      this.control.checked = false;
      drawing.toggleAttribute("hidden", true);
      announce(error.message);
    }
  }
}
