/* Reads faces with the scripts that browsers run, for tests that compare them with the engine's:
   node tests/js/read-faces.mjs requests.json, a list of {frames, width, height, min_face}, frames
   being files of RGB. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-web/wasm";
import { openNetworks } from "../../static/js/live/on-device/networks.js";
import { Reader } from "../../static/js/live/on-device/reader.js";

const WEIGHTS = fileURLToPath(new URL("../../recognition/engine/weights/", import.meta.url));

ort.env.wasm.numThreads = 1;
const file = (/** @type {string} */ name) => new Uint8Array(readFileSync(`${WEIGHTS}${name}.onnx`));
const networks = await openNetworks(ort, {
  proposal: file("pnet"), refinement: file("rnet"), output: file("onet"),
  expression: file("expression.int8"), covered: file("covered"),
});

const answers = [];
for (const { frames, width, height, min_face } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const reader = new Reader(networks);
  const readings = [];
  for (const [at, path] of frames.entries()) {
    const picture = { data: new Uint8ClampedArray(readFileSync(path)), width, height, channels: 3 };
    readings.push(await reader.read(picture, min_face, 100 * at)); // ten a second
  }
  answers.push(readings);
}
console.log(JSON.stringify(answers));
