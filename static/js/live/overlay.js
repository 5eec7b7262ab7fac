/* The drawing over the video: for each face a frame, number, expression and seven bars. */
import { EMOTIONS, emotionName, percent } from "../shared/emotions.js";
import { placeLabels } from "../shared/labels.js";
import { meshPath } from "../shared/measures.js";
import { token } from "../shared/tokens.js";

/** @typedef {import("./tracks.js").Track} Track */
/** @typedef {{left: number, top: number, width: number, height: number}} Area in CSS pixels */

const LABEL = { height: 24, padding: 6 };
const BARS = { width: 60, step: 8, thick: 5, padding: 6 };
/** Faces smaller than this get no bars, which would hide them. */
const TALL_ENOUGH = 72;
/** Milliseconds between updates of data-faces. */
const NOTE_STEP = 100;

/**
 * The area of a picture in an element with `object-fit: contain`.
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} place
 * @returns {Area}
 */
export function contain(picture, place) {
  const scale = Math.min(place.width / picture.width, place.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { left: (place.width - width) / 2, top: (place.height - height) / 2, width, height };
}

/** @param {Area} a @param {Area} b */
const apart = (a, b) => a.left >= b.left + b.width || b.left >= a.left + a.width
  || a.top >= b.top + b.height || b.top >= a.top + a.height;

export class LiveOverlay {
  /**
   * The canvas covers the video element. What was drawn last is in
   * its `data-faces`: a JSON list of {track, left, top, width, height} in CSS pixels of the canvas.
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLVideoElement} video
   */
  constructor(canvas, video) {
    this.canvas = canvas;
    this.video = video;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.mirrored = false;
    this.size = { width: 0, height: 0 };
    this.notedAt = 0;
    this.isEmpty = true;
    // The colors on photos are the same in both themes.
    this.colors = Object.fromEntries(EMOTIONS.map((emotion) => [emotion, token(`--${emotion}`, canvas)]));
    this.chip = token("--chip", canvas);
    this.ink = token("--chip-ink", canvas);
    this.fonts = { name: `550 13px ${token("--sans")}`, number: `600 12px ${token("--mono")}` };
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.size = { width, height };
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    this.isEmpty = false; // a resized canvas is blank and must be redrawn
  }

  /**
   * @param {Iterable<Track>} tracks
   * @param {number|null} selected number of a track
   * @param {number} now
   */
  draw(tracks, selected, now) {
    const { context, size, video } = this;
    const drawn = [...tracks].filter(({ opacity }) => opacity > 0);
    if (drawn.length === 0 && this.isEmpty) return;
    this.isEmpty = drawn.length === 0;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    if (!video.videoWidth) return;
    const picture = contain({ width: video.videoWidth, height: video.videoHeight }, size);
    // The selected face places its label first.
    drawn.sort((a, b) => Number(b.number === selected) - Number(a.number === selected) || a.number - b.number);
    const boxes = drawn.map(({ shown }) => this.#place(shown, picture));
    const labels = this.#labels(drawn, boxes);
    drawn.forEach((track, index) => {
      context.globalAlpha = track.opacity;
      this.#frame(boxes[index], this.colors[track.emotion], track.number === selected);
      this.#mesh(track.mesh, boxes[index]);
      const others = [...boxes.filter((_, at) => at !== index), ...labels.map((label) => label.area)];
      this.#bars(track, boxes[index], others);
    });
    for (const { track, form, area, text } of labels) {
      context.globalAlpha = track.opacity;
      this.#label(track, form, area, text);
    }
    context.globalAlpha = 1;
    this.#note(drawn, boxes, now);
  }

  /** Where a box is on the canvas. @param {import("./tracks.js").Box} box @param {Area} picture @returns {Area} */
  #place({ x, y, width, height }, picture) {
    const across = this.mirrored ? 1 - x - width : x;
    return {
      left: picture.left + across * picture.width,
      top: picture.top + y * picture.height,
      width: width * picture.width,
      height: height * picture.height,
    };
  }

  /** @param {Area} box @param {string} color @param {boolean} isSelected */
  #frame({ left, top, width, height }, color, isSelected) {
    const { context } = this;
    const corner = isSelected ? Infinity : Math.min(26, 0.28 * Math.min(width, height));
    const path = new Path2D();
    if (corner === Infinity) {
      path.roundRect(left, top, width, height, 2);
    } else {
      for (const [x, y, dx, dy] of [
        [left, top, 1, 1], [left + width, top, -1, 1],
        [left, top + height, 1, -1], [left + width, top + height, -1, -1],
      ]) {
        path.moveTo(x + dx * corner, y);
        path.lineTo(x, y);
        path.lineTo(x, y + dy * corner);
      }
    }
    context.lineJoin = "round";
    context.strokeStyle = "rgb(0 0 0 / .5)";
    context.lineWidth = 5;
    context.stroke(path);
    context.strokeStyle = color;
    context.lineWidth = 3;
    context.stroke(path);
  }

  /** @param {number[][]|null} points parts of the box @param {Area} box */
  #mesh(points, { left, top, width, height }) {
    if (!points) return;
    const { context } = this;
    const path = new Path2D(meshPath(points.map(([x, y]) => [left + (this.mirrored ? 1 - x : x) * width, top + y * height])));
    context.strokeStyle = "rgb(0 0 0 / .45)";
    context.lineWidth = 2.5;
    context.stroke(path);
    context.strokeStyle = "rgb(255 255 255 / .85)";
    context.lineWidth = 1;
    context.stroke(path);
  }

  /** @param {Track[]} drawn @param {Area[]} boxes */
  #labels(drawn, boxes) {
    const { context } = this;
    const texts = drawn.map(({ emotion, probabilities, number }) => {
      context.font = this.fonts.name;
      // As wide for 1% as for 100%, so labels don't jitter.
      const name = `${emotionName(emotion)} `;
      const width = context.measureText(`${name}100%`).width;
      context.font = this.fonts.number;
      const badge = Math.max(20, context.measureText(String(number)).width + 10);
      return { reading: name + percent(probabilities[emotion]), width, badge };
    });
    const sizes = texts.map(({ width, badge }) => ({
      full: { width: badge + width + 2.5 * LABEL.padding, height: LABEL.height },
      short: { width: badge + LABEL.padding, height: LABEL.height },
    }));
    return placeLabels(boxes, sizes, this.size).flatMap((spot, index) => spot ? [{
      track: drawn[index],
      form: spot.form,
      area: { left: spot.left, top: spot.top, ...sizes[index][spot.form] },
      text: texts[index],
    }] : []);
  }

  /** @param {Track} track @param {"full"|"short"} form @param {Area} area @param {{reading: string, badge: number}} text */
  #label({ emotion, number }, form, { left, top, width, height }, { reading, badge }) {
    const { context } = this;
    this.#chip(left, top, width, height);
    context.fillStyle = this.colors[emotion];
    context.beginPath();
    context.roundRect(left + 3, top + 3, badge, height - 6, 2);
    context.fill();
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.font = this.fonts.number;
    context.fillStyle = emotion === "sad" ? "#fff" : "#101214";
    context.fillText(String(number), left + 3 + badge / 2, top + height / 2 + 0.5);
    if (form === "short") return;
    context.textAlign = "left";
    context.font = this.fonts.name;
    context.fillStyle = this.ink;
    context.fillText(reading, left + 3 + badge + LABEL.padding, top + height / 2 + 0.5);
  }

  /** The seven bars beside a face, on a free side. @param {Track} track @param {Area} box @param {Area[]} others */
  #bars({ probabilities }, box, others) {
    if (box.height < TALL_ENOUGH) return;
    const { context, size } = this;
    const height = EMOTIONS.length * BARS.step + 2 * BARS.padding - (BARS.step - BARS.thick);
    const top = Math.max(0, Math.min(box.top, size.height - height));
    const spots = [box.left + box.width + 8, box.left - BARS.width - 8]
      .map((left) => ({ left, top, width: BARS.width, height }));
    const spot = spots.find((area) => area.left >= 0 && area.left + area.width <= size.width
      && others.every((other) => apart(area, other)));
    if (!spot) return;
    this.#chip(spot.left, spot.top, spot.width, spot.height);
    const longest = BARS.width - 2 * BARS.padding;
    EMOTIONS.forEach((emotion, index) => {
      const y = spot.top + BARS.padding + index * BARS.step;
      context.fillStyle = "rgb(255 255 255 / .14)";
      context.fillRect(spot.left + BARS.padding, y, longest, BARS.thick);
      context.fillStyle = this.colors[emotion];
      context.fillRect(spot.left + BARS.padding, y, Math.max(1.5, longest * probabilities[emotion]), BARS.thick);
    });
  }

  /** @param {number} left @param {number} top @param {number} width @param {number} height */
  #chip(left, top, width, height) {
    this.context.fillStyle = this.chip;
    this.context.beginPath();
    this.context.roundRect(left, top, width, height, 4);
    this.context.fill();
  }

  /** @param {Track[]} drawn @param {Area[]} boxes @param {number} now */
  #note(drawn, boxes, now) {
    if (drawn.length > 0 && now - this.notedAt < NOTE_STEP) return;
    this.notedAt = now;
    const round = (/** @type {number} */ value) => Math.round(10 * value) / 10;
    this.canvas.dataset.faces = JSON.stringify(drawn.map(({ number }, index) => ({
      track: number,
      ...Object.fromEntries(Object.entries(boxes[index]).map(([side, value]) => [side, round(value)])),
    })));
  }
}
