/** The page of consent. It enrols a visitor who agrees, and then opens the page of the trial program. */
import { Refusal, post, untilAnswered } from "./api.js";
import { button } from "./dom.js";
import { entryKey, storage } from "./storage.js";

const page = /** @type {HTMLElement} */ (document.getElementById("enter"));
const problem = /** @type {HTMLElement} */ (document.getElementById("enter-problem"));
const actions = /** @type {HTMLElement} */ (document.getElementById("enter-actions"));
const agree = /** @type {HTMLButtonElement} */ (document.getElementById("agree"));
const decline = /** @type {HTMLButtonElement} */ (document.getElementById("decline"));
const { link = "", parameters: read = "{}", consent = "", proof = "", minWidth = "0", minHeight = "0" } = page.dataset;
/** The address's parameters, as the server read them. @type {Record<string, string>} */
const given = JSON.parse(read);
const key = entryKey(link, given);
/** The same with the server's proof that it checked a signed address. @type {Record<string, string>} */
const parameters = proof ? { ...given, weber_proof: proof } : given;

const contact = page.querySelector(":scope > p.small");
/** The code of the last refusal after which the visitor may try again. */
let refused = "";

/** Codes of refusals after which trying again on this page cannot help. */
const FINAL = ["no_such_link", "not_open_yet", "paused", "closed", "preview", "api_token_needed", "not_signed"];

/** @param {string} words */
function say(words) {
  problem.hidden = words === "";
  problem.textContent = words;
}

/** @param {boolean} busy */
function setBusy(busy) {
  for (const element of actions.querySelectorAll("button")) element.disabled = busy;
}

/** @param {string} token */
function goOn(token) {
  location.assign(`/run#${token}`);
}

/** Only the screen's size counts here, because the window can still be enlarged later. */
function screenIsTooSmall() {
  return screen.width < Number(minWidth) || screen.height < Number(minHeight);
}

async function enrol() {
  setBusy(true);
  const device = {
    screen_width: Math.round(screen.width),
    screen_height: Math.round(screen.height),
    window_width: Math.round(innerWidth),
    window_height: Math.round(innerHeight),
    pixel_ratio: devicePixelRatio,
  };
  const body = { link, parameters, consent_sha256: consent, device };
  const waiting = "The server does not answer. This page keeps trying; please leave it open.";
  try {
    const { token } = await untilAnswered(
      () => post("/api/v1/enrolments", body),
      (trouble) => say(trouble ? waiting : ""),
    );
    storage.set(key, token);
    goOn(token);
  } catch (error) {
    refuse(error);
  }
}

/** @param {unknown} error */
function refuse(error) {
  setBusy(false);
  if (!(error instanceof Refusal)) throw error;
  if (error.code === "consent_changed") {
    say("The text above has changed in the meantime. Please read the new one.");
    actions.replaceChildren(button("Read the new text", () => location.reload(), "primary"));
    return;
  }
  if (error.code === "full" || error.code === "already_took_part") {
    end(error.code);
  } else if (FINAL.includes(error.code) || refused === error.code) {
    // The server has refused for the same reason twice: a third try would not help.
    page.replaceChildren(heading(error.title), paragraph(error.detail), ...(contact ? [contact] : []));
  } else {
    refused = error.code;
    say(`${error.title} ${error.detail}`);
  }
}

/** @param {"declined" | "unsuitable"} reason */
async function count(reason) {
  // The visitor does not wait for this request, and its failure changes nothing for them.
  await post("/api/v1/declines", { link, reason }, { keepalive: true }).catch(() => {});
}

function thank() {
  void count("declined");
  end("declined");
}

/** Replaces the page by one of the texts that the server put into it. @param {"declined" | "unsuitable" | "full" | "already_took_part"} id */
function end(id) {
  const words = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  page.replaceChildren(words.content.cloneNode(true));
  focusHeading();
}

/** @param {string} text */
function heading(text) {
  const element = document.createElement("h1");
  element.textContent = text;
  queueMicrotask(focusHeading);
  return element;
}

/** @param {string} text */
function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function focusHeading() {
  const title = page.querySelector("h1");
  if (!title) return;
  title.tabIndex = -1;
  title.focus();
}

/**
 * Offers to continue a participation that this browser has begun at this address. An address without parameters names no
 * person, so it also offers to start anew: on a shared computer another person may have begun.
 */
function offerReturn() {
  const token = /** @type {string | null} */ (storage.get(key));
  if (!token) return;
  say("You have already begun this study in this browser. Nothing is lost: you can go on where you were.");
  const back = button("Go on where I was", () => goOn(token), "primary");
  const isAnonymous = Object.keys(given).length === 0;
  const other = button("I am another person", () => {
    storage.remove(key);
    location.reload();
  });
  actions.replaceChildren(back, ...(isAnonymous ? [other] : []));
}

function turnAway() {
  void count("unsuitable");
  end("unsuitable");
}

agree.addEventListener("click", () => void enrol());
decline.addEventListener("click", thank);
// The back button may show the page again as it was left, so its state is renewed.
addEventListener("pageshow", () => {
  setBusy(false);
  offerReturn();
});
if (screenIsTooSmall()) turnAway();
