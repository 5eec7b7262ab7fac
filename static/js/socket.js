/* A WebSocket that comes back by itself, and says so while it is away. */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const NOT_SIGNED_IN = 4401;

/** @param {"lost"|"signed-out"|null} problem */
function showBanner(problem) {
  const banner = document.getElementById("connection");
  banner.hidden = problem === null;
  for (const text of banner.querySelectorAll("[data-problem]")) {
    text.hidden = text.dataset.problem !== problem;
  }
}

/**
 * Keep a connection open. `onConnect` runs after every (re)connection: what was missed while it
 * was away has to be read again.
 * @param {string} path
 * @param {{onConnect: () => void, onMessage: (data: any) => void}} handlers
 */
export function keepConnected(path, { onConnect, onMessage }) {
  /** @type {WebSocket|null} */
  let socket = null;
  let failures = 0;
  let timer = 0;
  let leaving = false;

  function open() {
    clearTimeout(timer);
    const url = new URL(path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const opened = new WebSocket(url);
    socket?.close();
    socket = opened;
    opened.onopen = () => {
      failures = 0;
      showBanner(null);
      onConnect();
    };
    opened.onmessage = (event) => onMessage(JSON.parse(event.data));
    opened.onclose = ({ code }) => {
      if (leaving || socket !== opened) return;
      if (code === NOT_SIGNED_IN) {
        showBanner("signed-out");
        return;
      }
      failures += 1;
      // A single short break is mended before anyone has read about it.
      if (failures > 1) showBanner("lost");
      const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
      timer = setTimeout(open, delay * (0.5 + Math.random())); // not all browsers at once
    };
  }

  addEventListener("online", () => {
    if (socket?.readyState !== WebSocket.OPEN) open();
  });
  addEventListener("pagehide", () => {
    leaving = true;
    clearTimeout(timer);
    socket?.close();
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // back from the browser's page cache
    leaving = false;
    open();
  });
  open();
}
