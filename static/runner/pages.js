/** Pages of text with buttons below it. */
import { button, make, serverFragment } from "./dom.js";

/** @import { View } from "./frame.js" */

/**
 * @typedef {object} Page
 * @property {string} name of the screen, in the record
 * @property {number} percent
 * @property {string} [html] the server's fragment
 * @property {Node[]} [content] elements after the fragment
 */

/**
 * Shows a page and waits for one of its buttons; the first one is the main one.
 *
 * @template {string} Id
 * @param {View} view
 * @param {Page} page
 * @param {Record<Id, string>} actions labels
 * @returns {Promise<Id>} the id of the pressed button
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

/** Shows a page without buttons. @param {View} view @param {Page} page @returns {HTMLElement} the page's element */
export function tell(view, { name, percent, html = "", content = [] }) {
  const root = make("div", { class: "page" }, serverFragment(html), ...content);
  view.show(name, root, { percent });
  return root;
}

/** A heading and paragraphs. @param {string} title @param {string[]} paragraphs */
export function words(title, ...paragraphs) {
  return [make("h1", {}, title), ...paragraphs.map((text) => make("p", {}, text))];
}
