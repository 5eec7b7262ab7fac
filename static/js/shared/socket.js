/* A WebSocket that reconnects by itself and shows when it is disconnected. */
import { byId, findAll } from "./elements.js";
const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
export const NOT_SIGNED_IN = 4401;

/**
 * The address of a socket of this site.
 * @param {string} path
 */
export function socketAddress(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/**
 * Milliseconds until the next attempt: growing, and randomized so that browsers don't all
 * reconnect at once.
 * @param {number} failures so far, from 1
 */
export function retryDelay(failures) {
  const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
  return delay * (0.5 + Math.random());
}

/** @param {"lost"|"signed-out"|null} problem */
function showBanner(problem) {
  const banner = byId("connection");
  banner.hidden = problem === null;
  for (const text of findAll(banner, "[data-problem]")) {
    text.hidden = text.dataset.problem !== problem;
  }
}

/**
 * Keep a connection open. `onConnect` runs after every (re)connection to reload what was
 * missed.
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
    const opened = new WebSocket(socketAddress(path));
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
      // Don't show a single short interruption.
      if (failures > 1) showBanner("lost");
      timer = setTimeout(open, retryDelay(failures));
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
    if (!event.persisted) return; // restored from the back/forward cache
    leaving = false;
    open();
  });
  open();
}
