/* The client of the live protocol (docs/reference/live-protocol.md): sends frames, or the faces that this
   device found in them, and receives replies; a connection that breaks is made anew. */
import { NOT_SIGNED_IN, retryDelay, socketAddress } from "../shared/socket.js";

/** The most frames without a reply: one in progress, one waiting. */
const OUTSTANDING = 2;
/** Milliseconds without a reply until the server counts as silent, and as gone. */
const SILENT = 2_500;
const GONE = 10_000;
/** How long to wait for the summary. */
const FAREWELL = 2_000;

const SERVER_BUSY = 4503;
/** Close codes after which only the user can reconnect. */
const FINAL = /** @type {Record<number, Status>} */ ({ 4400: "bad-frames", [NOT_SIGNED_IN]: "signed-out", 4403: "not-agreed", 4408: "idle", 4429: "crowded" });

/**
 * Types from the schemas of the live protocol.
 * @typedef {LiveProtocol.FrameFaces} FrameFaces
 * @typedef {LiveProtocol.FrameResult} FrameResult
 * @typedef {LiveProtocol.FrameSkipped} FrameSkipped
 * @typedef {LiveProtocol.FrameError} FrameError
 * @typedef {FrameResult["faces"][number]} LiveFace
 * @typedef {LiveProtocol.SessionCreated} SessionCreated
 * @typedef {LiveProtocol.SessionUpdated} SessionUpdated
 * @typedef {LiveProtocol.SessionClosed} SessionClosed
 *
 * @typedef {"connecting"|"live"|"silent"|"lost"|"busy"|"bad-frames"|"signed-out"|"not-agreed"|"idle"|"crowded"} Status
 *
 * @typedef {Object} Handlers
 * @property {(status: Status) => void} onStatus when it changes
 * @property {(session: SessionCreated) => void} onCreated `session.created`, after every (re)connection
 * @property {(update: SessionUpdated) => void} onUpdated
 * @property {(error: {code: string, message: string}) => void} onRefused `session.error`
 * @property {(result: FrameResult, capturedAt: number, roundTrip: number) => void} onResult
 * @property {() => void} onMissed a frame was skipped or timed out
 */

export class LiveSocket {
  /** @type {WebSocket|null} */
  #socket = null;
  #failures = 0;
  #wasOpen = false;
  #sequence = 0;
  #timer = 0;
  #watchdog = 0;
  /** Frames without a reply, oldest first. @type {Map<number, {capturedAt: number, sentAt: number}>} */
  #outstanding = new Map();
  /** @type {((summary: SessionClosed|null) => void)|null} */
  #farewell = null;

  /**
   * @param {Handlers} handlers
   * @param {{takesPictures: boolean}} options false: whatever happens, no picture is sent
   */
  constructor(handlers, { takesPictures }) {
    this.handlers = handlers;
    this.takesPictures = takesPictures;
    /** @type {Status} */
    this.status = "connecting";
    this.reconnectNow = this.reconnectNow.bind(this);
  }

  open() {
    addEventListener("online", this.reconnectNow);
    this.#watchdog = setInterval(() => this.#watch(), 500);
    this.#connect();
  }

  /** Whether another frame may be sent. */
  get isReady() {
    return this.#sequence > 0 && this.#outstanding.size < OUTSTANDING
      && this.#socket?.readyState === WebSocket.OPEN;
  }

