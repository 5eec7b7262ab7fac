/* News about trainings. As those about analyses they are hints: the state is read again after every
   (re)connection, and when something is awaited and nothing has been heard for a while. */
import { keepConnected } from "./socket.js";

const QUIET = 8_000;

/**
 * @param {Object} options
 * @param {() => boolean} options.waiting whether the page awaits a change
 * @param {() => Promise<void>} options.reload reads the state through REST
 * @param {(event: any) => void} options.onEvent
 */
export function watchTrainings({ waiting, reload, onEvent }) {
  let timer = 0;
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
    timer = setTimeout(() => (waiting() ? read() : rearm()), QUIET);
  }

  keepConnected("/ws/training/", {
    onConnect: read,
    onMessage(event) {
      rearm();
      onEvent(event);
    },
  });
}
