/** Pages: words with buttons under them. */
import { button, make, serverFragment } from "./dom.js";

/** @import { View } from "./frame.js" */

/**
 * @typedef {object} Page
 * @property {string} name of the screen, in the record
 * @property {number} percent
 * @property {string} [html] the server's fragment
 * @property {Node[]} [content] what follows it
 */

/**
 * Shows a page and waits for one of its buttons; the first one is the main one.
 *
 * @template {string} Id
 * @param {View} view
 * @param {Page} page
 * @param {Record<Id, string>} actions labels
 * @returns {Promise<Id>} which was pressed
 */
export function choose(view, { name, percent, html = "", content = [] }, actions) {
  return new Promise((resolve) => {
    const ids = /** @type {Id[]} */ (Object.keys(actions));
    const buttons = ids.map((id, i) => button(actions[id], () => resolve(id), i === 0 ? "primary" : ""));
    const row = make("div", { class: "actions" }, ...buttons);
    const root = make("div", { class: "page" }, serverFragment(html), ...content, row);
    view.show(name, root, { percent, enter: buttons[0] });
  });
}

/** Shows a page that only says something, which may change. @param {View} view @param {Page} page */
export function tell(view, { name, percent, html = "", content = [] }) {
  const root = make("div", { class: "page" }, serverFragment(html), ...content);
  view.show(name, root, { percent });
  return root;
}

/** @param {string} title @param {string[]} paragraphs */
export function words(title, ...paragraphs) {
  return [make("h1", {}, title), ...paragraphs.map((text) => make("p", {}, text))];
}
