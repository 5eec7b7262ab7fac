/* The REST interface of trainings and model versions, for administrators. */
import { request, send, uploadForm } from "../shared/api.js";

const ROOT = "/api/v1/";

/**
 * @typedef {import("../shared/api.js").Schemas} Schemas
 * @typedef {Schemas["Run"] & Partial<Schemas["RunDetail"]>} Run `epochs` and `evaluations` of the detail
 * @typedef {Schemas["RunDetail"]["epochs"][number]} Epoch
 * @typedef {Schemas["Evaluation"]} Evaluation
 * @typedef {Schemas["Import"]} ModelImport
 * @typedef {Schemas["Dataset"]} Dataset
 */

/** @param {string} url @param {any} [data] */
const post = (url, data) => send("POST", url, data);
/** @param {string} url */
const remove = (url) => request(url, { method: "DELETE" });
/** @param {string} kind @param {string} [query] @returns {Promise<any[]>} */
const list = async (kind, query = "") => (await request(`${ROOT}${kind}/${query}`)).results;

/** @returns {Promise<Run[]>} the newest ones */
export const listRuns = () => list("training-runs");
/** @param {string} id @returns {Promise<Run>} with epochs and evaluations */
export const getRun = (id) => request(`${ROOT}training-runs/${id}/`);
export const readPresets = () => request(`${ROOT}training-runs/presets/`);
/** @param {{ [k: string]: FormDataEntryValue; }} choices @returns {Promise<{seconds: number|null}>} */
export const estimateRun = (choices) => post(`${ROOT}training-runs/estimate/`, choices);
/** @param {{ [k: string]: FormDataEntryValue; }} choices @returns {Promise<Run>} */
export const startRun = (choices) => post(`${ROOT}training-runs/`, choices);
/** @param {string} id @param {"cancel"|"resume"|"retry"} change @returns {Promise<Run>} */
export const changeRun = (id, change) => post(`${ROOT}training-runs/${id}/${change}/`);
/** @param {string} id */
export const deleteRun = (id) => remove(`${ROOT}training-runs/${id}/`);

/** @param {number} count @returns {Promise<Dataset[]>} so many of the newest */
export const listDatasets = (count) => list("datasets", `?page_size=${count}`);
/** @param {string} id @returns {Promise<Dataset>} */
export const getDataset = (id) => request(`${ROOT}datasets/${id}/`);
/** @param {{path: string, votes: string, name: string}} choices @returns {Promise<Dataset>} */
export const addServerFile = (choices) => post(`${ROOT}datasets/`, choices);
/** @returns {Promise<Dataset>} of the faces that this person corrected */
export const addCorrections = () => post(`${ROOT}datasets/corrections/`);
/** @param {string} id @param {{leave_out_unknown?: boolean, class_order?: string}} classes @returns {Promise<Dataset>} */
export const checkDataset = (id, classes) => send("POST", `${ROOT}datasets/${id}/check/`, classes);
/** @param {FormData} form @param {(fraction: number) => void} onProgress @returns {Promise<Dataset>} */
export const uploadDataset = (form, onProgress) => uploadForm(`${ROOT}datasets/`, form, onProgress);
/** @param {string} id */
export const deleteDataset = (id) => remove(`${ROOT}datasets/${id}/`);

/** @param {{ version: string | undefined; dataset: any; split: any; }} choices @returns {Promise<Evaluation>} the one there is, or a new one that waits */
export const askEvaluation = (choices) => post(`${ROOT}evaluations/`, choices);
/** @param {string} id @returns {Promise<Evaluation>} */
export const getEvaluation = (id) => request(`${ROOT}evaluations/${id}/`);

/** @returns {Promise<ModelImport[]>} the newest ones */
export const listImports = () => list("model-imports");
/** @param {string} id */
export const deleteImport = (id) => remove(`${ROOT}model-imports/${id}/`);

/** @param {number|string} number @param {boolean} confirmed also against the advice of the guard */
export const promote = (number, confirmed) => post(`/api/v1/models/${number}/promote/`, { confirmed });
