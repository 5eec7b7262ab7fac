/* The chart of one track over time: zoomed by dragging or wheel, with the playhead and markers. */
import { EMOTIONS, emotionColor } from "../shared/emotions.js";
import { clock } from "../shared/times.js";
import { token } from "../shared/tokens.js";

/** @typedef {import("./timeline-api.js").Series} Series */
/** @typedef {import("./timeline-api.js").Marker} Marker */

/** The last expression is drawn first: stacked, each covers the next one's area down to its own. */
const ORDER = [...EMOTIONS].reverse();
/** After this many times the usual step, and so many seconds, the lines have a gap. */
const GAP_STEPS = 4;
const PAUSE = 1;
const SETTLE = 150; // ms after the last zoom, before details are asked for

export class Chart {
  /**
   * @param {HTMLElement} place
   * @param {number} length of the video in seconds
   * @param {{onSeek: (time: number) => void, onView: (start: number, end: number) => void}} options
   */
  constructor(place, length, { onSeek, onView }) {
    this.place = place;
    /** @type {[number, number]|null} */
    this.view = null;
    this.time = 0;
    this.length = Math.max(length, 0.1);
    this.mode = "lines";
    /** The whole length, and sharper lines of a stretch. @type {Series|null} */
    this.overview = null;
    /** @type {{series: Series|null, range: [number, number]}|null} */
    this.detail = null;
    /** @type {Marker[]} */
    this.markers = [];
    this.onView = onView;
    this.timer = 0;
    this.playhead = Object.assign(document.createElement("div"), { className: "playhead" });
    this.plot = new window.uPlot(this.#options(), this.#data(), place);
    this.plot.over.append(this.playhead);
    this.#listen(onSeek);
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(place);
    document.addEventListener("themechange", () => this.redraw());
  }

  #size() {
    return { width: Math.max(200, this.place.clientWidth), height: 240 };
  }