  /**
   * @param {ArrayBuffer} picture JPEG or WebP
   * @param {number} capturedAt
   */
  send(picture, capturedAt) {
    if (!this.takesPictures) throw new Error("No picture leaves this device.");
    if (!this.isReady) return;
    const message = new Uint8Array(4 + picture.byteLength);
    new DataView(message.buffer).setUint32(0, this.#sequence);
    message.set(new Uint8Array(picture), 4);
    this.#outstanding.set(this.#sequence, { capturedAt, sentAt: performance.now() });
    this.#sequence += 1;
    this.#socket?.send(message);
  }

  /**
   * @param {Omit<FrameFaces, "type"|"sequence">} faces that this device found in a frame
   * @param {number} capturedAt
   */
  sendFaces(faces, capturedAt) {
    if (!this.isReady) return;
    this.#say({ type: "frame.faces", sequence: this.#sequence, ...faces });
    // The round trip of a frame begins when it is taken: reading it is part of it.
    this.#outstanding.set(this.#sequence, { capturedAt, sentAt: capturedAt });
    this.#sequence += 1;
  }

  /** @param {{min_face?: number, smoothing?: number, keep?: boolean, mesh?: boolean}} settings */
  update(settings) {
    if (this.#sequence > 0) this.#say({ type: "session.update", ...settings });
  }

  /**
   * End the session.
   * @returns {Promise<any>} `session.closed`, or null if it did not come
   */
  close() {
    const summary = new Promise((resolve) => {
      this.#farewell = resolve;
      setTimeout(() => resolve(null), FAREWELL);
    });
    if (!this.#say({ type: "session.close" })) this.#farewell?.(null);
    return summary.finally(() => this.abandon());
  }

  /** Close at once, without waiting for the summary. */
  abandon() {
    removeEventListener("online", this.reconnectNow);
    clearTimeout(this.#timer);
    clearInterval(this.#watchdog);
    if (!this.#farewell) this.#say({ type: "session.close" });
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  reconnectNow() {
    if (this.#socket?.readyState !== WebSocket.OPEN) this.#connect();
  }

  /** @param {object} message */
  #say(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** @param {Status} status */
  #setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.handlers.onStatus(status);
  }

  #connect() {
    clearTimeout(this.#timer);
    const opened = new WebSocket(socketAddress("/ws/live/"));
    opened.binaryType = "arraybuffer";
    const former = this.#socket;
    this.#socket = opened;
    this.#forget();
    former?.close();
    opened.onmessage = ({ data }) => this.#socket === opened && this.#receive(JSON.parse(data));
    opened.onclose = ({ code }) => this.#socket === opened && this.#onClose(code);
  }

  #forget() {
    this.#sequence = 0;
    this.#outstanding.clear();
  }

  /** @param {number} code of the close */
  #onClose(code) {
    this.#forget();
    if (this.#farewell) {
      this.#farewell(null);
      return;
    }
    if (FINAL[code]) {
      this.abandon();
      this.#setStatus(FINAL[code]);
      return;
    }
    this.#failures += 1;
    this.#setStatus(code === SERVER_BUSY ? "busy" : "lost");
    // A server that is busy from the start is at its limit and needs longer.
    const patience = code === SERVER_BUSY && !this.#wasOpen ? 3 : 0;
    this.#timer = setTimeout(() => this.#connect(), retryDelay(this.#failures + patience));
  }

  /** @param {any} message of any type of the protocol */
  #receive(message) {
    const { type } = message;
    if (type === "session.created") {
      this.#failures = 0;
      this.#wasOpen = true;
      this.#sequence = 1;
      this.#setStatus("live");
      this.handlers.onCreated(message);
    } else if (type === "session.updated") this.handlers.onUpdated(message);
    else if (type === "session.error") this.handlers.onRefused(message);
    else if (type === "session.closed") this.#farewell?.(message);
    else if (type?.startsWith("frame.")) this.#onReply(message);
  }

  /** @param {FrameResult | FrameSkipped | FrameError} reply */
  #onReply(reply) {
    const sequence = reply.sequence ?? 0; // none if the frame was unreadable
    const frame = this.#outstanding.get(sequence);
    this.#outstanding.delete(sequence);
    if (reply.type === "frame.result" && frame) {
      this.#setStatus("live");
      this.handlers.onResult(reply, frame.capturedAt, performance.now() - frame.sentAt);
      return;
    }
    this.handlers.onMissed();
    if (reply.type === "frame.error" && ["timeout", "unavailable", "analysis_failed"].includes(reply.code)) this.#setStatus("silent");
  }

  /** A dead network doesn't close the socket; only silence shows it. */
  #watch() {
    const [oldest] = this.#outstanding.values();
    if (!oldest) return;
    const waited = performance.now() - oldest.sentAt;
    if (waited > GONE) {
      this.#setStatus("lost");
      this.#connect();
    } else if (waited > SILENT) {
      this.#setStatus("silent");
    }
  }
}
