/* Faces of each day by expression, as stacked bars. */
import { EMOTIONS, emotionColor, emotionName } from "../shared/emotions.js";
import { token } from "../shared/tokens.js";

const dayName = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

export class DayChart {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLUListElement} legend empty
   */
  constructor(canvas, legend) {
    legend.replaceChildren(...EMOTIONS.map((emotion) => {
      const item = document.createElement("li");
      item.dataset.emotion = emotion;
      item.textContent = emotionName(emotion);
      return item;
    }));
    this.chart = new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: [],
        datasets: EMOTIONS.map((emotion) => ({
          label: emotionName(emotion),
          data: [],
          backgroundColor: emotionColor(emotion), // otherwise the library picks one
        })),
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: { filter: (/** @type {any} */ { raw }) => raw > 0 },
        },
        scales: {
          x: { stacked: true, grid: { display: false }, ticks: { maxRotation: 0 } },
          y: { stacked: true, beginAtZero: true, suggestedMax: 4, border: { display: false }, ticks: { precision: 0, maxTicksLimit: 5 } },
        },
      },
    });
    document.addEventListener("themechange", () => this.#paint());
    document.fonts.ready.then(() => this.#paint());
  }

  #paint() {
    const { options, data } = this.chart;
    data.datasets.forEach((/** @type {any} */ dataset, /** @type {number} */ at) => {
      dataset.backgroundColor = emotionColor(EMOTIONS[at]);
    });
    for (const axis of [options.scales.x, options.scales.y]) {
      axis.ticks.color = token("--muted");
      axis.ticks.font = { family: token("--mono"), size: 11 };
    }
    options.scales.y.grid = { color: token("--line") };
    this.chart.update("none");
  }

  /** @param {{date: string, analyses: number, emotions: Object<string, number>}[]} days */
  show(days) {
    const { data, canvas } = this.chart;
    data.labels = days.map(({ date }) => dayName.format(new Date(date)));
    data.datasets.forEach((/** @type {any} */ dataset, /** @type {number} */ at) => {
      dataset.data = days.map(({ emotions }) => emotions[EMOTIONS[at]]);
    });
    const total = (/** @type {string} */ emotion) => days.reduce((sum, { emotions }) => sum + emotions[emotion], 0);
    const summary = EMOTIONS.map((emotion) => `${emotionName(emotion)} ${total(emotion)}`);
    canvas.setAttribute("aria-label", `Bar chart of the faces of 30 days. ${summary.join(", ")}.`);
    this.#paint();
  }
}
