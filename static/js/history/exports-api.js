/* Exports through REST. */
import { request, send } from "../shared/api.js";

const ROOT = "/api/v1/exports/";

/**
 * @typedef {Object} Export
 * @property {string} id
 * @property {"queued"|"running"|"succeeded"|"failed"|"canceled"} status
 * @property {"csv"|"jsonl"|"parquet"} format
 * @property {Object<string, string>} filters as in the address of the history
 * @property {number|null} selected how many entries were chosen by hand
 * @property {number} rows_done
 * @property {number|null} rows_total null until they were counted
 * @property {number} size bytes
 * @property {string|null} finished_at
 * @property {string|null} expires_at
 * @property {number} sequence grows with every change
 * @property {{code: string, message: string}|null} error
 * @property {string|null} file_url null until the file is there
 */

/**
 * @param {string} format
 * @param {Object<string, string|string[]>} filters
 * @returns {Promise<Export>}
 */
export const startExporting = (format, filters) => send("POST", ROOT, { format, filters });

/** All of them, the newest first: nobody keeps more than fit on one page. @returns {Promise<Export[]>} */
export const listExports = async () => (await request(`${ROOT}?page_size=200`)).results;

/** @returns {Promise<Export>} */
export const cancelExport = (id) => send("POST", `${ROOT}${id}/cancel/`);
/** @returns {Promise<Export>} */
export const exportAgain = (id) => send("POST", `${ROOT}${id}/retry/`);
export const deleteExport = (id) => request(`${ROOT}${id}/`, { method: "DELETE" });
