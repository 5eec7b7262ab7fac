/* The REST interface: requests with the CSRF token, and failures as sentences. */

const ROOT = "/api/v1/analyses/";
/** Milliseconds without progress after which an upload is aborted. */
const STALLED = 90_000;

/**
 * Types from the API's description.
 * @typedef {ApiSchemas} Schemas
 * @typedef {Schemas["AnalysisDetail"]} Analysis `faces` of a photo, `tracks` of a session
 * @typedef {NonNullable<Analysis["faces"]>[number]} Face
 * @typedef {NonNullable<Analysis["tracks"]>[number]} Track
 * @typedef {Record<string, number>} Probabilities by expression
 */

/** A failed request; its message is for people. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{code?: string, status?: number, temporary?: boolean, wait?: number,
   *   errors?: {field?: string, code: string, message: string}[]}} [details]
   */
  constructor(message, { code = "error", status = 0, temporary = false, wait = 0, errors = [] } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.temporary = temporary;
    this.wait = wait;
    /** Errors of single fields. */
    this.errors = errors;
  }
}

export const csrfToken = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]*)/)?.[1] ?? "";

const unreachable = () =>
  new ApiError("The server can't be reached. Check your connection.", {
    code: "network",
    temporary: true,
  });

/**
 * The message for a failed response.
 * @param {number} status
 * @param {any} body a problem document (RFC 9457), or null
 * @param {string|null} retryAfter
 */
function failure(status, body, retryAfter) {
  const errors = body?.errors ?? [];
  const [first] = errors;
  let message = first?.message ?? body?.detail;
  if (body?.code === "not_signed_in" || (status === 403 && body?.code === "not_allowed")) {
    message = "You're signed out. Reload the page and sign in again.";
  } else if (body?.code === "request_in_progress") {
    message = "The server is still working on this file. Try again in a moment.";
  } else if (!message && status === 413) {
    message = "This file is too large for the server.";
  } else if (!message && status === 429) {
    message = "Too many requests. Wait a moment and try again.";
  } else if (!message) {
    message = "Something went wrong on the server. Try again.";
  }
  return new ApiError(message, {
    code: first?.code ?? body?.code ?? `http_${status}`,
    status,
    errors,
    temporary: [429, 502, 503, 504].includes(status) || body?.code === "request_in_progress",
    wait: (Number(retryAfter) || 0) * 1000,
  });
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the parsed answer; rejects with an ApiError
 */
export async function request(url, options = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...options.headers };
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options, headers });
  } catch {
    throw unreachable();
  }
  const body = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw failure(response.status, body, response.headers.get("Retry-After"));
  return body;
}

/**
 * A request with a JSON body.
 * @param {"POST"|"PATCH"|"PUT"} method
 * @param {string} url
 * @param {any} [body]
 * @returns {Promise<any>}
 */
export const send = (method, url, body = {}) =>
  request(url, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** @param {string} id @returns {Promise<Analysis>} */
export const getAnalysis = (id) => request(`${ROOT}${id}/`);

/** The meshes of a photo's faces. @param {string} id @returns {Promise<Schemas["Meshes"]["meshes"]>} */
export const getMeshes = async (id) => (await request(`${ROOT}${id}/mesh/`)).meshes;

/**
 * One page of the history, newest first.
 * @param {string} [query] such as "?page_size=100"
 * @returns {Promise<{next: string|null, results: Analysis[]}>} next: the query of the next page
 */
export async function listAnalyses(query = "") {
  const { next, results } = await request(ROOT + query);
  return { next: next && new URL(next, location.href).search, results };
}

/** Analyses per request: their ids must fit in a URL. */
const AT_ONCE = 100;

/**
 * The state of these analyses, without deleted ones.
 * @param {string[]} ids
 * @returns {Promise<Analysis[]>}
 */
export async function readAnalyses(ids) {
  const found = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE).join(",");
    found.push(...(await listAnalyses(`?id=${some}&page_size=${AT_ONCE}`)).results);
  }
  return found;
}

/** keepalive: the request outlives the page. */
export const deleteAnalysis = (/** @type {string | undefined} */ id, { keepalive = false } = {}) =>
  request(`${ROOT}${id}/`, { method: "DELETE", keepalive });

/**
 * @param {string} id
 * @param {{title?: string, notes?: string, tags?: string[]}} values
 * @returns {Promise<Analysis>}
 */
export const editAnalysis = (id, values) => send("PATCH", `${ROOT}${id}/`, values);

/** @param {string} id */
export const cancelAnalysis = (id) => send("POST", `${ROOT}${id}/cancel/`);
/** @param {string} id */
export const retryAnalysis = (id) => send("POST", `${ROOT}${id}/retry/`);

/**
 * Analyze the stored photo with another model version.
 * @param {string} id
 * @param {number} version
 * @returns {Promise<Analysis>} the new analysis
 */
export const rerunAnalysis = (id, version) =>
  send("POST", `${ROOT}${id}/rerun/`, { model_version: version });

/** Make the faces in the stored photo or video unrecognizable. @param {string} id @returns {Promise<Analysis>} */
export const blurAnalysis = (id) => send("POST", `${ROOT}${id}/blur/`);
/** Delete the stored photo or video. @param {string} id @returns {Promise<Analysis>} */
export const forgetPicture = (id) => send("POST", `${ROOT}${id}/forget/`);

/**
 * @param {number} id of the face
 * @param {string|null} correction null takes it back
 * @returns {Promise<Face>}
 */
export const correctFace = (id, correction) => send("PATCH", `/api/v1/faces/${id}/`, { correction });

/**
 * Send one photo.
 * @param {File} file
 * @param {{faces: string, detail: string}} options how to analyze it
 * @param {string} key the same each time this photo is sent: it is stored once
 * @param {(fraction: number) => void} onProgress
 * @returns {Promise<Analysis>}
 */
export async function uploadPhoto(file, options, key, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) form.append(name, value);
  form.append("photos", file, file.name);
  const { status, body, retryAfter } = await sendForm(ROOT, form, onProgress, { "Idempotency-Key": key });
  const [analysis] = body?.analyses ?? [];
  if (status < 300 && analysis) return analysis;
  throw failure(status, body, retryAfter);
}

/**
 * Send a form with files.
 * @param {string} url
 * @param {FormData} form
 * @param {(fraction: number) => void} onProgress
 * @returns {Promise<any>} the parsed answer
 */
export async function uploadForm(url, form, onProgress) {
  const { status, body, retryAfter } = await sendForm(url, form, onProgress);
  if (status < 300) return body;
  throw failure(status, body, retryAfter);
}

/**
 * XMLHttpRequest, because fetch doesn't report upload progress.
 * @param {string | URL} url
 * @param {Document | XMLHttpRequestBodyInit | null | undefined} form
 * @param {(fraction: number) => void} onProgress
 */
function sendForm(url, form, onProgress, headers = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("POST", url);
    xhr.setRequestHeader("Accept", "application/json");
    xhr.setRequestHeader("X-CSRFToken", csrfToken());
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    let watchdog = setTimeout(() => xhr.abort(), STALLED);
    xhr.upload.onprogress = (event) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => xhr.abort(), STALLED);
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    xhr.onloadend = () => clearTimeout(watchdog);
    xhr.onerror = xhr.onabort = () => reject(unreachable());
    xhr.onload = () => {
      let body = null;
      try {
        body = JSON.parse(xhr.responseText);
      } catch {
        // A proxy's own error page is not JSON; the status still tells.
      }
      resolve({ status: xhr.status, body, retryAfter: xhr.getResponseHeader("Retry-After") });
    };
    xhr.send(form);
  });
}
