/* What belongs to a video over time: tracks, series, boxes and markers. */
import { request, send } from "../shared/api.js";

/**
 * @typedef {ApiSchemas["TrackSummary"]} TrackSummary
 * @typedef {ApiSchemas["Series"]} Series
 * @typedef {{id: number, label: string, start: number, end: number|null, excluded: boolean}} Marker
 */

export class TimelineApi {
  /** @param {string} analysis id */
  constructor(analysis) {
    this.root = `/api/v1/analyses/${analysis}/`;
  }

  /** @returns {Promise<TrackSummary[]>} */
  async tracks() {
    return (await request(`${this.root}tracks/`)).tracks;
  }

  /**
   * @param {number|null} track all if null
   * @param {{start?: number, end?: number, points?: number}} view
   * @returns {Promise<Series[]>}
   */
  async series(track, { start, end, points = 1200 } = {}) {
    const query = new URLSearchParams({ points: String(points) });
    if (track != null) query.set("track", String(track));
    if (start != null) query.set("start", String(start));
    if (end != null) query.set("end", String(end));
    return (await request(`${this.root}series/?${query}`)).series;
  }

  /** @param {number} start @param {number} end @returns {Promise<number[][]>} */
  async boxes(start, end) {
    return (await request(`${this.root}boxes/?start=${start}&end=${end}`)).boxes;
  }

  /** @param {number} track @param {object} values @returns {Promise<TrackSummary[]>} */
  async edit(track, values) {
    return (await send("PATCH", `${this.root}tracks/${track}/`, values)).tracks;
  }

  /** @param {number} track @param {number} other @returns {Promise<TrackSummary[]>} */
  async merge(track, other) {
    return (await send("POST", `${this.root}tracks/${track}/merge/`, { track: other })).tracks;
  }

  /** @param {number} track @param {number} time @returns {Promise<TrackSummary[]>} */
  async split(track, time) {
    return (await send("POST", `${this.root}tracks/${track}/split/`, { time })).tracks;
  }

  /**
   * @param {number} track
   * @param {{start: number, end?: number}|null} span null forgets what is neutral
   * @returns {Promise<TrackSummary[]>}
   */
  async setNeutral(track, span) {
    const url = `${this.root}tracks/${track}/baseline/`;
    return (await (span ? send("PUT", url, span) : request(url, { method: "DELETE" }))).tracks;
  }

  /** @returns {Promise<Marker[]>} */
  markers() {
    return request(`${this.root}markers/`);
  }

  /** @param {{start: number, end?: number|null, label?: string}} marker @returns {Promise<Marker>} */
  addMarker(marker) {
    return send("POST", `${this.root}markers/`, marker);
  }

  /** @param {number} id @param {object} values @returns {Promise<Marker>} */
  editMarker(id, values) {
    return send("PATCH", `${this.root}markers/${id}/`, values);
  }

  /** @param {number} id */
  deleteMarker(id) {
    return request(`${this.root}markers/${id}/`, { method: "DELETE" });
  }
}
