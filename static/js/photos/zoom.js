/* A zoomable photo, for faces too small to tell apart. */
import { around, find } from "../shared/elements.js";

const STEPS = [1, 1.5, 2, 3, 4, 6];

export class Zoom {
  /**
   * @param {HTMLElement} frame scrolls
   * @param {HTMLElement} stage as wide as the frame times the zoom
   * @param {HTMLElement} controls with buttons [data-zoom="in"|"out"] and an <output>
   */
  constructor(frame, stage, controls) {
    this.frame = frame;
    this.stage = stage;
    this.controls = controls;
    this.step = 0;
    controls.addEventListener("click", (event) => {
      const direction = around(event, "[data-zoom]")?.dataset.zoom;
      if (direction) this.#set(this.step + (direction === "in" ? 1 : -1));
    });
    this.#set(0);
  }

  /**
   * @param {number} step
   */
  #set(step) {
    const { frame, stage } = this;
    // Keep the center in place.
    const x = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
    const y = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
    this.step = Math.max(0, Math.min(STEPS.length - 1, step));
    const factor = STEPS[this.step];
    stage.style.setProperty("--zoom", String(factor));
    frame.classList.toggle("zoomed", factor > 1);
    frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
    find(this.controls, "output", HTMLOutputElement).textContent = `${Math.round(factor * 100)}%`;
    find(this.controls, "[data-zoom=in]", HTMLButtonElement).disabled = this.step === STEPS.length - 1;
    find(this.controls, "[data-zoom=out]", HTMLButtonElement).disabled = this.step === 0;
  }

  /**
   * Scroll the frame, never the page, to show a face.
   * @param {HTMLElement|undefined} element
   */
  reveal(element) {
    if (!element || this.step === 0) return;
    const { frame } = this;
    const inner = element.getBoundingClientRect();
    const outer = frame.getBoundingClientRect();
    frame.scrollBy(
      inner.left + inner.width / 2 - outer.left - outer.width / 2,
      inner.top + inner.height / 2 - outer.top - outer.height / 2,
    );
  }
}
