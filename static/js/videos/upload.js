/* Sends a video in pieces that resume after a lost connection or a reload (tus 1.0). */
import { csrfToken, getAnalysis, request } from "../shared/api.js";

/** Bytes: below the limits of usual proxies. */
const PIECE = 7 * 1024 ** 2;
const PAUSES = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

const VIDEO_NAME = /\.(mp4|m4v|mov|3gp|3g2|webm|mkv|avi|mpe?g|vob|m?ts|m2ts)$/i;

/** Whether a file goes the way of videos. @param {File} file */
export const isVideo = (file) => file.type.startsWith("video/") || VIDEO_NAME.test(file.name);

/** A sentence for what the server or the network answered. @param {any} error */
function sentence(error) {
  try {
    const body = JSON.parse(error.originalResponse?.getBody() ?? "");
    return body.errors?.[0]?.message ?? body.detail;
  } catch {
    return "The upload was interrupted. Check your connection and retry.";
  }
}

/**
 * Send a video. Goes on with what an earlier try of the same file has sent.
 * @param {File} file
 * @param {Record<string, string>} options of the analysis
 * @param {(fraction: number) => void} onProgress
 * @returns {{done: Promise<import("../shared/api.js").Analysis>, pause: () => void, resume: () => void}}
 */
export function uploadVideo(file, options, onProgress) {
  let created = "";
  /** @type {any} */
  let upload;
  const done = new Promise((resolve, reject) => {
    upload = new window.tus.Upload(file, {
      endpoint: "/api/v1/uploads/",
      chunkSize: PIECE,
      retryDelays: PAUSES,
      metadata: { filename: file.name, filetype: file.type, ...options },
      removeFingerprintOnSuccess: true,
      onBeforeRequest: (/** @type {any} */ sent) => sent.setHeader("X-CSRFToken", csrfToken()),
      onAfterResponse(/** @type {any} */ _sent, /** @type {any} */ response) {
        created = response.getHeader("Mien-Analysis") ?? created;
      },
      onProgress: (/** @type {number} */ sent, /** @type {number} */ total) => onProgress(total ? sent / total : 0),
      onError(/** @type {any} */ error) {
        const status = error.originalResponse?.getStatus() ?? 0;
        reject(Object.assign(new Error(sentence(error)), { temporary: status === 0 || status >= 500, wait: 0 }));
      },
      async onSuccess() {
        try {
          // Where the last piece had arrived before, the upload's state names the analysis.
          created ||= (await request(new URL(upload.url).pathname)).analysis;
          resolve(await getAnalysis(created));
        } catch (error) {
          reject(error);
        }
      },
    });
    upload.findPreviousUploads().then((/** @type {any[]} */ earlier) => {
      if (earlier.length) upload.resumeFromPreviousUpload(earlier[0]);
      upload.start();
    });
  });
  return { done, pause: () => upload.abort(), resume: () => upload.start() };
}
