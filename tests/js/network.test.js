import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { use } from "./page.js";

use('<p id="connection" hidden><span data-problem="lost" hidden></span><span data-problem="signed-out" hidden></span></p>');
document.cookie = "csrftoken=secret";
const { ApiError, readAnalyses, request, send } = await import("../../static/js/shared/api.js");
const { keepConnected, retryDelay, socketAddress } = await import("../../static/js/shared/socket.js");

function answer(status, body, headers = {}) {
  globalThis.fetch = mock.fn(async () => new Response(status === 204 ? null : JSON.stringify(body), { status, headers }));
  return () => globalThis.fetch.mock.calls;
}

test("a request carries the CSRF token and gives the parsed answer", async () => {
  const calls = answer(200, { well: true });
  assert.deepEqual(await send("POST", "/api/v1/x/", { a: 1 }), { well: true });
  const [url, { headers, body, method }] = calls()[0].arguments;
  assert.deepEqual([url, method, body], ["/api/v1/x/", "POST", '{"a":1}']);
  assert.equal(headers["X-CSRFToken"], "secret");
});

test("an answer without content is null", async () => {
  answer(204);
  assert.equal(await request("/api/v1/x/"), null);
});

const errors = [
  [{ code: "too_large", detail: "Too large." }, 413, "Too large.", "too_large", false],
  [{ errors: [{ field: "title", code: "blank", message: "Give a title." }] }, 400, "Give a title.", "blank", false],
  [null, 502, "Something went wrong on the server. Try again.", "http_502", true],
];
for (const [body, status, message, code, temporary] of errors) {
  test(`an error is a sentence: ${code}`, async () => {
    answer(status, body);
    const error = await request("/api/v1/x/").catch((found) => found);
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.message, error.code, error.temporary], [message, code, temporary]);
  });
}

test("the server says when to come back", async () => {
  answer(429, { detail: "Slowly." }, { "Retry-After": "3" });
  const error = await request("/api/v1/x/").catch((found) => found);
  assert.deepEqual([error.wait, error.temporary], [3000, true]);
});

test("a server that cannot be reached is a temporary error", async () => {
  globalThis.fetch = async () => { throw new TypeError("failed"); };
  const error = await request("/api/v1/x/").catch((found) => found);
  assert.deepEqual([error.code, error.temporary], ["network", true]);
});

test("many analyses are read a hundred at a time", async () => {
  const calls = answer(200, { next: null, results: [{ id: "1" }] });
  const found = await readAnalyses(Array.from({ length: 150 }, (_, at) => String(at)));
  assert.deepEqual([calls().length, found.length], [2, 2]);
});

test("attempts to reconnect come ever later, spread out", () => {
  for (const [failures, longest] of [[1, 750], [3, 3000], [20, 22_500]]) {
    const delay = retryDelay(failures);
    assert.ok(delay >= longest / 3 && delay <= longest, `${delay} of ${longest}`);
  }
});

test("a socket's address keeps host and follows the page's scheme", () => {
  assert.equal(String(socketAddress("/ws/live/")), "ws://mien.test/ws/live/");
});

class FakeSocket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  constructor(url) {
    this.url = String(url);
    FakeSocket.all.push(this);
  }
  close() { this.readyState = 3; }
}

function connect() {
  globalThis.WebSocket = FakeSocket;
  FakeSocket.all = [];
  const handlers = { onConnect: mock.fn(), onMessage: mock.fn() };
  keepConnected("/ws/analyses/", handlers);
  return { ...handlers, last: () => FakeSocket.all.at(-1) };
}

test("every connection reads the state again, and messages arrive parsed", () => {
  const { onConnect, onMessage, last } = connect();
  last().onopen();
  last().onmessage({ data: '{"type": "models.changed"}' });
  assert.equal(onConnect.mock.callCount(), 1);
  assert.deepEqual(onMessage.mock.calls[0].arguments, [{ type: "models.changed" }]);
});

test("a lost connection comes back by itself, and says so only when it takes long", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { onConnect, last } = connect();
  const banner = document.getElementById("connection");
  last().onopen();
  last().onclose({ code: 1006 });
  assert.equal(banner.hidden, true);
  mock.timers.tick(1000);
  assert.equal(FakeSocket.all.length, 2);
  last().onclose({ code: 1006 });
  assert.equal(banner.hidden, false);
  mock.timers.tick(2000);
  last().onopen();
  assert.equal(banner.hidden, true);
  assert.equal(onConnect.mock.callCount(), 2);
  mock.timers.reset();
});

test("who was signed out is told, and not connected again", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { last } = connect();
  last().onopen();
  last().onclose({ code: 4401 });
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(document.querySelector('[data-problem="signed-out"]').hidden, false);
  mock.timers.reset();
});
