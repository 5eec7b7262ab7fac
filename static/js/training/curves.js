/* Line charts of metrics by epoch, and reliability diagrams. */
import { token } from "../shared/tokens.js";

/** Lines differ by dashes and shades, because the interface uses no accent color. */
export const STYLES = [
  { name: "Solid", tone: "--ink", width: 2.25, dash: [] },
  { name: "Dashed", tone: "--muted", width: 1.75, dash: [5, 4] },
  { name: "Dotted", tone: "--ink", width: 1.75, dash: [1.5, 4] },
  { name: "Solid and pale", tone: "--line-strong", width: 2.25, dash: [] },
];

/**
 * Give lines and points the tones of the current theme.
 * @param {any} datasets
 */
function color(datasets) {
  for (const dataset of datasets) {
    const tone = token(dataset.tone);
    Object.assign(dataset, { borderColor: tone, pointBackgroundColor: tone, pointBorderColor: tone });
  }
}

/** A chart that follows the theme. */
class Drawing {
  /** @param {HTMLCanvasElement} canvas @param {any} config of Chart.js */
  constructor(canvas, config) {
    color(config.data.datasets); // before Chart.js assigns its colors
    this.chart = new window.Chart(canvas, config);
    document.addEventListener("themechange", () => this.paint());
    document.fonts.ready.then(() => this.paint());
  }

  paint() {
    const { options, data } = this.chart;
    color(data.datasets);
    for (const axis of [options.scales.x, options.scales.y]) {
      axis.ticks.color = token("--muted");
      axis.ticks.font = { family: token("--mono"), size: 11 };
      axis.grid = { color: token("--line"), tickLength: 4 };
    }
    this.chart.update(); // with "none", existing points would keep their old style
  }
}

const axis = (/** @type {object} */ more) => ({ type: "linear", border: { display: false }, ...more });
/** @param {number} value */
const inPercent = (value) => `${Math.round(value * 100)}%`;

export class Curves extends Drawing {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{labels: string[], percent?: boolean}} options labels: one for each line
   */
  constructor(canvas, { labels, percent = false }) {
    super(canvas, {
      type: "line",
      data: {
        datasets: labels.map((label, at) => {
          const { tone, width, dash } = STYLES[at % STYLES.length];
          return { label, tone, borderWidth: width, borderDash: dash, data: [] };
        }),
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        parsing: false,
        interaction: { mode: "index", intersect: false },
        // One point alone needs a marker.
        elements: { point: { radius: (/** @type {any} */ { dataset }) => (dataset.data.length === 1 ? 3 : 0), hitRadius: 8 } },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (/** @type {any[]} */ [item]) => `Epoch ${item.parsed.x}`,
              label: (/** @type {any} */ { dataset, parsed }) =>
                `${dataset.label}: ${percent ? `${(100 * parsed.y).toFixed(1)}%` : Number(parsed.y.toPrecision(4))}`,
            },
          },
        },
        scales: {
          x: axis({ ticks: { maxRotation: 0, precision: 0 } }),
          y: axis({ ticks: { maxTicksLimit: 6, callback: percent ? inPercent : (/** @type {number} */ value) => Number(value.toPrecision(3)) } }),
        },
      },
    });
    this.paint();
  }

  /** @param {{x: number, y: number}[][]} lines the points of each line */
  show(lines) {
    const { data, options } = this.chart;
    const last = Math.max(2, ...lines.map((line) => line.at(-1)?.x ?? 0));
    options.scales.x.min = 1;
    options.scales.x.max = last;
    lines.forEach((line, at) => { data.datasets[at].data = line; });
    this.chart.update();
  }
}

export class Reliability extends Drawing {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{confidence: number, accuracy: number, count: number}[]} bins
   */
  constructor(canvas, bins) {
    const points = bins.filter(({ count }) => count > 0)
      .map(({ confidence, accuracy, count }) => ({ x: confidence, y: accuracy, count }));
    super(canvas, {
      type: "line",
      data: {
        datasets: [
          { label: "Perfect", tone: "--line-strong", borderWidth: 1, pointRadius: 0, data: [{ x: 0, y: 0 }, { x: 1, y: 1 }] },
          { label: "Right", tone: "--ink", borderWidth: 2, pointRadius: 3, data: points },
        ],
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        parsing: false,
        plugins: {
          legend: { display: false },
          tooltip: {
            filter: (/** @type {any} */ { datasetIndex }) => datasetIndex === 1,
            callbacks: {
              title: (/** @type {any[]} */ [item]) => (item ? `${inPercent(item.parsed.x)} sure` : ""),
              label: (/** @type {any} */ { raw }) => `right in ${inPercent(raw.y)} of ${raw.count} faces`,
            },
          },
        },
        scales: {
          x: axis({ min: 0, max: 1, ticks: { stepSize: 0.25, callback: inPercent } }),
          y: axis({ min: 0, max: 1, ticks: { stepSize: 0.25, callback: inPercent } }),
        },
      },
    });
    this.paint();
  }
}