  #options() {
    const axis = { stroke: () => token("--muted"), grid: { stroke: () => token("--line"), width: 1 }, ticks: { show: false }, font: `11px ${token("--mono")}` };
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { show: false } },
      scales: { x: { time: false, range: () => this.view ?? [0, this.length] }, y: { range: [0, 1] } },
      axes: [
        { ...axis, values: (/** @type {any} */ _plot, /** @type {number[]} */ values) => values.map(clock) },
        { ...axis, size: 44, values: (/** @type {any} */ _plot, /** @type {number[]} */ values) => values.map((value) => `${Math.round(value * 100)}%`) },
      ],
      series: [{}, ...ORDER.map((emotion) => ({
        stroke: () => emotionColor(emotion),
        fill: () => (this.mode === "stacked" ? emotionColor(emotion) : null),
        width: 1.75,
        points: { show: false },
      }))],
      hooks: {
        setSelect: [(/** @type {any} */ plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          this.show(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
        draw: [() => this.movePlayhead(this.time)],
        drawClear: [(/** @type {any} */ plot) => this.#drawMarkers(plot)],
      },
    };
  }

  /** @param {(time: number) => void} onSeek */
  #listen(onSeek) {
    const over = /** @type {HTMLElement} */ (this.plot.over);
    let from = 0;
    over.addEventListener("mousedown", (event) => { from = event.offsetX; });
    over.addEventListener("click", (event) => {
      if (Math.abs(event.offsetX - from) < 4) onSeek(this.plot.posToVal(event.offsetX, "x"));
    });
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [start, end] = this.range;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = ((event.deltaX || event.deltaY) / 600) * (end - start);
        this.show(start + by, end + by);
      } else {
        this.zoom(1.0015 ** event.deltaY, this.plot.posToVal(event.offsetX, "x"));
      }
    }, { passive: false });
    this.place.addEventListener("keydown", (event) => {
      const [start, end] = this.range;
      const by = (end - start) / 4;
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowLeft: () => this.show(start - by, end - by),
        ArrowRight: () => this.show(start + by, end + by),
        "+": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.show(0, this.length),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
  }

  /** @returns {[number, number]} the seconds that are in view */
  get range() {
    return this.view ?? [0, this.length];
  }

  /** @param {number} factor more than 1 shows more @param {number} [around] seconds */
  zoom(factor, around) {
    const [start, end] = this.range;
    const middle = around ?? (start + end) / 2;
    this.show(middle - (middle - start) * factor, middle + (end - middle) * factor);
  }

  /** Show a stretch. @param {number} start @param {number} end */
  show(start, end) {
    const span = Math.min(this.length, Math.max(0.5, end - start));
    const from = Math.max(0, Math.min(start, this.length - span));
    this.view = [from, from + span];
    this.redraw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onView(from, from + span), SETTLE);
  }

  /** What is shown goes on. @param {number} length in seconds */
  grow(length) {
    if (length <= this.length) return;
    this.length = length;
    this.redraw();
  }

  /** @param {Series|null} series @param {[number, number]} range the seconds that it is of */
  setSeries(series, range) {
    const isWhole = range[0] <= 0 && range[1] >= this.length;
    if (isWhole) this.overview = series;
    this.detail = isWhole ? null : { series, range };
    this.redraw();
  }

  /** Forget the lines: others will come. */
  clear() {
    this.overview = this.detail = null;
  }

  /** What there is of the stretch in view. */
  get series() {
    const [start, end] = this.range;
    const { series, range } = this.detail ?? {};
    return range && range[0] <= start && range[1] >= end ? series : this.overview ?? series;
  }

  /** @param {string} mode "lines", "stacked" or an expression */
  setMode(mode) {
    this.mode = mode;
    ORDER.forEach((emotion, at) => {
      this.plot.setSeries(at + 1, { show: !ORDER.includes(mode) || mode === emotion });
    });
    this.redraw();
  }

  /** @param {Marker[]} markers */
  setMarkers(markers) {
    this.markers = markers;
    this.redraw();
  }

  redraw() {
    this.plot.setData(this.#data());
  }

  /** @param {number} time */
  movePlayhead(time) {
    this.time = time;
    if (!this.plot) return; // it draws for the first time while it is made
    const [start, end] = this.range;
    this.playhead.hidden = time < start || time > end;
    this.playhead.style.transform = `translateX(${this.plot.valToPos(time, "x")}px)`;
  }

  /** @returns {(number|null)[][]} times and a row for each expression; null where there is a gap */
  #data() {
    const { series } = this;
    if (!series) return [[0], ...ORDER.map(() => [null])];
    const { times, smoothed } = series;
    const steps = times.slice(1).map((time, at) => time - times[at]).sort((a, b) => a - b);
    const gap = Math.max(PAUSE, GAP_STEPS * (steps[steps.length >> 1] ?? 1));
    /** @type {(number|null)[][]} */
    const rows = [[], ...ORDER.map(() => [])];
    times.forEach((time, at) => {
      if (at && time - times[at - 1] > gap) {
        rows[0].push(times[at - 1] + gap / 2);
        for (const row of rows.slice(1)) row.push(null);
      }
      rows[0].push(time);
      let sum = 0;
      EMOTIONS.forEach((emotion, index) => {
        sum += smoothed[emotion][at];
        rows[ORDER.length - index].push(this.mode === "stacked" ? Math.min(1, sum) : smoothed[emotion][at]);
      });
    });
    return rows;
  }

  /** @param {any} plot */
  #drawMarkers(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const { start, end, excluded } of this.markers) {
      const left = plot.valToPos(start, "x", true);
      const right = end == null ? left + 2 : Math.max(left + 2, plot.valToPos(end, "x", true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.globalAlpha = excluded ? 0.5 : 0.35;
      ctx.fillStyle = token(excluded ? "--line-strong" : "--ink");
      if (end != null && !excluded) ctx.globalAlpha = 0.12;
      ctx.fillRect(Math.max(left, bbox.left), bbox.top, Math.min(right, bbox.left + bbox.width) - Math.max(left, bbox.left), bbox.height);
    }
    ctx.restore();
  }
}
