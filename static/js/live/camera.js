/* Opens and selects cameras; failures have stable codes. */

/** Requested from the camera, which gives the closest it can. */
const WANTED = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** By the name of the browser's error. @type {Record<string, "denied"|"no-camera"|"in-use">} */
const CODES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no-camera",
  OverconstrainedError: "no-camera",
  NotReadableError: "in-use",
  AbortError: "in-use",
};

/** The camera isn't available. */
export class CameraError extends Error {
  /** @param {"insecure"|"denied"|"no-camera"|"in-use"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {string} [deviceId] of the preferred camera, if still present
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(deviceId = "") {
  // Browsers hide cameras from pages that aren't served over HTTPS or from this machine.
  if (!isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new CameraError("insecure");
  const video = deviceId ? { ...WANTED, deviceId: { ideal: deviceId } } : { ...WANTED, facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new CameraError(CODES[error.name] ?? "in-use");
  }
}

/** @param {MediaStream|null} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** @param {MediaStream} stream */
export const cameraId = (stream) => stream.getVideoTracks()[0]?.getSettings().deviceId ?? "";

/**
 * This machine's cameras. Names are available after one has been opened.
 * @returns {Promise<{id: string, name: string}[]>}
 */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind }) => kind === "videoinput")
    .map(({ deviceId, label }, index) => ({ id: deviceId, name: label || `Camera ${index + 1}` }));
}
