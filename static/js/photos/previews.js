/* Small previews of local files, one at a time and only for what is in sight: two hundred photos
   of a phone, decoded together, would need gigabytes. */

const SIDE = 320;
/** @type {(() => Promise<void>)[]} */
const jobs = [];
let busy = false;

async function work() {
  if (busy) return;
  busy = true;
  for (let job = jobs.shift(); job; job = jobs.shift()) await job();
  busy = false;
}

/**
 * Draw a preview of a file into an element, unless it has a picture by then. Formats that the
 * browser can't show are skipped.
 * @param {File} file
 * @param {HTMLElement} place
 */
export function preview(file, place) {
  jobs.push(async () => {
    if (!place.isConnected || place.querySelector("img")) return;
    const bitmap = await decode(file);
    if (!bitmap) return;
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    if (!place.querySelector("img")) place.replaceChildren(canvas);
  });
  work();
}

/**
 * @returns {Promise<ImageBitmap | null>} at most SIDE pixels wide
 * @param {ImageBitmapSource} file
 */
async function decode(file) {
  try {
    return await createImageBitmap(file, { resizeWidth: SIDE, resizeQuality: "low" });
  } catch {
    return null;
  }
}
