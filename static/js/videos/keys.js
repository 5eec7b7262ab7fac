/* The keys of the player, wherever nothing is being typed. */

const JUMP = 10; // seconds

/**
 * @param {{toggle: (() => void)|null, pause: () => void, jump: (seconds: number) => void,
 *   step: (frames: number) => void, mark: () => void, span: () => void}} actions
 */
export function enableKeys({ toggle, pause, jump, step, mark, span }) {
  /** @type {Record<string, () => void>} */
  const keys = {
    ...(toggle && { " ": toggle }),
    k: pause,
    j: () => jump(-JUMP),
    l: () => jump(JUMP),
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    m: mark,
    M: span,
  };
  addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target?.closest("input, textarea, select, dialog, summary, [contenteditable]")) return;
    // A button takes the space bar for itself.
    if (event.key === " " && target?.closest("button, a")) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
