/* The dashboard on the upload page: the server renders it, and this reloads it when something
   happens, and draws the days. */
import { around, byId, find, readData, seek } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { cancelAnalysis, retryAnalysis } from "../shared/api.js";
import { DayChart } from "./days.js";

/** Events of many photos in a row cause one reload. */
const PAUSE = 1_500;
/** Days end and photos age without an event. */
const STALE = 60_000;

export class Dashboard {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.rest = byId("dashboard-rest");
    this.timer = 0;
    /** @type {DayChart|null} */
    this.chart = null;
    this.rest.addEventListener("click", (event) => this.#onClick(event));
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    setInterval(() => this.refresh(), STALE);
  }

  /** Reload soon. */
  refresh() {
    if (this.timer || document.hidden) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#read().catch(() => {}); // the next event or reconnection tries again
    }, this.chart ? PAUSE : 0);
  }

  async #read() {
    const response = await fetch(this.section.dataset.src ?? "", { credentials: "same-origin" });
    if (!response.ok || response.redirected) return; // signed out: the page's banner says so
    const focused = focusedButton(this.rest);
    const opened = this.rest.querySelector("details")?.open;
    this.rest.innerHTML = await response.text(); // rendered and escaped by Mien's server
    if (opened) find(this.rest, "details", HTMLDetailsElement).open = true;
    if (focused) seek(this.rest, focused)?.focus();
    this.section.hidden = find(this.rest, ".readout").dataset.entries === "0";
    if (this.section.hidden) return;
    this.chart ??= new DayChart(
      byId("dashboard-chart", HTMLCanvasElement), byId("dashboard-legend"),
    );
    this.chart.show(readData("dashboard-days"));
  }

  /** @param {MouseEvent} event */
  async #onClick(event) {
    const button = around(event, "button");
    if (!(button instanceof HTMLButtonElement)) return;
    const { cancel, retryFailed } = button.dataset;
    button.disabled = true;
    try {
      if (cancel) await cancelAnalysis(cancel);
      else if (retryFailed) await retryAnalysis(retryFailed);
      this.refresh();
    } catch (error) {
      announce(error.message);
      button.disabled = false;
    }
  }
}

/**
 * A selector for the button that has the focus, if it is in here.
 * @param {HTMLElement} root
 */
function focusedButton(root) {
  const { activeElement: focused } = document;
  if (!(focused instanceof HTMLElement) || !root.contains(focused)) return null;
  const { cancel, retryFailed } = focused.dataset;
  if (cancel) return `[data-cancel="${cancel}"]`;
  return retryFailed ? `[data-retry-failed="${retryFailed}"]` : null;
}
