/* The REST interface of trainings and model versions, for administrators. */
import { request, uploadForm } from "../shared/api.js";

const ROOT = "/api/v1/";

/**
 * @typedef {Object} Epoch
 * @property {number} number from 1
 * @property {number} side pixels of the faces
 * @property {number} learning_rate
 * @property {number} seconds since the run began
 * @property {number} loss
 * @property {number} accuracy
 * @property {number} validation_loss
 * @property {number} validation_accuracy
 * @property {number} validation_macro_f1
 *
 * @typedef {Object} Progress
 * @property {number} epoch
 * @property {number|null} epochs null where the time decides
 * @property {number} batch
 * @property {number} batches
 * @property {number} share of the work, 0 to 1
 * @property {number} faces_per_second
 * @property {number|null} seconds_left
 *
 * @typedef {Object} Run
 * @property {string} id
 * @property {"queued"|"running"|"succeeded"|"failed"|"canceled"} status
 * @property {"waiting"|"starting"|"training"|"evaluating"|"done"} phase
 * @property {number} sequence grows with every change
 * @property {number|null} place in the queue, from 1
 * @property {{id: string, name: string}} dataset
 * @property {string} preset
 * @property {Object<string, any>} config
 * @property {string} note
 * @property {string} created_at
 * @property {number|null} estimated_seconds
 * @property {boolean} canceling
 * @property {Progress|null} progress
 * @property {number} epoch_count
 * @property {number|null} best_accuracy
 * @property {string} log its tail
 * @property {number|null} model_version
 * @property {{code: string, message: string}|null} error
 * @property {Epoch[]} [epochs] of the detail
 * @property {Evaluation[]} [evaluations] of the detail
 *
 * @typedef {Object} Evaluation
 * @property {string} id empty where a card claims the figures
 * @property {string} status
 * @property {number} sequence
 * @property {number} version
 * @property {{id: string, name: string}} dataset
 * @property {string} split
 * @property {Object<string, any>} figures
 * @property {{line: number, column: number, emotion: string, answer: string, probability: number}[]} mistakes
 * @property {string|null} picture_url
 * @property {{code: string, message: string}|null} error
 *
 * @typedef {Object} ModelImport
 * @property {string} id
 * @property {string} status
 * @property {"waiting"|"building"|"exporting"|"registering"|"done"} step
 * @property {number} sequence
 * @property {string} name of the file
 * @property {string} architecture
 * @property {number|null} model_version
 * @property {{code: string, message: string}|null} error
 *
 * @typedef {Object} Dataset
 * @property {string} id
 * @property {string} name
 * @property {string} status
 * @property {number} sequence
 * @property {string} file
 * @property {number} size bytes
 * @property {Object<string, any>} report
 * @property {{code: string, message: string}|null} error
 * @property {string|null} sheet_url
 */

const post = (url, data = {}) => request(url, {
  method: "POST",
  body: JSON.stringify(data),
  headers: { "Content-Type": "application/json" },
});
const remove = (url) => request(url, { method: "DELETE" });
const list = async (kind, query = "") => (await request(`${ROOT}${kind}/${query}`)).results;

/** @returns {Promise<Run[]>} the newest ones */
export const listRuns = () => list("training-runs");
/** @returns {Promise<Run>} with epochs and evaluations */
export const getRun = (id) => request(`${ROOT}training-runs/${id}/`);
export const readPresets = () => request(`${ROOT}training-runs/presets/`);
/** @returns {Promise<{seconds: number|null}>} */
export const estimateRun = (choices) => post(`${ROOT}training-runs/estimate/`, choices);
/** @returns {Promise<Run>} */
export const startRun = (choices) => post(`${ROOT}training-runs/`, choices);
/** @param {string} id @param {"cancel"|"resume"|"retry"} change @returns {Promise<Run>} */
export const changeRun = (id, change) => post(`${ROOT}training-runs/${id}/${change}/`);
export const deleteRun = (id) => remove(`${ROOT}training-runs/${id}/`);

/** @param {number} count @returns {Promise<Dataset[]>} so many of the newest */
export const listDatasets = (count) => list("datasets", `?page_size=${count}`);
/** @returns {Promise<Dataset>} */
export const getDataset = (id) => request(`${ROOT}datasets/${id}/`);
/** @param {{path: string, votes: string, name: string}} choices @returns {Promise<Dataset>} */
export const addServerFile = (choices) => post(`${ROOT}datasets/`, choices);
/** @returns {Promise<Dataset>} of the faces that this person corrected */
export const addCorrections = () => post(`${ROOT}datasets/corrections/`);
/** @param {FormData} form @param {(fraction: number) => void} onProgress @returns {Promise<Dataset>} */
export const uploadDataset = (form, onProgress) => uploadForm(`${ROOT}datasets/`, form, onProgress);
export const deleteDataset = (id) => remove(`${ROOT}datasets/${id}/`);

/** @returns {Promise<Evaluation>} the one there is, or a new one that waits */
export const askEvaluation = (choices) => post(`${ROOT}evaluations/`, choices);
/** @returns {Promise<Evaluation>} */
export const getEvaluation = (id) => request(`${ROOT}evaluations/${id}/`);

/** @returns {Promise<ModelImport[]>} the newest ones */
export const listImports = () => list("model-imports");
export const deleteImport = (id) => remove(`${ROOT}model-imports/${id}/`);

/** @param {number|string} number @param {boolean} confirmed also against the advice of the guard */
export const promote = (number, confirmed) => post(`/api/v1/models/${number}/promote/`, { confirmed });
