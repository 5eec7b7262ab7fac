/* The faces beside the video: one button each, and the selected face's values. */
import { byId } from "../shared/elements.js";
import { Bars } from "../shared/bars.js";
import { emotionName, percent } from "../shared/emotions.js";
import { icon } from "../shared/icons.js";
import { showMeasures } from "../shared/measures.js";
import { doubt } from "../shared/quality.js";
import { HISTORY } from "./tracks.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./tracks.js").Track} Track */

/** Milliseconds between updates of text and chart. */
const STEP = 250;
/** How long a number of faces must be stable before screen readers hear of it. */
const SETTLED = 1_500;


export class LiveFaces {
  /** @param {import("./tracks.js").Tracks} tracks */
  constructor(tracks) {
    this.tracks = tracks;
    /** @type {number|null} */
    this.selected = null;
    this.isChosen = false; // by the user, not automatically
    /** @type {Map<number, HTMLButtonElement>} */
    this.buttons = new Map();
    this.bars = new Bars(byId("bars", HTMLUListElement));
    this.timeline = new Timeline(byId("timeline", HTMLCanvasElement), { span: HISTORY });
    /** The icon that is shown. @type {string} */
    this.glyph = "";
    this.writtenAt = 0;
    this.count = 0;
    this.told = 0;
    this.countedAt = 0;
  }

  /**
   * Show how things stand.
   * @param {number} now
   */
  show(now) {
    const { all, present } = this.tracks;
    this.#select(all, present);
    const track = all.get(this.selected ?? -1);
    this.bars.move(track?.leftAt === null ? track.probabilities : null);
    if (now - this.writtenAt < STEP) return;
    this.writtenAt = now;
    this.#writeButtons(all);
    this.#writeReading(track);
    this.timeline.show(track?.history ?? {}, { to: now / 1000, top: track?.emotion ?? "" });
    this.#tell(present.length, now);
  }

  /**
   * A selected face stays selected, even out of view, until its track is dropped.
   * @param {Map<number, Track>} all
   * @param {Track[]} present
   */
  #select(all, present) {
    const track = all.get(this.selected ?? -1);
    if (track && (this.isChosen || track.leftAt === null)) return;
    this.isChosen = false;
    this.selected = present[0]?.number ?? track?.number ?? null;
  }

  /** @param {Map<number, Track>} all */
  #writeButtons(all) {
    for (const [number, button] of this.buttons) {
      if (all.has(number)) continue;
      const hadFocus = button === document.activeElement;
      button.parentElement?.remove();
      this.buttons.delete(number);
      if (hadFocus) (this.buttons.get(this.selected ?? -1) ?? byId("main", HTMLElement)).focus({ preventScroll: true });
    }
    for (const track of all.values()) {
      const button = this.buttons.get(track.number) ?? this.#addButton(track.number);
      button.dataset.emotion = track.emotion;
      button.classList.toggle("left", track.leftAt !== null);
      button.setAttribute("aria-pressed", String(track.number === this.selected));
      const [, glyph, name] = button.children;
      const text = track.leftAt === null ? emotionName(track.emotion) : "Left";
      if (name.textContent === text) continue;
      name.textContent = text;
      glyph.replaceWith(icon(`face-${track.emotion}`));
    }
    byId("nobody").hidden = all.size > 0;
  }

  /** @param {number} number */
  #addButton(number) {
    const button = document.createElement("button");
    button.type = "button";
    const badge = Object.assign(document.createElement("b"), { textContent: String(number) });
    button.append(badge, icon("face-neutral"), document.createElement("span"));
    button.addEventListener("click", () => {
      this.selected = number;
      this.isChosen = true;
      this.writtenAt = -Infinity;
    });
    const item = document.createElement("li");
    item.append(button);
    byId("live-faces").append(item);
    this.buttons.set(number, button);
    return button;
  }

  /** @param {Track|undefined} track */
  #writeReading(track) {
    const here = track?.leftAt === null ? track : null;
    byId("reading").classList.toggle("left", !here);
    byId("reading-title").dataset.emotion = here?.emotion ?? "";
    byId("reading-which").textContent = track ? `Face ${track.number}` : "No face";
    byId("reading-emotion").textContent = here ? emotionName(here.emotion) : track ? "Out of view" : "–";
    byId("reading-probability").textContent = here ? percent(here.probabilities[here.emotion]) : "";
    const glyph = here ? `face-${here.emotion}` : "mark";
    if (this.glyph !== glyph) byId("reading-glyph").replaceChildren(icon(glyph));
    this.glyph = glyph;
    this.bars.write(here?.probabilities ?? null, here?.emotion ?? "");
    showMeasures(byId("measure-rows"), here?.measures);
    const doubts = here?.quality.length ? doubt(here.quality) : "";
    if (byId("quality").textContent !== doubts) byId("quality").textContent = doubts;
  }

  /**
   * Tell screen readers how many faces are in view, ignoring brief changes.
   * @param {number} count
   * @param {number} now
   */
  #tell(count, now) {
    if (count !== this.count) {
      this.count = count;
      this.countedAt = now;
    } else if (count !== this.told && now - this.countedAt > SETTLED) {
      this.told = count;
      byId("count-status").textContent = count === 0
        ? "No face in view."
        : `${count === 1 ? "One face" : `${count} faces`} in view.`;
    }
  }
}
