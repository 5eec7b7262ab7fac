import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";
import { use } from "./page.js";

const card = (id) => `<li class="analysis" data-id="${id}" data-kind="image" data-status="succeeded">
  <a class="analysis-link" href="/analyses/${id}/"><span class="analysis-title">Photo ${id}</span></a>
  <label><input type="checkbox" data-select></label></li>`;
const page = use(`<main id="main" tabindex="-1"></main><p id="announcer"></p>
  <ul id="history">${["a", "b", "c"].map(card).join("")}</ul>
  <div id="undo" hidden><p id="undo-text"></p><button id="undo-button"></button></div>
  <div id="bulk" hidden><b id="bulk-count"></b><button data-bulk="all"></button><button data-bulk="none"></button>
    <button data-bulk="delete"></button></div>
  <dialog id="export-dialog"><b data-what></b><form id="export-form"><button type="button" data-close></button>
    <button class="btn-primary"></button></form><p id="export-error"><span></span></p></dialog>`);
mock.timers.enable({ apis: ["setTimeout"] });
const { deleteSoon } = await import("../../static/js/shared/deletions.js");
const { countSelected, enableSelection } = await import("../../static/js/history/selection.js");

const cards = () => [...document.querySelectorAll(".analysis")];
const click = (selector) => document.querySelector(selector).dispatchEvent(new page.MouseEvent("click", { bubbles: true }));
const settled = () => new Promise((resolve) => setImmediate(resolve));
let deleted;

beforeEach(() => {
  deleted = [];
  globalThis.fetch = mock.fn(async (url, { method }) => {
    if (method === "DELETE") deleted.push(url);
    return new Response(null, { status: 204 });
  });
});

test("a deleted card goes at once, its analysis six seconds later", async () => {
  const [first] = cards();
  deleteSoon([first], (gone) => gone.remove());
  assert.equal(first.hidden, true);
  assert.match(document.getElementById("undo-text").textContent, /Photo a will be deleted/);
  mock.timers.tick(5900);
  assert.deepEqual(deleted, []);
  mock.timers.tick(200);
  await settled();
  assert.deepEqual(deleted, ["/api/v1/analyses/a/"]);
  await settled();
  assert.equal(cards().length, 2);
});

test("undo brings the card back, and nothing is deleted", async () => {
  const [first] = cards();
  deleteSoon([first], () => assert.fail("it was not deleted"));
  click("#undo-button");
  assert.equal(first.hidden, false);
  mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(deleted, []);
});

test("a deletion that fails brings the card back", async () => {
  globalThis.fetch = async () => new Response(JSON.stringify({ detail: "Later." }), { status: 503 });
  const [first] = cards();
  deleteSoon([first], () => assert.fail("it was not deleted"));
  mock.timers.tick(6100);
  await settled();
  await settled();
  assert.equal(first.hidden, false);
});

test("selected cards are counted, and the bar appears", () => {
  enableSelection(() => {});
  assert.equal(document.getElementById("bulk").hidden, true);
  click('[data-bulk="all"]');
  assert.equal(document.getElementById("bulk-count").textContent, "2");
  click('[data-bulk="none"]');
  countSelected();
  assert.equal(document.getElementById("bulk").hidden, true);
});

test("selected cards are deleted together", async () => {
  click('[data-bulk="all"]');
  click('[data-bulk="delete"]');
  assert.ok(cards().every(({ hidden }) => hidden));
  assert.match(document.getElementById("undo-text").textContent, /2 entries will be deleted/);
  mock.timers.tick(6100);
  await settled();
  assert.equal(deleted.length, 2);
});
