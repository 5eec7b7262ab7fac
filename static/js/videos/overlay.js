/* The boxes over a video, in step with the frame that is shown. */
import { EMOTIONS, emotionColor, emotionName, percent } from "../shared/emotions.js";

/** Seconds of boxes in a request. */
const WINDOW = 60;
/** A box stands no longer than so many sampling steps without a sample. */
const GAP_STEPS = 1.6;

/** @typedef {[time: number, track: number, x: number, y: number, width: number, height: number, emotion: number, probability: number]} Row */

export class Overlay {
  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas over it
   * @param {{width: number, height: number, step: number}} size of the video in pixels, and the
   *   seconds between two samples
   * @param {(start: number, end: number) => Promise<number[][]>} load
   */
  constructor(video, canvas, size, load) {
    this.video = video;
    this.canvas = canvas;
    this.size = size;
    this.load = load;
    /** @type {Map<number, Map<number, Row[]>|"loading">} rows of each track, by window */
    this.windows = new Map();
    /** @type {Map<number, string>} */
    this.names = new Map();
    /** @type {number|null} */
    this.selected = null;
    this.shown = 0;
    this.#follow();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Forget what was loaded: it has changed. */
  reset() {
    this.windows.clear();
    this.draw();
  }

  #follow() {
    const video = this.video;
    if (typeof video.requestVideoFrameCallback === "function") {
      const next = (/** @type {number} */ _now, /** @type {{mediaTime: number}} */ { mediaTime }) => {
        this.shown = mediaTime;
        this.draw();
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
      return;
    }
    const poll = () => {
      const time = this.video.currentTime;
      if (this.shown !== time) {
        this.shown = time;
        this.draw();
      }
      requestAnimationFrame(poll);
    };
    poll();
  }

  /** @param {number} index of a window */
  async #need(index) {
    if (index < 0 || this.windows.has(index)) return;
    this.windows.set(index, "loading");
    try {
      const rows = /** @type {Row[]} */ (await this.load(index * WINDOW, (index + 1) * WINDOW));
      /** @type {Map<number, Row[]>} */
      const tracks = new Map();
      for (const row of rows) {
        const list = tracks.get(row[1]) ?? [];
        list.push(row);
        tracks.set(row[1], list);
      }
      this.windows.set(index, tracks);
      this.draw();
    } catch {
      this.windows.delete(index); // the next frame tries again
    }
  }

  /**
   * Each face at a time: moved between two samples, so that a box keeps to its face.
   * @param {number} time in seconds
   * @returns {Row[]}
   */
  at(time) {
    const index = Math.floor((time + 1e-3) / WINDOW);
    this.#need(index);
    if (time % WINDOW > WINDOW / 2) this.#need(index + 1);
    const rows = this.windows.get(index);
    if (!rows || rows === "loading") return [];
    return [...rows.values()].flatMap((list) => {
      const row = between(list, time, this.size.step);
      return row ? [row] : [];
    });
  }

  draw() {
    const { canvas, size } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!context || !width) return;
    context.clearRect(0, 0, width, height);
    const faces = this.at(this.shown);
    canvas.dataset.time = this.shown.toFixed(4);
    canvas.dataset.faces = String(faces.length);
    const scale = width / size.width;
    context.font = `600 ${Math.round(13 * ratio)}px ${getComputedStyle(canvas).fontFamily}`;
    for (const [, track, x, y, w, h, emotion, probability] of faces) {
      const name = EMOTIONS[emotion];
      const [left, top] = [x * scale, y * scale];
      context.lineWidth = (track === this.selected ? 3.5 : 2) * ratio;
      context.strokeStyle = "rgb(0 0 0 / .6)";
      context.strokeRect(left - 1, top - 1, w * scale + 2, h * scale + 2);
      context.strokeStyle = emotionColor(name);
      context.strokeRect(left, top, w * scale, h * scale);
      const text = `${this.names.get(track) || track} · ${emotionName(name)} ${percent(probability)}`;
      const [wide, high] = [context.measureText(text).width + 10 * ratio, 20 * ratio];
      const from = Math.max(0, Math.min(left, width - wide));
      const above = top >= high ? top - high : top + h * scale;
      context.fillStyle = "rgb(16 18 20 / .86)";
      context.fillRect(from, above, wide, high);
      context.fillStyle = "#f7f6f2";
      context.textBaseline = "middle";
      context.fillText(text, from + 5 * ratio, above + high / 2);
    }
  }
}

/**
 * @param {Row[]} list of one track, in order
 * @param {number} time
 * @param {number} step seconds between samples
 * @returns {Row|null}
 */
export function between(list, time, step) {
  // Frames and samples have the same times, but for rounding.
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][0] <= time + 2e-3) low = middle + 1;
    else high = middle;
  }
  const before = list[low - 1];
  const after = list[low];
  if (!before) return null;
  if (time - before[0] < 2e-3) return before;
  if (!after || after[0] - before[0] > GAP_STEPS * step) {
    return time - before[0] <= step ? before : null;
  }
  const part = (time - before[0]) / (after[0] - before[0]);
  const moved = /** @type {Row} */ ([...before]);
  for (const at of [2, 3, 4, 5]) moved[at] = before[at] + part * (after[at] - before[at]);
  return moved;
}
