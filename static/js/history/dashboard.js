/* The dashboard on the upload page: the server writes it, this reads it again when something
   happens, and draws the days. */
import { announce } from "../shared/announce.js";
import { cancelAnalysis, retryAnalysis } from "../shared/api.js";
import { DayChart } from "./days.js";

/** Events of many photos in a row are answered together. */
const PAUSE = 1_500;
/** Days end and photos grow old without an event. */
const STALE = 60_000;

export class Dashboard {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.rest = document.getElementById("dashboard-rest");
    this.timer = 0;
    /** @type {DayChart|null} */
    this.chart = null;
    this.rest.addEventListener("click", (event) => this.#onClick(event));
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    setInterval(() => this.refresh(), STALE);
  }

  /** Read it again soon. */
  refresh() {
    if (this.timer || document.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#read().catch(() => {}); // the next event or reconnection tries again
    }, this.chart ? PAUSE : 0);
  }

  async #read() {
    const response = await fetch(this.section.dataset.src, { credentials: "same-origin" });
    if (!response.ok || response.redirected) return; // signed out: the page's banner says so
    const focused = focusedButton(this.rest);
    const opened = this.rest.querySelector("details")?.open;
    this.rest.innerHTML = await response.text(); // written and escaped by our own server
    if (opened) this.rest.querySelector("details").open = true;
    if (focused) this.rest.querySelector(focused)?.focus();
    this.section.hidden = this.rest.querySelector(".readout").dataset.entries === "0";
    if (this.section.hidden) return;
    this.chart ??= new DayChart(
      document.getElementById("dashboard-chart"), document.getElementById("dashboard-legend"),
    );
    this.chart.show(JSON.parse(document.getElementById("dashboard-days").textContent));
  }

  async #onClick({ target }) {
    const button = target.closest("button");
    if (!button) return;
    const { cancel, retryFailed } = button.dataset;
    button.disabled = true;
    try {
      if (cancel) await cancelAnalysis(cancel);
      else await retryAnalysis(retryFailed);
      this.refresh();
    } catch (error) {
      announce(error.message);
      button.disabled = false;
    }
  }
}

/** A selector for the button that has the focus, if it is in here. */
function focusedButton(root) {
  const { activeElement } = document;
  if (!root.contains(activeElement)) return null;
  const { cancel, retryFailed } = activeElement.dataset;
  if (cancel) return `[data-cancel="${cancel}"]`;
  return retryFailed ? `[data-retry-failed="${retryFailed}"]` : null;
}
