/* Records the camera's picture and sends it while it runs: a closed tab loses a few seconds. */
import { ApiError, csrfToken } from "../shared/api.js";

const SLICE = 2000; // ms of video in each piece
const RETRY = 2000; // ms after a piece that didn't arrive
const BITS = 2_500_000; // a second
const HEADERS = { "Tus-Resumable": "1.0.0" };
/** What browsers record, the best first. */
const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

export const canRecord = () => typeof MediaRecorder === "function" && TYPES.some((type) => MediaRecorder.isTypeSupported(type));

/**
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {Blob} [body]
 */
async function call(method, url, headers, body) {
  const response = await fetch(url, {
    method, body, credentials: "same-origin", headers: { ...HEADERS, ...headers, "X-CSRFToken": csrfToken() },
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new ApiError(problem?.detail ?? "The recording couldn't be stored.", { status: response.status, code: problem?.code });
}

export class Recorder {
  /**
   * Begins at once.
   * @param {MediaStream} stream
   * @param {(error: Error) => void} onError the recording has stopped for this reason
   * @param {Promise<{id: string, start: number}|null>} session whose numbers are kept beside the
   *   video, and how many seconds of it had passed when the recording began
   */
  constructor(stream, onError, session) {
    this.onError = onError;
    this.session = session;
    /** @type {Blob[]} */
    this.pieces = [];
    this.offset = 0;
    this.ended = false;
    this.failed = false;
    this.url = "";
    this.recorder = new MediaRecorder(stream, {
      mimeType: TYPES.find((type) => MediaRecorder.isTypeSupported(type)), videoBitsPerSecond: BITS,
    });
    this.recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size) this.pieces.push(data);
      this.wake?.();
    });
    this.stopped = new Promise((resolve) => {
      this.recorder.addEventListener("stop", () => {
        this.ended = true;
        this.wake?.();
        resolve(null);
      });
    });
    this.sent = this.#send();
    this.recorder.start(SLICE);
  }

  /**
   * End the recording and send the rest.
   * @returns {Promise<string|null>} the id of its analysis
   */
  async stop() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.stopped;
    return this.sent;
  }

  /** Sends pieces in order until the end, however long the network is away. */
  async #send() {
    const kind = this.recorder.mimeType.includes("mp4") ? "mp4" : "webm";
    const name = `Recording ${new Date().toISOString().slice(0, 16).replace("T", " ")}.${kind}`;
    const session = await this.session;
    /** @type {Record<string, string>} */
    const beside = session ? { session: session.id, session_start: session.start.toFixed(2) } : {};
    const metadata = { filename: name, recorded: "true", audio: "false", ...beside };
    const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${btoa(value)}`).join(",");
    const begun = await this.#insist(() => call("POST", "/api/v1/uploads/", { "Upload-Defer-Length": "1", "Upload-Metadata": pairs }));
    this.url = new URL(begun?.headers.get("Location") ?? "", location.href).pathname;
    while (begun) {
      const piece = this.pieces[0];
      if (!piece && !this.ended) {
        await new Promise((resolve) => { this.wake = () => resolve(null); });
        continue;
      }
      const response = await this.#insist(() => this.#append(piece));
      if (!response) return null;
      this.offset = Number(response.headers.get("Upload-Offset"));
      this.pieces.shift();
      if (!piece) return response.headers.get("Mien-Analysis");
    }
    return null;
  }

  /** @param {Blob|undefined} piece none: the end */
  #append(piece) {
    const headers = { "Upload-Offset": String(this.offset), "Content-Type": "application/offset+octet-stream" };
    if (piece) return call("PATCH", this.url, headers, piece);
    return call("PATCH", this.url, { ...headers, "Upload-Length": String(this.offset) }, new Blob([]));
  }

  /**
   * Repeat a request until it is answered; null if the server refuses it.
   * @param {() => Promise<Response>} attempt
   * @returns {Promise<Response|null>}
   */
  async #insist(attempt) {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const refused = error instanceof ApiError && error.status < 500 && error.status !== 423 && error.status !== 429;
        if (refused) {
          this.failed = true;
          if (this.recorder.state !== "inactive") this.recorder.stop();
          this.onError(error);
          return null;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
  }
}
