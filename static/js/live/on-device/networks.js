/* The engine's networks in ONNX Runtime: opened from their files, called with plain arrays. */

/** @typedef {import("./reader.js").Networks} Networks */

/** The files that are needed, by what they are for. */
export const NAMES = ["proposal", "refinement", "output", "expression", "covered"];

/**
 * @param {any} ort ONNX Runtime's module
 * @param {Record<string, Uint8Array>} files by NAMES
 * @returns {Promise<Networks>}
 */
export async function openNetworks(ort, files) {
  /** @type {Record<string, any>} */
  const sessions = {};
  for (const name of NAMES) {
    sessions[name] = await ort.InferenceSession.create(files[name], { executionProviders: ["wasm"] });
  }
  return {
    proposal: reading(ort, sessions.proposal),
    refinement: reading(ort, sessions.refinement),
    output: reading(ort, sessions.output),
    expression: judging(ort, sessions.expression, "probabilities"),
    covered: judging(ort, sessions.covered, "covered"),
  };
}

/**
 * @param {any} ort
 * @param {any} session of a network that reads pictures
 * @returns {import("./detector.js").Network}
 */
function reading(ort, session) {
  return async (data, shape) => {
    const outputs = await session.run({ images: new ort.Tensor("uint8", data, shape) });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data: values }]) => [name, values]));
  };
}

/**
 * @param {any} ort
 * @param {any} session of a network that reads aligned faces
 * @param {string} name of its output
 * @returns {import("./reader.js").FaceNetwork}
 */
function judging(ort, session, name) {
  return async (faces, shape) => {
    const outputs = await session.run({ faces: new ort.Tensor("float32", faces, shape) }, [name]);
    return outputs[name].data;
  };
}
