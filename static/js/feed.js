/* News about analyses. Events are hints and may be lost, so the state is read again after every
   (re)connection, and when something is awaited and nothing has been heard for a while. */
import { keepConnected } from "./socket.js";

const QUIET = 4_000;

/**
 * @param {Object} options
 * @param {() => boolean} options.waiting whether the page awaits a change
 * @param {() => Promise<void>} options.reload reads the state through REST
 * @param {(analysis: import("./api.js").Analysis) => void} options.onChanged
 * @param {(id: string) => void} options.onDeleted
 */
export function watchAnalyses({ waiting, reload, onChanged, onDeleted }) {
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
      quiet = Math.min(quiet * 1.5, 20_000);
      if (waiting()) read();
      else rearm();
    }, quiet);
  }

  keepConnected("/ws/analyses/", {
    onConnect: read,
    onMessage(event) {
      quiet = QUIET;
      rearm();
      if (event.type === "analysis.changed") onChanged(event.analysis);
      else if (event.type === "analysis.deleted") onDeleted(event.id);
    },
  });
}
