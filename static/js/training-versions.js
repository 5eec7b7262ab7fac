/* What can be done with model versions: promote them, roll back, and choose some to compare. */
import { announce } from "./announce.js";
import { promote } from "./training-api.js";
import { ask } from "./training-ask.js";
import { writeShares } from "./training-words.js";

/** Refusals of the guard that somebody who knows better may overrule. */
const CONFIRMABLE = ["worse", "not_comparable"];

async function promoteAfterAsking(number) {
  const text = "Every worker uses it from its next job on. Rolling back takes a click.";
  if (!(await ask({ title: `Promote version ${number}?`, text, yes: "Promote" }))) return;
  try {
    await promote(number, false);
  } catch (error) {
    if (!CONFIRMABLE.includes(error.code)) throw error;
    const question = { title: "The guard advises against it", text: error.message, yes: "Promote it all the same", danger: true };
    if (!(await ask(question))) return;
    await promote(number, true);
  }
  location.reload();
}

for (const button of document.querySelectorAll("[data-promote]")) {
  button.addEventListener("click", () =>
    promoteAfterAsking(button.dataset.promote).catch((error) => announce(error.message)));
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { ask: title, askText: text, askYes: yes } = form.dataset;
    if (await ask({ title, text, yes })) form.submit();
  });
}

writeShares();

const boxes = [...document.querySelectorAll("input[form=compare]")];
const button = document.getElementById("compare-button");

function count() {
  button.disabled = boxes.filter(({ checked }) => checked).length < 2;
}

if (button) {
  for (const box of boxes) box.addEventListener("change", count);
  count();
}
