/* The page of API keys. */
import { byId, find, findAll } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { request, send } from "../shared/api.js";
import { comeBack, isNeeded, reauthenticate } from "../shared/reauthentication.js";
import { confirmEnd, copy, newRow, showProblem } from "../shared/rows.js";
import { showTime } from "../shared/times.js";

const ROOT = "/api/v1/keys/";
const DAY = 86_400_000;
const FIELDS = ["name", "days", "scopes"];

/**
 * @typedef {{id: string, name: string, prefix: string, scopes: string[], created_at: string,
 *   expires_at: string|null, revoked_at: string|null, last_used_at: string|null}} Key
 */

const form = byId("new-key", HTMLFormElement);
const list = byId("keys");
const once = byId("once");
const onceKey = byId("once-key", HTMLInputElement);

/**
 * A text before a time, as one element.
 * @param {string} words
 * @param {string} iso
 */
function since(words, iso) {
  const time = document.createElement("time");
  showTime(time, iso);
  return [`${words} `, time];
}

/**
 * @param {Key} key
 */
function keyRow(key) {
  const row = newRow("key-row", { name: key.name, prefix: `mien_${key.prefix}_…` });
  const isOver = key.revoked_at || (key.expires_at && new Date(key.expires_at) < new Date());
  row.classList.toggle("over", Boolean(isOver));
  find(row, "[data-scopes]").replaceChildren(...key.scopes.flatMap((scope) => [
    Object.assign(document.createElement("span"), { className: "tag", textContent: scope }), " ",
  ]));
  showTime(find(row, "[data-created]", HTMLTimeElement), key.created_at);
  const expiry = find(row, "[data-expiry]");
  if (key.revoked_at) expiry.replaceChildren(...since("Revoked", key.revoked_at));
  else if (key.expires_at) expiry.replaceChildren(...since(isOver ? "Ended" : "Until", key.expires_at));
  else expiry.textContent = "No end";
  const used = find(row, "[data-used]");
  if (key.last_used_at) used.replaceChildren(...since("Last used", key.last_used_at));
  else used.textContent = "Never used";
  const revoke = find(row, "[data-revoke]");
  revoke.hidden = Boolean(key.revoked_at);
  find(revoke, "span", HTMLSpanElement).textContent = ` ${key.name}`;
  revoke.addEventListener("click", () => end(key));
  return row;
}

async function show() {
  const keys = await request(ROOT);
  list.replaceChildren(...keys.map(keyRow));
  byId("no-keys").hidden = keys.length > 0;
}

/**
 * @param {Key} key
 */
async function end(key) {
  if (!(await confirmEnd(key.name))) return;
  try {
    await request(`${ROOT}${key.id}/`, { method: "DELETE" });
    await show();
    announce(`${key.name} was revoked.`);
  } catch (error) {
    announce(error.message);
  }
}

/** Fill in the form again after the person has confirmed that it's them. */
function goOn() {
  const values = comeBack(FIELDS);
  if (!values) return;
  const { name = "", days = "", scopes = "" } = values;
  byId("key-name", HTMLInputElement).value = name;
  byId("key-expiry", HTMLSelectElement).value = days;
  for (const box of findAll(form, "[name=scopes]", HTMLInputElement)) box.checked = scopes.split(",").includes(box.value);
  find(form, "button", HTMLButtonElement).focus();
  announce("Confirmed. You can create the key now.");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const values = new FormData(form);
  const days = Number(values.get("days"));
  const problem = byId("key-error");
  showProblem(problem, null);
  try {
    const { key } = await send("POST", ROOT, {
      name: values.get("name"),
      scopes: values.getAll("scopes"),
      expires_at: days ? new Date(Date.now() + days * DAY).toISOString() : null,
    });
    onceKey.value = key;
    once.hidden = false;
    byId("once-title").focus();
    form.reset();
    await show();
  } catch (error) {
    if (isNeeded(error)) {
      const [name, days] = [String(values.get("name")), String(values.get("days"))];
      reauthenticate({ name, days, scopes: values.getAll("scopes").join(",") });
      return;
    }
    const noScope = error.errors?.some((/** @type {{field?: string}} */ { field }) => field === "scopes");
    showProblem(problem, noScope ? new Error("Choose at least one permission.") : error);
  }
});
find(once, "[data-copy]").addEventListener("click", () => copy(onceKey));
goOn();
show().catch((error) => announce(error.message));
