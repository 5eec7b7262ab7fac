/* The page of one model version and its evaluations. */
import { byId, readData, seek } from "../../shared/elements.js";
import { askEvaluation, getEvaluation } from "../api.js";
import { refresh } from "./promotion.js";
import { showEvaluations } from "./evaluation.js";
import { watchTrainings } from "../../shared/feed.js";
import { isActive } from "../words.js";

/** @typedef {import("../api.js").Evaluation} Evaluation */

/** @type {Evaluation[]} */
let evaluations = readData("evaluations-data");

/** @param {Evaluation} fresh */
function show(fresh) {
  const isKnown = evaluations.some(({ id }) => id === fresh.id);
  evaluations = isKnown
    ? evaluations.map((known) => (known.id === fresh.id && fresh.sequence >= known.sequence ? fresh : known))
    : [fresh, ...evaluations];
  showEvaluations(byId("evaluations"), evaluations);
}

async function reload() {
  await refresh();
  for (const { id } of evaluations.filter(isActive)) show(await getEvaluation(id));
}

const form = seek(document, "#evaluate");
if (form) {
  /** @type {import("../api.js").Dataset[]} */
  const datasets = readData("datasets-data");
  const dataset = byId("evaluate-dataset", HTMLSelectElement);
  const split = byId("evaluate-split", HTMLSelectElement);
  const fillSplits = () => {
    const chosen = datasets.find(({ id }) => id === dataset.value);
    const names = [...Object.keys(chosen?.report.counts ?? {}).reverse(), "validation"];
    split.replaceChildren(...names.map((name) => new Option(name, name)));
  };
  dataset.append(...datasets.map(({ id, name }) => new Option(name, id)));
  dataset.addEventListener("change", fillSplits);
  fillSplits();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = byId("evaluate-problem");
    problem.hidden = true;
    try {
      show(await askEvaluation({ version: form.dataset.version ?? "", dataset: dataset.value, split: split.value }));
    } catch (error) {
      problem.hidden = false;
      problem.textContent = error.message;
    }
  });
}

showEvaluations(byId("evaluations"), evaluations);
watchTrainings({
  waiting: () => evaluations.some(isActive),
  reload,
  onEvent(event) {
    if (event.type === "models.changed") refresh().catch(() => {});
    const isOurs = event.type === "evaluation.changed" && evaluations.some(({ id }) => id === event.evaluation.id);
    if (isOurs) show(event.evaluation);
  },
});
