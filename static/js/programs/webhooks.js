/* The webhooks page, with each webhook's delivery log. */
import { byId, find } from "../shared/elements.js";
import { announce } from "../shared/announce.js";
import { request, send } from "../shared/api.js";
import { confirmEnd, copy, newRow, showProblem } from "../shared/rows.js";
import { showTime } from "../shared/times.js";

const ROOT = "/api/v1/webhooks/";
/** @type {Record<string, string>} */
const STATUS = { pending: "Waiting", delivered: "Delivered", failed: "Failed" };

const form = byId("new-webhook", HTMLFormElement);
const list = byId("webhooks");

/**
 * Run an action and reload the list; show errors.
 * @param {() => Promise<unknown>} action
 */
async function attempt(action) {
  try {
    await action();
    await show();
  } catch (error) {
    announce(error.message);
  }
}

/**
 * @param {{ id: any; url: string; active: boolean; created_at: string; secret: string; }} webhook
 */
function webhookRow(webhook) {
  const address = `${ROOT}${webhook.id}/`;
  const row = newRow("webhook-row", { url: webhook.url, pause: webhook.active ? "Pause" : "Go on" });
  find(row, "[data-paused]").hidden = webhook.active;
  showTime(find(row, "[data-created]", HTMLTimeElement), webhook.created_at);
  const secret = find(row, "[data-secret]", HTMLInputElement);
  secret.value = webhook.secret;
  find(row, "[data-copy]").addEventListener("click", () => copy(secret));
  find(row, "[data-pause]").addEventListener("click", () => {
    attempt(() => send("PATCH", address, { active: !webhook.active }));
  });
  find(row, "[data-remove]").addEventListener("click", async () => {
    if (await confirmEnd(webhook.url)) attempt(() => request(address, { method: "DELETE" }));
  });
  const log = find(row, "[data-log]", HTMLDetailsElement);
  log.addEventListener("toggle", () => {
    if (log.open) showLog(log, address).catch((error) => announce(error.message));
  });
  return row;
}

/**
 * @param {ParentNode} log
 * @param {string} address
 */
async function showLog(log, address) {
  const { results } = await request(`${address}deliveries/`);
  find(log, "[data-silent]").hidden = results.length > 0;
  const rows = results.map((/** @type {any} */ delivery) => deliveryRow(delivery, () => showLog(log, address)));
  find(log, "[data-deliveries]").replaceChildren(...rows);
}

/**
 * @param {any} delivery
 * @param {() => Promise<void>} reload
 */
function deliveryRow(delivery, reload) {
  const { status, event, attempts, body, response, response_status: answer } = delivery;
  const row = newRow("delivery-row", {
    status: STATUS[status],
    event,
    title: body.analysis?.title ?? "",
    answer: [answer && `Answer ${answer}`, response, `${attempts} attempt${attempts === 1 ? "" : "s"}`]
      .filter(Boolean).join(" · "),
  });
  const tag = find(row, "[data-status]");
  tag.classList.toggle("tag-success", status === "delivered");
  tag.classList.toggle("tag-failed", status === "failed");
  showTime(find(row, "[data-created]", HTMLTimeElement), delivery.created_at);
  find(row, "[data-resend]").addEventListener("click", async () => {
    try {
      await send("POST", `/api/v1/deliveries/${delivery.id}/resend/`);
      announce("It will be sent again shortly.");
      await reload();
    } catch (error) {
      announce(error.message);
    }
  });
  return row;
}

async function show() {
  const webhooks = await request(ROOT);
  list.replaceChildren(...webhooks.map(webhookRow));
  byId("no-webhooks").hidden = webhooks.length > 0;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = byId("webhook-error");
  showProblem(problem, null);
  try {
    await send("POST", ROOT, { url: new FormData(form).get("url") });
    form.reset();
    await show();
    announce("Added.");
  } catch (error) {
    showProblem(problem, error);
  }
});
show().catch((error) => announce(error.message));
