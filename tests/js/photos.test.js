import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { use } from "./page.js";

use('<ul id="list"></ul>');
const { FaceList } = await import("../../static/js/photos/face-list.js");
const { neighbor } = await import("../../static/js/photos/face-buttons.js");
const { placeLabels } = await import("../../static/js/shared/labels.js");
const { UploadQueue } = await import("../../static/js/photos/uploads.js");

const square = (x, y) => ({ x, y, width: 10, height: 10 });

test("arrow keys go to the nearest face in their direction", () => {
  const places = [square(0, 0), square(50, 5), square(200, 0), square(0, 90)];
  assert.equal(neighbor(places, 0, [1, 0]), 1);
  assert.equal(neighbor(places, 1, [1, 0]), 2);
  assert.equal(neighbor(places, 0, [0, 1]), 3);
  assert.equal(neighbor(places, 0, [-1, 0]), -1);
});

const SIZE = { full: { width: 60, height: 20 }, short: { width: 20, height: 20 } };
const AREA = { width: 400, height: 300 };

test("a label goes above its box, or below where there is no room", () => {
  const [above] = placeLabels([{ left: 100, top: 100, width: 50, height: 50 }], [SIZE], AREA);
  assert.deepEqual(above, { form: "full", left: 100, top: 77 });
  const [below] = placeLabels([{ left: 100, top: 5, width: 50, height: 50 }], [SIZE], AREA);
  assert.deepEqual(below, { form: "full", left: 100, top: 58 });
});

test("a label never leaves the picture", () => {
  const [spot] = placeLabels([{ left: 390, top: 100, width: 10, height: 10 }], [SIZE], AREA);
  assert.equal(spot.left, 340);
});

test("of two faces that crowd, the second gets the short label or none", () => {
  const boxes = [{ left: 100, top: 100, width: 40, height: 40 }, { left: 104, top: 104, width: 40, height: 40 }];
  const [first, second] = placeLabels(boxes, [SIZE, SIZE], AREA);
  assert.equal(first.form, "full");
  assert.notEqual(second?.top, first.top);
});

const found = (emotion) => ({
  id: 1, emotion, probabilities: { [emotion]: 0.8 }, quality: [], correction: null,
  box: square(0, 0), score: 1, landmarks: {}, corrected_at: null,
});

test("the list of faces has one stop of the Tab key", () => {
  const chosen = mock.fn();
  const list = new FaceList(document.getElementById("list"), chosen, () => {});
  list.render([found("happy"), found("sad")]);
  list.select(1);
  assert.deepEqual(list.buttons.map(({ tabIndex }) => tabIndex), [-1, 0]);
  list.buttons[0].click();
  assert.deepEqual(chosen.mock.calls[0].arguments, [0]);
});

/** A server that answers each upload as it is told to. */
class Answers {
  static statuses = [];
  static open = [];
  upload = {};
  open() {}
  setRequestHeader(name, value) { (this.headers ??= {})[name] = value; }
  getResponseHeader() { return null; }
  abort() {}
  send() {
    Answers.open.push(this);
    queueMicrotask(() => {
      this.status = Answers.statuses.shift() ?? 202;
      this.responseText = JSON.stringify(this.status < 300 ? { analyses: [{ id: "1" }] } : { code: "unavailable", detail: "Later." });
      this.onload();
      this.onloadend();
    });
  }
}

async function upload(...statuses) {
  globalThis.XMLHttpRequest = Answers;
  Answers.statuses = statuses;
  Answers.open = [];
  const states = [];
  const queue = new UploadQueue(({ state }) => states.push(state));
  const one = queue.add(new File(["x"], "photo.jpg"));
  for (let turn = 0; turn < 200 && !["accepted", "refused"].includes(one.state); turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(500);
  }
  return { one, states, queue };
}

test("an upload is accepted", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { one } = await upload(202);
  assert.equal(one.state, "accepted");
  assert.equal(one.analysis.id, "1");
  mock.timers.reset();
});

test("a server that is down is asked again, with the same key", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { one, states } = await upload(503, 202);
  assert.equal(one.state, "accepted");
  assert.ok(states.includes("pausing"));
  const keys = new Set(Answers.open.map(({ headers }) => headers["Idempotency-Key"]));
  assert.equal(keys.size, 1);
  mock.timers.reset();
});

test("after three repetitions the upload is refused, and can be retried by hand", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { one, queue } = await upload(503, 503, 503, 503);
  assert.deepEqual([one.state, one.canRetry, one.error.message], ["refused", true, "Later."]);
  queue.retry(one);
  assert.equal(one.state, "sending");
  mock.timers.reset();
});

test("what the server does not accept is not sent again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { one } = await upload(415);
  assert.deepEqual([one.state, one.canRetry, Answers.open.length], ["refused", false, 1]);
  mock.timers.reset();
});

test("three uploads run at a time", async () => {
  class Silent extends Answers {
    send() { Answers.open.push(this); }
  }
  globalThis.XMLHttpRequest = Silent;
  Answers.open = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  const queue = new UploadQueue(() => {});
  for (let count = 0; count < 5; count += 1) queue.add(new File(["x"], "photo.jpg"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(Answers.open.length, 3);
  mock.timers.reset();
});
