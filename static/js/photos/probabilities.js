/* One face's seven probabilities as a bar chart and a table. */
import { EMOTIONS, emotionColor, emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { token } from "../shared/tokens.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Writes each value at the end of its bar. */
const endLabels = {
  id: "endLabels",
  /**
   * @param {any} chart of Chart.js
   */
  afterDatasetsDraw(chart) {
    const { ctx } = chart;
    ctx.save();
    ctx.font = `500 12px ${token("--mono")}`;
    ctx.fillStyle = token("--ink");
    ctx.textBaseline = "middle";
    const values = chart.data.datasets[0].data;
    chart.getDatasetMeta(0).data.forEach((/** @type {{ x: number; y: number; }} */ bar, /** @type {string | number} */ index) => {
      ctx.fillText(percent(values[index]), bar.x + 8, bar.y + 0.5);
    });
    ctx.restore();
  },
};

export class ProbabilityView {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLTableSectionElement} table
   */
  constructor(canvas, table) {
    this.table = table;
    this.chart = new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: EMOTIONS.map(emotionName),
        datasets: [{ data: EMOTIONS.map(() => 0), borderRadius: 3, borderSkipped: "start", barThickness: 16, minBarLength: 2 }],
      },
      options: {
        indexAxis: "y",
        maintainAspectRatio: false,
        animation: still.matches ? false : { duration: 350, easing: "easeOutCubic" },
        events: [],
        layout: { padding: { right: 44 } },
        plugins: { legend: { display: false }, tooltip: { enabled: false } },
        scales: {
          x: {
            min: 0,
            max: 1,
            ticks: { stepSize: 0.25, callback: (/** @type {number} */ value) => `${value * 100}%`, maxRotation: 0 },
            border: { display: false },
          },
          y: { grid: { display: false }, border: { display: true }, ticks: { autoSkip: false } },
        },
      },
      plugins: [endLabels],
    });
    document.addEventListener("themechange", () => this.#paint());
    // Redraw once the font has loaded.
    document.fonts.ready.then(() => this.#paint());
    this.#paint();
  }

  #paint() {
    const { options, data } = this.chart;
    data.datasets[0].backgroundColor = EMOTIONS.map(emotionColor);
    const { x, y } = options.scales;
    x.ticks.color = token("--muted");
    x.ticks.font = { family: token("--mono"), size: 11 };
    x.grid = { color: token("--line") };
    y.ticks.color = token("--ink");
    y.ticks.font = { family: token("--sans"), size: 14 };
    y.border.color = token("--line-strong");
    this.chart.update("none");
  }

  /** @param {Object<string, number>} probabilities by expression */
  show(probabilities) {
    const values = EMOTIONS.map((emotion) => probabilities[emotion]);
    this.chart.data.datasets[0].data = values;
    this.chart.update();
    const summary = EMOTIONS.map((emotion, at) => `${emotionName(emotion)} ${percent(values[at])}`);
    this.chart.canvas.setAttribute("aria-label", `Bar chart. ${summary.join(", ")}.`);
    this.table.replaceChildren(...EMOTIONS.map((emotion, at) => row(emotion, values[at])));
  }
}

/**
 * @param {string} emotion
 * @param {number} probability
 */
function row(emotion, probability) {
  const line = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.dataset.emotion = emotion;
  name.append(icon(`face-${emotion}`), emotionName(emotion));
  const value = document.createElement("td");
  value.textContent = `${(100 * probability).toFixed(1)}%`;
  line.append(name, value);
  return line;
}
