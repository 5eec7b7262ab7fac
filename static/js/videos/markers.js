/* Labels at moments and spans of a video: added by key, edited in a list. */
import { byId, find } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { clock } from "../shared/times.js";

/** @typedef {import("./timeline-api.js").Marker} Marker */
/** @typedef {import("./timeline-api.js").TimelineApi} TimelineApi */

export class Markers {
  /**
   * @param {TimelineApi} api
   * @param {{time: () => number, seek: (time: number) => void, onShown: (list: Marker[]) => void,
   *   onChanged: () => void}} options
   */
  constructor(api, { time, seek, onShown, onChanged }) {
    this.api = api;
    this.time = time;
    this.seek = seek;
    this.onShown = onShown;
    this.onChanged = onChanged;
    /** @type {Marker[]} */
    this.list = [];
    /** Where a span begins that has no end yet. @type {number|null} */
    this.begun = null;
  }

  /** @param {HTMLUListElement} place @param {() => HTMLElement} newItem */
  async load(place, newItem) {
    this.place = place;
    this.newItem = newItem;
    this.list = await this.api.markers().catch(() => []);
    this.#show();
  }

  /** A marker at the current time. */
  async add() {
    await this.#save(() => this.api.addMarker({ start: round(this.time()) }));
  }

  /** Begin a span at the current time, or end it there. */
  async span() {
    const now = round(this.time());
    const begun = this.begun;
    this.begun = begun == null ? now : null;
    byId("mark-span").setAttribute("aria-pressed", String(begun == null));
    byId("mark-span").textContent = begun == null ? "End span" : "Mark span";
    if (begun == null) return;
    const [start, end] = [Math.min(begun, now), Math.max(begun, now)];
    await this.#save(() => this.api.addMarker({ start, end }));
  }

  /** The span that was added last, if any. @returns {{start: number, end: number}|null} */
  latestSpan() {
    const spans = this.list.filter(({ end, excluded }) => end != null && !excluded);
    const last = spans.reduce((latest, one) => (one.id > latest.id ? one : latest), spans[0]);
    return last ? { start: last.start, end: /** @type {number} */ (last.end) } : null;
  }

  /** @param {() => Promise<Marker>} save */
  async #save(save) {
    try {
      const marker = await save();
      this.list = [...this.list.filter(({ id }) => id !== marker.id), marker].sort((a, b) => a.start - b.start);
      this.#show();
      this.onChanged();
      return marker;
    } catch (error) {
      announce(error.message);
      return null;
    }
  }

  #show() {
    if (!this.place || !this.newItem) return;
    byId("no-markers").hidden = this.list.length > 0;
    this.place.replaceChildren(...this.list.map((marker) => this.#item(marker)));
    this.onShown(this.list);
  }

  /** @param {Marker} marker */
  #item(marker) {
    const item = /** @type {() => HTMLElement} */ (this.newItem)();
    const { id, start, end, label, excluded } = marker;
    item.dataset.marker = String(id);
    const go = find(item, "[data-seek]");
    go.textContent = end == null ? clock(start) : `${clock(start)}–${clock(end)}`;
    go.addEventListener("click", () => this.seek(start));
    const field = find(item, "[data-label]", HTMLInputElement);
    field.value = label;
    field.addEventListener("change", () => this.#save(() => this.api.editMarker(id, { label: field.value })));
    const box = find(item, "[data-excluded]", HTMLInputElement);
    box.checked = excluded;
    find(item, ".marker-excluded").hidden = end == null;
    box.addEventListener("change", () => this.#save(() => this.api.editMarker(id, { excluded: box.checked })));
    find(item, "[data-remove]").addEventListener("click", () => this.#remove(id));
    return item;
  }

  /** @param {number} id */
  async #remove(id) {
    try {
      await this.api.deleteMarker(id);
      this.list = this.list.filter((one) => one.id !== id);
      this.#show();
      this.onChanged();
    } catch (error) {
      announce(error.message);
    }
  }
}

/** @param {number} seconds */
const round = (seconds) => Math.round(seconds * 1000) / 1000;
