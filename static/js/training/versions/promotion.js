/* What can be done with model versions: promote them, roll back, choose some to compare; and how
   pages stay as the registry is. */
import { around, findAll, seek } from "../../shared/elements.js";
import { announce } from "../../shared/announce.js";
import { promote } from "../api.js";
import { ask } from "../../shared/ask.js";
import { comeBack, isNeeded, reauthenticate } from "../../shared/reauthentication.js";
import { writeShares } from "../words.js";

/** Refusals that the user can override. */
const CONFIRMABLE = ["worse", "not_comparable"];

const boxes = () => findAll(document, "input[form=compare]", HTMLInputElement);

/**
 * @param {string | number} number
 */
async function promoteAfterAsking(number) {
  const text = "Every worker uses it from its next job. You can roll back with one click.";
  if (!(await ask({ title: `Promote version ${number}?`, text, yes: "Promote" }))) return;
  try {
    await promote(number, false);
  } catch (error) {
    if (!CONFIRMABLE.includes(error.code)) throw error;
    const question = { title: "This version may be worse", text: error.message, yes: "Promote anyway", danger: true };
    if (!(await ask(question))) return;
    await promote(number, true);
  }
  await refresh();
  announce(`Version ${number} is now active.`);
}

/**
 * @param {string} number
 */
async function tryToPromote(number) {
  try {
    await promoteAfterAsking(number);
  } catch (error) {
    if (isNeeded(error)) reauthenticate({ promote: number });
    else announce(error.message);
  }
}

let asked = 0;
let shown = 0;

/** Reload the parts of the page that others may have changed. */
export async function refresh() {
  const mine = ++asked;
  const response = await fetch(location.href, { credentials: "same-origin" });
  if (!response.ok) return;
  const text = await response.text();
  if (mine < shown) return; // a later request was answered first
  shown = mine;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const chosen = new Set(boxes().filter(({ checked }) => checked).map(({ value }) => value));
  for (const part of findAll(document, "[data-live]")) {
    const now = fresh.getElementById(part.id);
    // Leave unchanged parts alone, to keep focus.
    if (now && part.dataset.live !== now.dataset.live) part.replaceWith(document.adoptNode(now));
  }
  for (const box of boxes()) box.checked = chosen.has(box.value);
  writeShares();
  count();
}

function count() {
  const button = seek(document, "#compare-button");
  if (button instanceof HTMLButtonElement) button.disabled = boxes().filter(({ checked }) => checked).length < 2;
}

document.addEventListener("click", (event) => {
  const version = around(event, "[data-promote]")?.dataset.promote;
  if (version) tryToPromote(version);
});

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.ask) return;
  event.preventDefault();
  const { ask: title = "", askText: text = "", askYes: yes = "" } = form.dataset;
  if (await ask({ title, text, yes })) form.submit();
});

document.addEventListener("change", (event) => around(event, "input[form=compare]") && count());

writeShares();
count();
const left = comeBack(["promote"]);
if (left?.promote?.match(/^\d+$/)) tryToPromote(left.promote);
