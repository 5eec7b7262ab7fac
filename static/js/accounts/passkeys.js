/* What goes wrong with passkeys, as sentences; allauth's scripts talk to the browser. */
import { byId, findAll } from "../shared/elements.js";
import { showProblem } from "../shared/rows.js";

/** By the name of the browser's error. @type {Record<string, string>} */
const SENTENCES = {
  InvalidStateError: "This passkey is on your account already. Use another one.",
  NotAllowedError: "No passkey was used. Try again, or choose another way.",
  SecurityError: "Passkeys need Mien's host name over HTTPS. Open this page at that address, not at a number.",
};

/** @param {string} text */
const explain = (text) => showProblem(byId("passkey-problem"), new Error(text));

document.addEventListener("allauth.error", (event) => {
  event.preventDefault(); // it would log the error
  const { exception } = /** @type {CustomEvent} */ (event).detail;
  explain(SENTENCES[exception.name] ?? "The browser couldn't use a passkey. Try again, or choose another way.");
});

if (!("PublicKeyCredential" in window)) {
  explain("Passkeys need HTTPS and a browser that knows them. Use an authenticator app instead.");
  for (const button of findAll(document, "#add-passkey, #use-passkey", HTMLButtonElement)) button.disabled = true;
}
