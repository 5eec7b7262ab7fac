import assert from "node:assert/strict";
import test from "node:test";
import { use } from "./page.js";

use();
const { Pace } = await import("../../static/js/live/pace.js");
const { HISTORY, Tracks } = await import("../../static/js/live/tracks.js");
const { contain } = await import("../../static/js/live/overlay.js");

const SURE = { angry: 0, disgust: 0, fear: 0, happy: 1, sad: 0, surprise: 0, neutral: 0 };
const face = (track, x = 100) => ({
  track, box: { x, y: 50, width: 80, height: 100 }, smoothed: SURE, probabilities: SURE, emotion: "happy", score: 1,
});
const result = (...faces) => ({ width: 640, height: 480, faces });

test("frames go at the wanted rate while answers come quickly", () => {
  const pace = new Pace(10);
  pace.answered(20, 0);
  assert.equal(pace.interval, 100);
  pace.sent(0);
  assert.equal(pace.isDue(50), false);
  assert.equal(pace.isDue(95), true);
});

test("slow answers slow the frames down, never below the longest interval", () => {
  const pace = new Pace(15);
  pace.answered(500, 0);
  assert.equal(pace.interval, 300);
  for (let missed = 0; missed < 50; missed += 1) pace.slowDown();
  assert.equal(pace.interval, 400);
});

test("after trouble the pace recovers", () => {
  const pace = new Pace(15);
  pace.slowDown();
  const strained = pace.interval;
  for (let at = 0; at < 50; at += 1) pace.answered(10, at);
  assert.ok(pace.interval < strained);
});

test("the shown rate counts answers of the last two seconds", () => {
  const pace = new Pace(15);
  for (const moment of [0, 500, 1500, 1900]) pace.answered(10, moment);
  assert.equal(pace.rate(2000), 1.5);
});

test("a reset forgets what another connection was like", () => {
  const pace = new Pace(15);
  pace.answered(900, 0);
  pace.slowDown();
  pace.reset();
  assert.equal(Math.round(pace.interval), 67);
});

test("a face in a result becomes a track in fractions of the frame", () => {
  const tracks = new Tracks();
  tracks.update(result(face(1, 320)), 0, 10);
  const [track] = tracks.present;
  assert.deepEqual(track.box, { x: 0.5, y: 50 / 480, width: 0.125, height: 100 / 480 });
});

test("a face that is missing has left, and comes back under its number", () => {
  const tracks = new Tracks();
  tracks.update(result(face(1)), 0, 0);
  tracks.update(result(), 100, 100);
  assert.equal(tracks.present.length, 0);
  assert.equal(tracks.all.size, 1);
  tracks.update(result(face(1)), 200, 200);
  assert.equal(tracks.present[0].number, 1);
});

test("a face that left is forgotten after five seconds", () => {
  const tracks = new Tracks();
  tracks.update(result(face(1)), 0, 0);
  tracks.update(result(), 100, 100);
  tracks.advance(5000);
  assert.equal(tracks.all.size, 1);
  tracks.advance(5200);
  assert.equal(tracks.all.size, 0);
});

test("without results nobody is in view any more", () => {
  const tracks = new Tracks();
  tracks.update(result(face(1)), 0, 0);
  tracks.advance(1400);
  assert.equal(tracks.present.length, 1);
  tracks.advance(1600);
  assert.equal(tracks.present.length, 0);
});

test("a drawn frame runs after a moving face and ahead of its last report", () => {
  const tracks = new Tracks();
  for (let step = 0; step <= 5; step += 1) tracks.update(result(face(1, 100 + 64 * step)), 100 * step, 100 * step);
  const [track] = tracks.present;
  for (let now = 500; now <= 700; now += 16) tracks.advance(now);
  assert.ok(track.velocity.x > 0);
  assert.ok(track.shown.x > track.box.x, `${track.shown.x} > ${track.box.x}`);
});

test("history keeps a minute and breaks where nothing was seen", () => {
  const tracks = new Tracks();
  tracks.update(result(face(1)), 0, 0);
  tracks.update(result(face(1)), 3000, 3000);
  const points = tracks.present[0].history.happy;
  assert.equal(points.length, 3);
  assert.ok(Number.isNaN(points[1].y));
  tracks.update(result(face(1)), 1000 * (HISTORY + 10), 0);
  assert.ok(points[0].x > 0);
});

test("a picture is contained in its place without being stretched", () => {
  assert.deepEqual(contain({ width: 200, height: 100 }, { width: 100, height: 100 }),
    { left: 0, top: 25, width: 100, height: 50 });
});
