/* The upload queue: three at a time, with retries after network errors. */
import { uploadPhoto } from "../shared/api.js";
import { isVideo, uploadVideo } from "../videos/upload.js";

const PARALLEL = 3;
const PAUSES = [1_000, 3_000, 8_000];

/**
 * @typedef {{faces: string, detail: string, detector?: string, keep?: string, project?: string, fps?: string, audio?: string}} Options
 * @typedef {Object} Upload
 * @property {File} file
 * @property {Options} options how to analyze it
 * @property {string} key idempotency key for retries
 * @property {"waiting"|"sending"|"pausing"|"paused"|"accepted"|"refused"} state
 * @property {number} fraction of the file sent so far
 * @property {number} attempts
 * @property {Error|null} error
 * @property {import("../shared/api.js").Analysis|null} analysis
 * @property {boolean} canRetry
 * @property {boolean} isVideo
 * @property {(() => void)|null} pause stops sending, where that is possible
 * @property {(() => void)|null} resume goes on
 */

export class UploadQueue {
  /** @param {(upload: Upload) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.running = 0;
    /** @type {Upload[]} */
    this.waiting = [];
  }

  /**
   * @param {File} file
   * @param {Options} [options]
   * @returns {Upload}
   */
  add(file, options = { faces: "auto", detail: "normal" }) {
    // Not crypto.randomUUID, which plain HTTP lacks.
    const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    /** @type {Upload} */
    const upload = {
      file, options, key, state: "waiting", fraction: 0, attempts: 0, error: null, analysis: null, canRetry: false,
      isVideo: isVideo(file), pause: null, resume: null,
    };
    this.waiting.push(upload);
    queueMicrotask(() => this.#next());
    return upload;
  }

  /** @param {Upload} upload one that was refused */
  retry(upload) {
    upload.attempts = 0;
    this.#change(upload, { state: "waiting", error: null, fraction: 0 });
    this.waiting.push(upload);
    this.#next();
  }

  /** @param {Upload} upload */
  drop(upload) {
    this.waiting = this.waiting.filter((other) => other !== upload);
  }

  /** @param {Upload} upload @param {Partial<Upload>} values */
  #change(upload, values) {
    Object.assign(upload, values);
    this.onChange(upload);
  }

  /** Stop sending a video, or go on. @param {Upload} upload */
  toggle(upload) {
    if (upload.state === "sending" && upload.pause) {
      upload.pause();
      this.#change(upload, { state: "paused" });
    } else if (upload.state === "paused" && upload.resume) {
      upload.resume();
      this.#change(upload, { state: "sending" });
    }
  }

  #next() {
    while (this.running < PARALLEL) {
      const upload = this.waiting.shift();
      if (!upload) return;
      this.running += 1;
      this.#send(upload).finally(() => {
        this.running -= 1;
        this.#next();
      });
    }
  }

  /** @param {Upload} upload @param {(fraction: number) => void} onProgress */
  #deliver(upload, onProgress) {
    const { file, key, options: { faces, fps, audio, ...both } } = upload;
    if (!upload.isVideo) return uploadPhoto(file, { faces, ...both }, key, onProgress);
    const { done, pause, resume } = uploadVideo(file, { fps: fps ?? "5", audio: audio ?? "true", ...both }, onProgress);
    Object.assign(upload, { pause, resume });
    return done;
  }

  /** @param {Upload} upload */
  async #send(upload) {
    for (;;) {
      this.#change(upload, { state: "sending", fraction: 0 });
      try {
        const onProgress = (/** @type {number} */ fraction) => this.#change(upload, { fraction });
        const analysis = await this.#deliver(upload, onProgress);
        this.#change(upload, { state: "accepted", analysis });
        return;
      } catch (error) {
        const pause = PAUSES[upload.attempts];
        if (!error.temporary || pause === undefined) {
          this.#change(upload, { state: "refused", error, canRetry: Boolean(error.temporary) });
          return;
        }
        upload.attempts += 1;
        this.#change(upload, { state: "pausing" });
        await new Promise((resolve) => setTimeout(resolve, Math.max(pause, error.wait)));
      }
    }
  }
}
