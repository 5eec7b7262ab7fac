import assert from "node:assert/strict";
import test from "node:test";
import { EMOTIONS, correctionName, correctionText, emotionName, percent } from "../../static/js/shared/emotions.js";
import { duration } from "../../static/js/shared/times.js";
import { clock } from "../../static/js/shared/times.js";

test("a probability is written without false certainty", () => {
  const written = [0, 0.004, 0.01, 0.5, 0.994, 0.999, 1].map(percent);
  assert.deepEqual(written, ["0%", "<1%", "1%", "50%", ">99%", ">99%", "100%"]);
});

test("a correction says whether it agrees with the prediction", () => {
  assert.equal(correctionText({ emotion: "sad", correction: "sad" }), "confirmed: Sad");
  assert.equal(correctionText({ emotion: "sad", correction: "angry" }), "corrected: Angry");
  assert.equal(correctionName("not_a_face"), "Not a face");
});

test("there are seven expressions, each with a name", () => {
  assert.equal(new Set(EMOTIONS.map(emotionName)).size, 7);
});

test("a duration has two parts at most", () => {
  assert.deepEqual([0.4, 8, 125, 3780].map(duration), ["0 s", "8 s", "2 min 5 s", "1 h 3 min"]);
});

test("a clock pads its seconds", () => {
  assert.deepEqual([0, 5, 65, 600].map(clock), ["0:00", "0:05", "1:05", "10:00"]);
});
