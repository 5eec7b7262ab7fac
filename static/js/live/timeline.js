/* Line chart of seven expressions: the last minute of a live face. */
import { EMOTIONS, emotionColor, emotionName } from "../shared/emotions.js";
import { token } from "../shared/tokens.js";

export class Timeline {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{span: number}} options span: seconds that the chart shows up to now, with times
   *   counted back from it
   */
  constructor(canvas, { span }) {
    this.span = span;
    this.chart = new window.Chart(canvas, {
      type: "line",
      data: {
        datasets: EMOTIONS.map((emotion) => ({ label: emotionName(emotion), data: [], order: 1 })),
      },
      options: {
        maintainAspectRatio: false,
        // Drawn four times a second beside a video, so no animation, parsing or lookups.
        animation: false,
        parsing: false,
        normalized: true,
        events: [],
        elements: { point: { radius: 0 }, line: { borderJoinStyle: "round" } },
        plugins: { legend: { display: false }, tooltip: { enabled: false } },
        scales: {
          x: {
            type: "linear",
            border: { display: false },
            afterBuildTicks: (/** @type {any} */ axis) => spread(axis, span),
            ticks: {
              maxRotation: 0,
              autoSkip: false,
              includeBounds: false,
              callback: (/** @type {number} */ value, /** @type {any} */ _, /** @type {{value: number}[]} */ ticks) => back(value - ticks[ticks.length - 1].value),
            },
          },
          y: {
            min: 0,
            max: 1,
            border: { display: false },
            ticks: { stepSize: 0.5, callback: (/** @type {number} */ value) => `${value * 100}%` },
          },
        },
      },
    });
    document.addEventListener("themechange", () => this.#paint());
    document.fonts.ready.then(() => this.#paint());
    this.#paint();
  }

  #paint() {
    const { options, data } = this.chart;
    data.datasets.forEach((/** @type {any} */ dataset, /** @type {number} */ at) => {
      dataset.borderColor = emotionColor(EMOTIONS[at]);
    });
    for (const axis of [options.scales.x, options.scales.y]) {
      axis.ticks.color = token("--muted");
      axis.ticks.font = { family: token("--mono"), size: 11 };
      axis.grid = { color: token("--line"), tickLength: 4 };
    }
    this.chart.update("none");
  }

  /**
   * @param {Object<string, {x: number, y: number}[]>} points by expression, x in seconds
   * @param {{to: number, top: string}} view to: the right end; top: the highlighted expression
   */
  show(points, { to, top }) {
    const { options, data } = this.chart;
    data.datasets.forEach((/** @type {any} */ dataset, /** @type {number} */ at) => {
      const emotion = EMOTIONS[at];
      dataset.data = points?.[emotion] ?? [];
      dataset.borderWidth = emotion === top ? 2.75 : 1.5;
      dataset.order = emotion === top ? 0 : 1; // the lowest order is drawn on top
    });
    options.scales.x.min = to - this.span;
    options.scales.x.max = to;
    this.chart.update("none");
  }
}

/**
 * Grid lines that don't move as time passes.
 * @param {{ ticks: { value: number; }[]; max: number; }} axis
 * @param {number} span
 */
function spread(axis, span) {
  axis.ticks = [1, 0.75, 0.5, 0.25, 0].map((part) => ({ value: axis.max - part * span }));
}

/** @param {number} seconds */
const back = (seconds) => (seconds === 0 ? "now" : `−${Math.round(-seconds)} s`);
