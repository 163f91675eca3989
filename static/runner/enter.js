/** The page of consent: it enrols whoever agrees, and hands the participation over to the trial program's page. */
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
/** With what vouches for a signed arrival. @type {Record<string, string>} */
const parameters = proof ? { ...given, weber_proof: proof } : given;

const contact = page.querySelector(":scope > p.small");
/** The code of the last refusal that something might be done about. */
let refused = "";

/** What an answer says to which nothing can be done on this page. */
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

/** The screen must be able to show the study; the window may still be made larger later. */
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
    say("The text above has changed meanwhile. Please read the new one.");
    actions.replaceChildren(button("Read the new text", () => location.reload(), "primary"));
    return;
  }
  if (error.code === "full" || error.code === "already_took_part") {
    end(error.code);
  } else if (FINAL.includes(error.code) || refused === error.code) {
    // What was refused twice will be refused again.
    page.replaceChildren(heading(error.title), paragraph(error.detail), ...(contact ? [contact] : []));
  } else {
    refused = error.code;
    say(`${error.title} ${error.detail}`);
  }
}

/** @param {"declined" | "unsuitable"} reason */
async function count(reason) {
  // Nobody has to wait for this.
  await post("/api/v1/declines", { link, reason }, { keepalive: true }).catch(() => {});
}

function thank() {
  void count("declined");
  end("declined");
}

/** Shows the words of an end that the server put into the page. @param {"declined" | "unsuitable" | "full" | "already_took_part"} id */
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

/** This browser has begun the study at this address: on a shared computer that may have been somebody else. */
function offerReturn() {
  const token = /** @type {string | null} */ (storage.get(key));
  if (!token) return;
  say("You have already begun this study in this browser. Nothing is lost: you can go on where you were.");
  const back = button("Go on where I was", () => goOn(token), "primary");
  const isAnonymous = Object.keys(given).length === 0;
  const other = button("I am somebody else", () => {
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
// Shown again by the back button, the page has to look afresh.
addEventListener("pageshow", () => {
  setBusy(false);
  offerReturn();
});
if (screenIsTooSmall()) turnAway();
