/* The page of webhooks, with the log of what each was sent. */
import { announce } from "../shared/announce.js";
import { request, send } from "../shared/api.js";
import { confirmEnd, copy, newRow, showProblem } from "../shared/rows.js";
import { showTime } from "../shared/times.js";

const ROOT = "/api/v1/webhooks/";
const STATUS = { pending: "Waiting", delivered: "Delivered", failed: "Failed" };

const form = /** @type {HTMLFormElement} */ (document.getElementById("new-webhook"));
const list = document.getElementById("webhooks");

/** Do something and show the list anew; say what went wrong. */
async function attempt(action) {
  try {
    await action();
    await show();
  } catch (error) {
    announce(error.message);
  }
}

function webhookRow(webhook) {
  const address = `${ROOT}${webhook.id}/`;
  const row = newRow("webhook-row", { url: webhook.url, pause: webhook.active ? "Pause" : "Go on" });
  row.querySelector("[data-paused]").hidden = webhook.active;
  showTime(row.querySelector("[data-created]"), webhook.created_at);
  const secret = /** @type {HTMLInputElement} */ (row.querySelector("[data-secret]"));
  secret.value = webhook.secret;
  row.querySelector("[data-copy]").addEventListener("click", () => copy(secret));
  row.querySelector("[data-pause]").addEventListener("click", () => {
    attempt(() => send("PATCH", address, { active: !webhook.active }));
  });
  row.querySelector("[data-remove]").addEventListener("click", async () => {
    if (await confirmEnd(webhook.url)) attempt(() => request(address, { method: "DELETE" }));
  });
  const log = row.querySelector("[data-log]");
  log.addEventListener("toggle", () => {
    if (log.open) showLog(log, address).catch((error) => announce(error.message));
  });
  return row;
}

async function showLog(log, address) {
  const { results } = await request(`${address}deliveries/`);
  log.querySelector("[data-silent]").hidden = results.length > 0;
  const rows = results.map((delivery) => deliveryRow(delivery, () => showLog(log, address)));
  log.querySelector("[data-deliveries]").replaceChildren(...rows);
}

function deliveryRow(delivery, reload) {
  const { status, event, attempts, body, response, response_status: answer } = delivery;
  const row = newRow("delivery-row", {
    status: STATUS[status],
    event,
    title: body.analysis?.title ?? "",
    answer: [answer && `Answer ${answer}`, response, `${attempts} attempt${attempts === 1 ? "" : "s"}`]
      .filter(Boolean).join(" · "),
  });
  const tag = row.querySelector("[data-status]");
  tag.classList.toggle("tag-success", status === "delivered");
  tag.classList.toggle("tag-failed", status === "failed");
  showTime(row.querySelector("[data-created]"), delivery.created_at);
  row.querySelector("[data-resend]").addEventListener("click", async () => {
    try {
      await send("POST", `/api/v1/deliveries/${delivery.id}/resend/`);
      announce("It will be sent again in a moment.");
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
  document.getElementById("no-webhooks").hidden = webhooks.length > 0;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = document.getElementById("webhook-error");
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
