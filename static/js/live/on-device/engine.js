/* The page's side of reading faces on this device: loads the worker, and asks it frame by frame. */

/** @typedef {import("./reader.js").Reading} Reading */

/** Longest side in pixels of the pictures that are read, as on the server. */
const SIDE = 640;

/** Milliseconds after which a frame without an answer means that the worker is gone. */
const PATIENCE = 20_000;
/** The most faces of a frame that the server takes; the largest come first. */
const MOST_FACES = 32;

/** Frames can't be read on this device. */
export class DeviceError extends Error {
  /**
   * @param {"unsupported"|"not-loaded"|"stopped"|"signed-out"} code
   * @param {string} [detail] for whoever looks for the cause
   */
  constructor(code, detail = "") {
    super(detail || code);
    this.code = code;
  }
}

/** Whether this browser has what it takes. */
export const isSupported = () => (
  typeof WebAssembly === "object" && typeof Worker === "function" && typeof OffscreenCanvas === "function"
  && typeof createImageBitmap === "function"
);

/** Half the cores, if threads may share memory: browsers allow that on pages kept apart from other sites. */
const threads = () => (crossOriginIsolated ? Math.min(4, Math.ceil((navigator.hardwareConcurrency || 1) / 2)) : 1);

export class DeviceEngine {
  #asked = 0;
  #isReading = false;
  /** Questions without an answer. @type {Map<number, {resolve: (answer: any) => void, reject: (error: DeviceError) => void}>} */
  #open = new Map();

  /**
   * @param {Worker} worker
   * @param {number} modelVersion whose network reads the expressions
   */
  constructor(worker, modelVersion) {
    this.worker = worker;
    this.modelVersion = modelVersion;
    worker.onmessage = ({ data }) => this.#take(data);
    worker.onerror = (event) => this.#fail(event.message);
  }

  /**
   * Load the program and the networks.
   * @param {string} address of what there is to load
   * @returns {Promise<DeviceEngine>}
   * @throws {DeviceError}
   */
  static async load(address) {
    if (!isSupported()) throw new DeviceError("unsupported");
    const manifest = await fetchManifest(address);
    const worker = new Worker(manifest.worker, { type: "module" });
    const engine = new DeviceEngine(worker, manifest.model_version);
    try {
      const absolute = (/** @type {Record<string, string>} */ urls) => Object.fromEntries(
        Object.entries(urls).map(([name, url]) => [name, new URL(url, location.href).href]),
      );
      await engine.#ask("load", {
        runtime: absolute(manifest.runtime), networks: absolute(manifest.networks), threads: threads(),
      });
      return engine;
    } catch (error) {
      engine.close();
      throw new DeviceError("not-loaded", error.message);
    }
  }

  /** Whether a frame is being read. */
  get isBusy() {
    return this.#isReading;
  }

  /**
   * The faces of a picture, in pixels of a copy whose longest side is at most 640: what is sent of it.
   * @param {HTMLVideoElement|ImageBitmap} source
   * @param {number} minFace in pixels of that copy
   * @param {number} now milliseconds: when it was taken
   * @returns {Promise<Reading & {model_version: number}>}
   * @throws {DeviceError}
   */
  async read(source, minFace, now) {
    const [width, height] = sizeOf(source);
    const scale = Math.min(1, SIDE / Math.max(width, height));
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
    this.#isReading = true;
    const timer = setTimeout(() => this.#fail("No answer came."), PATIENCE);
    try {
      const image = await createImageBitmap(source);
      const reading = await this.#ask("read", { image, ...size, minFace, now }, [image]);
      return { ...reading, faces: reading.faces.slice(0, MOST_FACES), model_version: this.modelVersion };
    } finally {
      clearTimeout(timer);
      this.#isReading = false;
    }
  }

  close() {
    this.#fail("closed");
    this.worker.terminate();
  }

  /**
   * @param {string} task of the worker
   * @param {object} content
   * @param {Transferable[]} [moved] what the worker takes over
   */
  #ask(task, content, moved = []) {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.worker.postMessage({ id, task, content }, moved);
    });
  }

  /** @param {{id: number, answer?: any, error?: string}} reply */
  #take({ id, answer, error }) {
    const question = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) question?.resolve(answer);
    else question?.reject(new DeviceError("stopped", error));
  }

  /** @param {string} reason */
  #fail(reason) {
    for (const { reject } of this.#open.values()) reject(new DeviceError("stopped", reason));
    this.#open.clear();
  }
}

/** @param {HTMLVideoElement|ImageBitmap} source */
const sizeOf = (source) => (
  source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height]
);

/** @param {string} address */
async function fetchManifest(address) {
  let response;
  try {
    response = await fetch(address, { headers: { Accept: "application/json" } });
  } catch (error) {
    throw new DeviceError("not-loaded", error.message);
  }
  if (response.redirected) throw new DeviceError("signed-out");
  if (!response.ok) throw new DeviceError("not-loaded", `${address}: ${response.status}`);
  return response.json();
}
