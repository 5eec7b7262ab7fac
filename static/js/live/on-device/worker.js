/* Reads faces beside the page, so that it stays smooth while the networks compute. */
import { openNetworks } from "./networks.js";
import { fromCanvas } from "./pixels.js";
import { Reader } from "./reader.js";

/**
 * @typedef {Object} Load
 * @property {{module: string, loader: string, binary: string}} runtime addresses of ONNX Runtime
 * @property {Record<string, string>} networks addresses by name
 * @property {number} threads to compute in
 *
 * @typedef {{image: ImageBitmap, width: number, height: number, minFace: number, now: number}} Frame
 */

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
/** @type {Reader|null} */
let reader = null;

/** @param {Load} what */
async function load({ runtime, networks, threads }) {
  const ort = await import(runtime.module);
  ort.env.wasm.wasmPaths = { mjs: runtime.loader, wasm: runtime.binary };
  ort.env.wasm.numThreads = threads;
  const files = await Promise.all(Object.entries(networks).map(async ([name, address]) => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return [name, new Uint8Array(await response.arrayBuffer())];
  }));
  reader = new Reader(await openNetworks(ort, Object.fromEntries(files)));
}

/** @param {Frame} frame */
async function read({ image, width, height, minFace, now }) {
  if (!reader || !context) throw new Error("The networks haven't been loaded.");
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.drawImage(image, 0, 0, width, height);
  image.close();
  return reader.read(fromCanvas(context.getImageData(0, 0, width, height)), minFace, now);
}

const TASKS = /** @type {Record<string, (content: any) => Promise<any>>} */ ({ load, read });

addEventListener("message", async ({ data: { id, task, content } }) => {
  try {
    postMessage({ id, answer: await TASKS[task](content) });
  } catch (error) {
    postMessage({ id, error: String(error?.message ?? error) });
  }
});
