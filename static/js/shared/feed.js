/* Events. They are hints and may be lost, so the state is reloaded after every (re)connection, and
   when something is awaited and nothing has been heard for a while. */
import { keepConnected } from "./socket.js";

const QUIET = 4_000;
const LONGEST_QUIET = 20_000;

/**
 * @typedef {Object} Watch
 * @property {() => boolean} waiting whether the page expects a change
 * @property {() => Promise<void>} reload loads the state through REST
 * @property {(event: any) => void} onEvent
 */

/**
 * Follow the events of one socket.
 * @param {string} path
 * @param {Watch} options
 */
function watch(path, { waiting, reload, onEvent }) {
  let timer = 0;
  let quiet = QUIET;
  let reading = false;

  async function read() {
    if (reading) return;
    reading = true;
    try {
      await reload();
    } catch {
      // The next reconnection or the timer tries again.
    } finally {
      reading = false;
      rearm();
    }
  }

  function rearm() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      quiet = Math.min(quiet * 1.5, LONGEST_QUIET);
      if (waiting()) read();
      else rearm();
    }, quiet);
  }

  keepConnected(path, {
    onConnect: read,
    onMessage(event) {
      quiet = QUIET;
      rearm();
      onEvent(event);
    },
  });
}

/**
 * Follow the user's analyses.
 * @param {Object} options
 * @param {() => boolean} options.waiting as in Watch
 * @param {() => Promise<void>} options.reload as in Watch
 * @param {(analysis: import("./api.js").Analysis) => void} options.onChanged
 * @param {(id: string) => void} options.onDeleted
 */
export function watchAnalyses({ waiting, reload, onChanged, onDeleted }) {
  watch("/ws/analyses/", {
    waiting,
    reload,
    onEvent(event) {
      if (event.type === "analysis.changed") onChanged(event.analysis);
      else if (event.type === "analysis.deleted") onDeleted(event.id);
    },
  });
}

/**
 * Follow the user's exports.
 * @param {Object} options
 * @param {() => boolean} options.waiting as in Watch
 * @param {() => Promise<void>} options.reload as in Watch
 * @param {(one: import("../history/exports-api.js").Export) => void} options.onChanged
 * @param {(id: string) => void} options.onDeleted
 */
export function watchExports({ waiting, reload, onChanged, onDeleted }) {
  watch("/ws/analyses/", {
    waiting,
    reload,
    onEvent(event) {
      if (event.type === "export.changed") onChanged(event.export);
      else if (event.type === "export.deleted") onDeleted(event.id);
    },
  });
}

/** News about trainings and model versions, for administrators. @param {Watch} options */
export const watchTrainings = (options) => watch("/ws/training/", options);
