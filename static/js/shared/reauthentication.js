/* Leads to the page that asks for password or second factor once more, and back to this one. */

const PAGE = "/accounts/reauthenticate/";

/** Whether the server wants to know first that it's you. @param {{code?: string}} error */
export const isNeeded = (error) => error.code === "reauthentication_needed";

/**
 * The address of that page, which leads back to `here`.
 * @param {string} here
 * @param {Record<string, string>} values that this page needs to go on
 */
export function addressOf(here, values) {
  const back = new URL(here);
  for (const [name, value] of Object.entries(values)) back.searchParams.set(name, value);
  return `${PAGE}?next=${encodeURIComponent(back.pathname + back.search)}`;
}

/** @param {Record<string, string>} values that this page needs to go on */
export const reauthenticate = (values) => location.assign(addressOf(location.href, values));

/**
 * The values with which this page was left, and its address without them.
 * @param {string} here
 * @param {string[]} names
 */
export function valuesOf(here, names) {
  const address = new URL(here);
  /** @type {Record<string, string>} */
  const values = {};
  for (const name of names) {
    const value = address.searchParams.get(name);
    if (value !== null) values[name] = value;
    address.searchParams.delete(name);
  }
  return { values, address: address.pathname + address.search };
}

/**
 * The values with which this page was left, or null. Reloading it doesn't bring them back.
 * @param {string[]} names
 */
export function comeBack(names) {
  const { values, address } = valuesOf(location.href, names);
  if (Object.keys(values).length === 0) return null;
  history.replaceState(null, "", address);
  return values;
}
