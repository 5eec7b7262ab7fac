/* Where faces are read, on the server or on this device: the choice, and what the device needs for it. */
import { byId, findAll } from "../shared/elements.js";
import { DeviceEngine } from "./on-device/engine.js";
import { canRecord } from "./recorder.js";
import { saveSettings } from "./settings.js";

/** Why a device can't read faces, by the code of the error. @type {Record<string, string>} */
const REASONS = {
  unsupported: "This browser lacks what it takes. Use a current Chromium, Firefox or Safari.",
  "not-loaded": "The program or one of its networks couldn't be loaded. Check your connection, then try again.",
  stopped: "The program stopped. This device may be short of memory: close other pages, then try again.",
};

export class Place {
  /** While faces are read on this device. @type {DeviceEngine|null} */
  engine = null;

  /** @param {import("./settings.js").Settings} settings */
  constructor(settings) {
    this.settings = settings;
    this.choices = findAll(document, "input[name=place]", HTMLInputElement);
    for (const choice of this.choices) {
      choice.addEventListener("change", () => this.choose(choice.value === "device" ? "device" : "server"));
    }
    this.#show();
  }

  get isDevice() {
    return this.settings.place === "device";
  }

  /** @param {"server"|"device"} place */
  choose(place) {
    this.settings.place = place;
    saveSettings(this.settings);
    this.#show();
  }

  #show() {
    byId("live").dataset.place = this.settings.place;
    for (const choice of this.choices) choice.checked = choice.value === this.settings.place;
    // Recording sends pictures, and the mesh is the server's.
    const record = byId("record", HTMLInputElement);
    record.disabled = this.isDevice || !canRecord();
    if (this.isDevice) record.checked = false;
    byId("mesh-setting", HTMLInputElement).disabled = this.isDevice;
  }

  /**
   * A session is read in one place from its start to its end.
   * @param {boolean} isRunning
   */
  hold(isRunning) {
    for (const choice of this.choices) choice.disabled = isRunning;
  }

  /**
   * Load what this device needs, if it is to read, with the version of the model that is active now.
   * @returns {Promise<string>} the state of the page if that failed, or nothing
   */
  async load() {
    this.release();
    if (!this.isDevice) return "";
    try {
      const engine = await DeviceEngine.load(byId("live").dataset.networks ?? "");
      this.release();
      this.engine = engine;
      return "";
    } catch (error) {
      return this.stateAfter(error);
    }
  }

  release() {
    this.engine?.close();
    this.engine = null;
  }

  /**
   * The state of the page after an error of this device's.
   * @param {import("./on-device/engine.js").DeviceError} error
   */
  stateAfter({ code, message }) {
    if (code === "signed-out") return "signed-out";
    console.warn(`Faces can't be read on this device: ${message}`);
    byId("device-reason").textContent = REASONS[code] ?? REASONS.stopped;
    return "device-failed";
  }
}
