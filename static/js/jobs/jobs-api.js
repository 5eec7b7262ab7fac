/* The REST interface of jobs, for administrators. */
import { request, send } from "../shared/api.js";

const ROOT = "/api/v1/jobs/";

/**
 * @typedef {import("../shared/api.js").Schemas} Schemas
 * @typedef {Schemas["Job"]} Job
 * @typedef {Schemas["Queue"]} Queue
 * @typedef {Schemas["JobOverview"]} Overview
 * @typedef {Overview["failed"][number]} FailureCount
 * @typedef {Schemas["Workers"]["workers"][number]} Worker
 */

/** @returns {Promise<Overview>} */
export const readOverview = () => request(ROOT);
/** @returns {Promise<Schemas["Workers"]>} */
export const readWorkers = () => request(`${ROOT}workers/`);
/** @param {string} queue @param {"pause"|"resume"} change @returns {Promise<Queue>} */
export const changeQueue = (queue, change) => send("POST", `${ROOT}queues/${queue}/${change}/`);
/** @param {Job} job @param {"retry"|"cancel"} change @returns {Promise<Job>} */
export const changeJob = ({ kind, id }, change) => send("POST", `${ROOT}${kind}/${id}/${change}/`);
/** @returns {Promise<{retried: number}>} */
export const retryFailed = (/** @type {string} */ kind, /** @type {string} */ code) => send("POST", `${ROOT}retry/`, { kind, code });
