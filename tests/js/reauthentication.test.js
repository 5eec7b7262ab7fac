import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, isNeeded, valuesOf } from "../../static/js/shared/reauthentication.js";

const HERE = "https://mien.example/models/compare/?versions=1,2#versions";

test("the way back keeps the page and what it needs to go on", () => {
  const address = addressOf(HERE, { promote: "2", name: "a & b" });
  const next = new URLSearchParams(address.split("?")[1]).get("next");
  assert.equal(next, "/models/compare/?versions=1%2C2&promote=2&name=a+%26+b");
});

test("back on the page, the values are taken out of its address", () => {
  const { values, address } = valuesOf("https://mien.example/models/?page=2&promote=3", ["promote"]);
  assert.deepEqual(values, { promote: "3" });
  assert.equal(address, "/models/?page=2");
});

test("a page that wasn't left has nothing to go on with", () => {
  assert.deepEqual(valuesOf(HERE, ["promote"]).values, {});
});

test("only one error asks to confirm", () => {
  assert.ok(isNeeded({ code: "reauthentication_needed" }));
  assert.ok(!isNeeded({ code: "worse" }));
});
