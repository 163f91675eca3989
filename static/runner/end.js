/** The last page: thanks, and the way back to where the person came from. */
import { button, make, serverFragment } from "./dom.js";

/** @import { View } from "./frame.js" */
/** @import { Opened, Return } from "./types.js" */

/** @param {View} view @param {Opened} opened of a participation that has ended */
export function showEnd(view, { stage, screens, return: back }) {
  const done = stage === "complete";
  const root = make("div", { class: "page" }, serverFragment(done ? screens.done : screens.left));
  const place = root.querySelector(".return");
  const way = wayBack(back);
  place?.replaceChildren(...way);
  const enter = way.find((node) => node instanceof HTMLFormElement)?.querySelector("button") ?? undefined;
  view.show(done ? "done" : "left", root, { percent: 100, enter });
}

/** @param {Return | null} back @returns {HTMLElement[]} */
function wayBack(back) {
  switch (back?.kind) {
    case "mturk_form":
      return [make("p", {}, "One step is left: hand in the task, so that you are paid."), form(back)];
    case "code":
      return [make("p", {}, "This is your completion code. Enter it where you started the task, so that you are paid."), code(back.code)];
    default:
      return [make("p", {}, "You can close this page now.")];
  }
}

/** @param {{action: string, fields: Record<string, string>}} back */
function form({ action, fields }) {
  const inputs = Object.entries(fields).map(([name, value]) => make("input", { type: "hidden", name, value }));
  const submit = make("button", { class: "button primary" }, "Hand in the task");
  return make("form", { method: "post", action }, ...inputs, submit);
}

/** @param {string} text */
function code(text) {
  const field = make("output", { class: "code", id: "completion-code" }, text);
  const said = make("span", { role: "status" });
  const copy = button("Copy", () => {
    // Without HTTPS there is no clipboard: then the code is marked, ready to be copied by hand.
    getSelection()?.selectAllChildren(field);
    navigator.clipboard?.writeText(text).then(() => (said.textContent = "Copied"), () => {});
  });
  return make("p", { class: "code-row" }, field, copy, said);
}
