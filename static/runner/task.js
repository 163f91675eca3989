/**
 * The page of the task in the platform's frame. The experiment runs in a window of its own; this page watches how the
 * person stands, and hands the task in when they are done. If the server stays away, the task can be handed in all the
 * same: nobody stays unpaid because of that.
 */
import { Refusal, post, rest } from "./api.js";

const PAUSE_MS = 3_000;

/** So long the server may stay away until the task can be handed in without it. */
const AWAY_AFTER_MS = 120_000;

const WORDS = {
  under_way: "You are taking part in the other window. If you closed it, open the study again: you go on where you were.",
  done: "You are done: all your answers have arrived. Thank you! Please hand in the task now.",
  left: "You have left the study before its end. Please return the task; that does not count against you.",
  away: "Our server cannot be reached. If you have answered everything in the other window, leave that window open and hand in the task here; you will be paid.",
};

const page = /** @type {HTMLElement} */ (document.getElementById("task"));
const state = /** @type {HTMLElement} */ (document.getElementById("task-state"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("hand-in"));
const submit = /** @type {HTMLButtonElement} */ (document.getElementById("submit"));
const open = /** @type {HTMLAnchorElement} */ (document.getElementById("open"));
const { link = "", parameters: read = "{}" } = page.dataset;
/** The address's parameters, as the server read them. @type {Record<string, string>} */
const parameters = JSON.parse(read);

/** @typedef {{state: "not_begun" | keyof typeof WORDS, form: {action: string, fields: Record<string, string>} | null}} Standing */

/** @param {string} words */
function say(words) {
  if (state.textContent !== words) state.textContent = words;
}

/** @param {NonNullable<Standing["form"]>} handIn */
function fill({ action, fields }) {
  form.action = action;
  for (const [name, value] of Object.entries(fields)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value;
  }
}

/** @param {Standing} standing @returns {boolean} whether there is nothing more to watch */
function show(standing) {
  const ended = standing.state === "done" || standing.state === "left";
  say(standing.state === "not_begun" ? "" : WORDS[standing.state]);
  open.classList.toggle("primary", !ended);
  if (standing.form) fill(standing.form);
  submit.disabled = standing.form === null;
  if (standing.form) submit.focus();
  return ended;
}

/** @param {Refusal} refusal @returns {void} */
function refuse(refusal) {
  const title = document.createElement("h1");
  title.textContent = refusal.title;
  const words = document.createElement("p");
  words.textContent = refusal.detail;
  page.replaceChildren(title, words);
}

async function watch() {
  let answered = performance.now();
  for (;;) {
    try {
      if (show(await post("/api/v1/task", { link, parameters }))) return;
      answered = performance.now();
    } catch (error) {
      if (error instanceof Refusal) return refuse(error);
      if (performance.now() - answered > AWAY_AFTER_MS && submit.disabled) {
        // The form still holds what the page came with: the receipt that says that nobody could look.
        say(WORDS.away);
        submit.disabled = false;
      }
    }
    await rest(PAUSE_MS);
  }
}

void watch();
