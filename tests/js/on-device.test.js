import assert from "node:assert/strict";
import test from "node:test";
import { SIDE, alignFace, stretchFaint } from "../../static/js/live/on-device/align.js";
import { move, square, suppress, suppressNested } from "../../static/js/live/on-device/boxes.js";
import { Follower } from "../../static/js/live/on-device/follower.js";
import { blank, fromCanvas, halve, reduce, resize, round, toGray, warp } from "../../static/js/live/on-device/pixels.js";
import { levels, octavesOf, strips } from "../../static/js/live/on-device/pyramid.js";

const box = (left, top, right, bottom, score = 0.9) => ({ left, top, right, bottom, score });
const picture = (width, height, ...values) => ({ data: Uint8ClampedArray.from(values), width, height, channels: 3 });
const grays = ({ data }) => [...data].filter((_, at) => at % 3 === 0);
const even = (width, height, value) => {
  const made = blank(width, height, 3);
  made.data.fill(value);
  return made;
};

test("a canvas loses its alpha channel", () => {
  const image = { data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255), width: 2, height: 1 };
  assert.deepEqual([...fromCanvas(image).data], [1, 2, 3, 4, 5, 6]);
});

test("gray is luma", () => {
  assert.deepEqual([...toGray(picture(3, 1, 255, 0, 0, 0, 255, 0, 0, 0, 255)).data], [76, 150, 29]);
});

test("halving averages and rounds up, an odd edge is left out", () => {
  const small = halve(picture(3, 2, ...[0, 1, 99, 0, 1, 99].flatMap((gray) => [gray, gray, gray])));
  assert.deepEqual([small.width, small.height, grays(small)], [1, 1, [1]]);
});

test("blocks are averaged", () => {
  const nine = [0, 0, 0, 0, 90, 0, 0, 0, 0].flatMap((gray) => [gray, gray, gray]);
  assert.deepEqual(grays(reduce(picture(3, 3, ...nine), 3)), [10]);
});

test("a picture is enlarged between its pixels", () => {
  assert.deepEqual(grays(resize(picture(2, 1, 0, 0, 0, 100, 100, 100), 4, 1)), [0, 25, 75, 100]);
});

test("outside a picture is gray, or its edge", () => {
  const target = new Uint8ClampedArray(3);
  const faraway = [1, 0, -5, 0, 1, -5];
  warp(even(2, 2, 200), faraway, 1, 127, target);
  assert.deepEqual([...target], [127, 127, 127]);
  warp(even(2, 2, 200), faraway, 1, null, target);
  assert.deepEqual([...target], [200, 200, 200]);
});

test("halves are rounded as in Python", () => {
  assert.deepEqual([0.5, 1.5, 2.5, -0.5, 1.4, 1.6].map(round).map(Math.abs), [0, 2, 2, 0, 1, 2]);
});

test("of boxes that overlap the best stays", () => {
  const [best, near, far] = [box(0, 0, 10, 10, 0.9), box(1, 1, 11, 11, 0.8), box(50, 50, 60, 60, 0.7)];
  assert.deepEqual(suppress([far, near, best], 0.5), [best, far]);
  assert.deepEqual(suppress([near, best], 0.9), [best, near]);
});

test("a box inside a better one goes, however small it is", () => {
  const [best, inside] = [box(0, 0, 100, 100, 0.9), box(10, 10, 20, 20, 0.8)];
  assert.deepEqual(suppress([best, inside], 0.7), [best, inside]);
  assert.deepEqual(suppressNested([best, inside], 0.7), [best]);
});

test("boxes are moved by parts of their size, and squared around their center", () => {
  assert.deepEqual(move(box(0, 0, 10, 20), [0.1, 0, 0, 0.5]), box(1, 0, 10, 30));
  assert.deepEqual(square(box(0, 0, 10, 20)), box(-5, 0, 15, 20));
});

test("octaves end where a cell no longer fits in", () => {
  assert.deepEqual(octavesOf(even(100, 50, 1)).map(({ width, height }) => [width, height]), [[100, 50], [50, 25], [25, 12]]);
});

test("levels get smaller and know their way back", () => {
  const found = [...levels(octavesOf(even(640, 480, 1)), 0.2)];
  assert.deepEqual([found[0].level.width, found[0].level.height], [128, 96]);
  for (const { level, x, y } of found) {
    assert.ok(Math.abs(level.width * x - 640) < 1e-9 && Math.abs(level.height * y - 480) < 1e-9);
    assert.ok(level.height >= 12);
  }
});

test("each row of cells is in one strip", () => {
  const level = even(400, 250, 1);
  const rows = [...strips(level)].flatMap(({ top, strip }) => (
    Array.from({ length: Math.floor((strip.height - 12) / 2) + 1 }, (_, at) => top + 2 * at)
  ));
  assert.deepEqual(rows, Array.from({ length: 120 }, (_, at) => 2 * at));
});

test("a face that fills its frame is taken as it is", () => {
  const face = blank(SIDE, SIDE, 3);
  face.data.forEach((_, at) => { face.data[at] = Math.floor(at / 3) % SIDE * 5; });
  const center = (SIDE - 1) / 2;
  const template = [[14.8, 17.6], [32.2, 17.6], [23.5, 28], [16.2, 37], [30.8, 37]]
    .map(([x, y]) => [center + 1.1 * (x - center), center + 1.1 * (y - center)]);
  assert.deepEqual([...alignFace(face, template)], [...toGray(face).data]);
});

test("a face with hardly any contrast is stretched, others and noise aren't", () => {
  const spread = (low, high) => Uint8ClampedArray.from({ length: 200 }, (_, at) => low + (high - low) * at / 199);
  const range = (face) => Math.max(...face) - Math.min(...face);
  assert.ok(range(stretchFaint(spread(100, 130))) > 250);
  assert.equal(range(stretchFaint(spread(100, 104))), 4);
  assert.equal(range(stretchFaint(spread(0, 200))), 200);
});

test("faces in view are followed between searches", () => {
  const follower = new Follower();
  assert.deepEqual(follower.hints(0), []);
  follower.see([box(0, 0, 100, 100)], 0);
  assert.equal(follower.hints(100).length, 1);
  assert.deepEqual(follower.hints(400), []); // someone may have come
});

test("a face that vanished is searched for in every frame, for a while", () => {
  const follower = new Follower();
  const [one, two] = [box(0, 0, 100, 100), box(200, 0, 300, 100)];
  follower.hints(0);
  follower.see([one, two], 0);
  follower.see([one], 100);
  assert.deepEqual(follower.hints(150), []);
  follower.see([one], 1150);
  assert.deepEqual(follower.hints(1190), []);
  follower.see([one], 1300);
  assert.equal(follower.hints(1310).length, 1);
});

test("with nobody in view a frame a second is searched for small faces", () => {
  const follower = new Follower();
  assert.deepEqual([0, 500, 1000, 1100].map((now) => follower.minFace(now, 60)), [60, 60, 24, 60]);
});

test("a small face in view stays in view", () => {
  const follower = new Follower();
  follower.see([box(0, 0, 50, 40)], 0);
  assert.equal(follower.minFace(10, 60), 35);
  follower.see([box(0, 0, 26, 26)], 0);
  assert.equal(follower.minFace(10, 60), 24);
});
