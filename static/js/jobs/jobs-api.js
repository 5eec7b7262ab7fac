/* The REST interface of jobs, for administrators. */
import { request, send } from "../shared/api.js";

const ROOT = "/api/v1/jobs/";

/**
 * @typedef {Object} Job
 * @property {string} kind
 * @property {string} id
 * @property {string} queue
 * @property {string|null} name null for photos: their titles are their owners' alone
 * @property {string|null} person
 * @property {"queued"|"running"|"succeeded"|"failed"|"canceled"} status
 * @property {number} attempts
 * @property {string} worker host:process
 * @property {boolean} silent whether its worker has not been heard of for too long
 * @property {string} waiting_since
 * @property {string|null} started_at
 * @property {string|null} finished_at
 * @property {{code: string, message: string}|null} error
 * @property {string} traceback
 * @property {boolean} retryable
 * @property {boolean} cancelable
 * @property {string|null} url
 *
 * @typedef {Object} Queue
 * @property {string} name
 * @property {boolean} pausable
 * @property {boolean} paused
 * @property {string|null} changed_by
 * @property {string|null} changed_at
 * @property {number|null} messages null where Redis cannot be reached
 * @property {number} queued
 * @property {number} running
 * @property {string|null} oldest_queued_at
 * @property {string|null} oldest_running_at
 *
 * @typedef {Object} FailureCount
 * @property {string} kind
 * @property {string} code
 * @property {number} count
 * @property {number} retryable
 *
 * @typedef {Object} Overview
 * @property {string} now
 * @property {boolean} reachable
 * @property {Queue[]} queues
 * @property {Job[]} running
 * @property {Job[]} waiting
 * @property {FailureCount[]} failed
 * @property {Job[]} failures
 * @property {Job[]} canceled
 *
 * @typedef {Object} Worker
 * @property {string|null} name null for one that does not answer
 * @property {string} host
 * @property {number|null} pid
 * @property {string[]} queues
 * @property {boolean} answers
 * @property {{task: string|null, pid: number|null, since: string|null, job: Job|null}[]} work
 */

/** @returns {Promise<Overview>} */
export const readOverview = () => request(ROOT);
/** @returns {Promise<{reachable: boolean, workers: Worker[], consumers: Object<string, number>}>} */
export const readWorkers = () => request(`${ROOT}workers/`);
/** @param {string} queue @param {"pause"|"resume"} change @returns {Promise<Queue>} */
export const changeQueue = (queue, change) => send("POST", `${ROOT}queues/${queue}/${change}/`);
/** @param {Job} job @param {"retry"|"cancel"} change @returns {Promise<Job>} */
export const changeJob = ({ kind, id }, change) => send("POST", `${ROOT}${kind}/${id}/${change}/`);
/** @returns {Promise<{retried: number}>} */
export const retryFailed = (kind, code) => send("POST", `${ROOT}retry/`, { kind, code });
