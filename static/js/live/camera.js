/* The camera: opening it, choosing among several, and what stands in the way as a stable code. */

/** What is asked of a camera; it gives what comes nearest. */
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

/** A camera that cannot be had. */
export class CameraError extends Error {
  /** @param {"insecure"|"denied"|"no-camera"|"in-use"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {string} [deviceId] of the camera that is preferred, if it is still there
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(deviceId = "") {
  // Browsers hide cameras altogether from pages that did not come over HTTPS or from this machine.
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
 * The cameras of this machine. Their names are known once one of them has been opened.
 * @returns {Promise<{id: string, name: string}[]>}
 */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind }) => kind === "videoinput")
    .map(({ deviceId, label }, index) => ({ id: deviceId, name: label || `Camera ${index + 1}` }));
}
