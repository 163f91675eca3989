/** The last page: thanks, and how the participant goes back to the platform. */
import { button, make, serverFragment } from "./dom.js";

/** @import { View } from "./frame.js" */
/** @import { Opened, Return } from "./types.js" */

const LATE =
  "You finished later than planned, and your place had already been given to another person. All your answers have arrived, " +
  "and you are paid like all other participants.";

const SCREENED_OUT = "Practice ended here. You are paid for your work.";

/** @param {View} view @param {Opened} opened of a participation that has ended */
export function showEnd(view, { stage, outcome, screens, return: back }) {
  const done = stage === "complete";
  const root = make("div", { class: "page" }, serverFragment(done ? screens.done : screens.left));
  const place = root.querySelector(".return");
  const screenedOut = outcome === "screened_out" ? [make("p", { class: "notice" }, SCREENED_OUT)] : [];
  const late = outcome === "timed_out" ? [make("p", { class: "notice" }, LATE)] : [];
  place?.replaceChildren(...screenedOut, ...late, ...wayBack(back));
  view.show(done ? "done" : "left", root, { percent: 100 });
}

/** @param {Return | null} back @returns {HTMLElement[]} */
function wayBack(back) {
  switch (back?.kind) {
    case "task_page":
      return [
        make("p", {}, "One step is left, so that you are paid: go back to the page of the task and press “Hand in the task” there."),
        make("p", { class: "small" }, "If that page is closed, open the task once more where you found it. Then you can close this window."),
      ];
    case "link":
      return [
        make("p", {}, "One step is left, so that you are paid: go back to where you came from."),
        make("p", {}, make("a", { class: "button primary", href: back.url, rel: "noreferrer" }, "Finish")),
      ];
    case "code":
      return [make("p", {}, "This is your completion code. Enter it where you started the task, so that you are paid."), code(back.code)];
    default:
      return [make("p", {}, "You can close this page now.")];
  }
}

/** @param {string} text */
function code(text) {
  const field = make("output", { class: "code", id: "completion-code" }, text);
  const said = make("span", { role: "status" });
  const copy = button("Copy", () => {
    // The code is also selected, so that it can be copied by hand: without HTTPS there is no clipboard.
    getSelection()?.selectAllChildren(field);
    navigator.clipboard?.writeText(text).then(() => (said.textContent = "Copied"), () => {});
  });
  return make("p", { class: "code-row" }, field, copy, said);
}
