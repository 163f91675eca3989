/** A question with two answers, in the browser's own modal dialog. */
import { button, make } from "./dom.js";

/**
 * @param {{title: string, text: string, yes: string, no: string}} words
 * @returns {Promise<boolean>} whether "yes" was pressed; the Escape key means no
 */
export function ask({ title, text, yes, no }) {
  return new Promise((resolve) => {
    const labels = { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" };
    const dialog = make("dialog", { class: "dialog", ...labels });
    const refuse = button(no, () => dialog.close("no"), "primary");
    const agree = button(yes, () => dialog.close("yes"));
    dialog.append(
      make("h2", { id: "dialog-title" }, title),
      make("p", { id: "dialog-text" }, text),
      make("div", { class: "actions" }, refuse, agree),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    refuse.focus();
  });
}
