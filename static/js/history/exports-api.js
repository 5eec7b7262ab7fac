/* Exports through REST. */
import { request, send } from "../shared/api.js";

const ROOT = "/api/v1/exports/";

/** @typedef {import("../shared/api.js").Schemas["Export"]} Export */

/**
 * @param {string} format
 * @param {Object<string, string|string[]>} filters
 * @returns {Promise<Export>}
 */
export const startExporting = (format, filters) => send("POST", ROOT, { format, filters });

/** All of them, newest first: the limit is below one page. @returns {Promise<Export[]>} */
export const listExports = async () => (await request(`${ROOT}?page_size=200`)).results;

/** @param {string} id @returns {Promise<Export>} */
export const cancelExport = (id) => send("POST", `${ROOT}${id}/cancel/`);
/** @param {string} id @returns {Promise<Export>} */
export const exportAgain = (id) => send("POST", `${ROOT}${id}/retry/`);
/** @param {string} id */
export const deleteExport = (id) => request(`${ROOT}${id}/`, { method: "DELETE" });
