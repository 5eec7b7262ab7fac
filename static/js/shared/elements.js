/* Typed access to elements that must exist. */

/**
 * @template {Element} T
 * @typedef {abstract new (...args: any[]) => T} Kind
 */

/**
 * @template {Element} T
 * @param {Element|null} element
 * @param {Kind<T>} kind
 * @param {string} name
 * @returns {T}
 */
function sure(element, kind, name) {
  if (element instanceof kind) return element;
  throw new Error(`This page has no ${kind.name} ${name}.`);
}

/**
 * The element with this id.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {Kind<T>} [kind]
 * @returns {T}
 */
export const byId = (id, kind = /** @type {any} */ (HTMLElement)) => sure(document.getElementById(id), kind, `#${id}`);

/**
 * The first element inside another one that matches a selector.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {Kind<T>} [kind]
 * @returns {T}
 */
export const find = (root, selector, kind = /** @type {any} */ (HTMLElement)) => sure(root.querySelector(selector), kind, selector);

/**
 * What a page's JSON holds. @param {string} id of its script element
 * @returns {any}
 */
export const readData = (id) => JSON.parse(byId(id, HTMLScriptElement).text);

/** A new copy of the first element of a template. @param {string} id */
export const fromTemplate = (id) =>
  /** @type {HTMLElement} */ (sure(byId(id, HTMLTemplateElement).content.firstElementChild, HTMLElement, `in #${id}`).cloneNode(true));

/**
 * All elements inside another one that match a selector.
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {Kind<T>} [kind]
 * @returns {T[]}
 */
export const findAll = (root, selector, kind = /** @type {any} */ (HTMLElement)) =>
  [...root.querySelectorAll(selector)].map((element) => sure(element, kind, selector));

/** The children of an element. @param {Element|null} parent */
export const childrenOf = (parent) => /** @type {HTMLElement[]} */ ([...(parent?.children ?? [])]);

/** The element around the target of an event that fits a selector. @param {Event} event @param {string} selector */
export const around = (event, selector) =>
  event.target instanceof Element ? /** @type {HTMLElement|null} */ (event.target.closest(selector)) : null;

/**
 * An element that may be missing. @param {ParentNode} root @param {string} selector
 * @returns {HTMLElement|null}
 */
export const seek = (root, selector) => root.querySelector(selector);
