/**
 * The task page in the platform's frame. The experiment runs in a window of its own. This page asks the server how far the
 * participant is, and lets them hand in the task when they are done. If the server does not answer for two minutes, the
 * task can be handed in without it, so that an outage costs no participant their pay.
 */
import { Refusal, post, rest } from "./api.js";

const PAUSE_MS = 3_000;

/** After so long without a reply the task can be handed in. */
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

/** @typedef {{state: "not_begun" | keyof typeof WORDS, form: {action: string, fields: Record<string, string>} | null}} TaskReply */

/** @param {string} words */
function say(words) {
  if (state.textContent !== words) state.textContent = words;
}

/** @param {NonNullable<TaskReply["form"]>} handIn */
function fill({ action, fields }) {
  form.action = action;
  for (const [name, value] of Object.entries(fields)) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value;
  }
}

/** @param {TaskReply} reply @returns {boolean} whether the participation has ended */
function show(reply) {
  const ended = reply.state === "done" || reply.state === "left";
  say(reply.state === "not_begun" ? "" : WORDS[reply.state]);
  open.classList.toggle("primary", !ended);
  if (reply.form) fill(reply.form);
  submit.disabled = reply.form === null;
  if (reply.form) submit.focus();
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
        // The form still has the fields that the page came with: a receipt that says the participation was not verified.
        say(WORDS.away);
        submit.disabled = false;
      }
    }
    await rest(PAUSE_MS);
  }
}

void watch();
