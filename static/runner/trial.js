/** One trial: from its images to Continue. */
import { toTenths } from "./clock.js";
import { isForScreen } from "./dom.js";
import { fit } from "./fit.js";
import { imagesOf, keyOf, placeIn } from "./session.js";
import { tell, words } from "./pages.js";
import { TrialView } from "./trial-view.js";

/** @import { View } from "./frame.js" */
/** @import { Session } from "./session.js" */
/** @import { Block, Input, Measures, Trial } from "./types.js" */

/** A wait that nobody notices needs no words. */
const NOTICEABLE_MS = 250;

/** @typedef {{index: number, at: number, input: Input}} Press */

/**
 * Shows a trial and waits for the answer and for Continue; both are given to the session at once.
 *
 * @param {View} view
 * @param {Session} session
 * @param {Block} block
 * @param {Trial} trial
 * @param {{title: string, percent: number}} showing
 * @returns {Promise<TrialView>} as it stands on the screen
 */
export async function runTrial(view, session, block, trial, { title, percent }) {
  const place = placeIn(block, trial);
  const name = keyOf(place);
  const load_wait = await waitForImages(view, session, trial, percent);
  const { study, texts } = session.opened;
  const screen = new TrialView({ study, texts, images: session.images }, trial, title);
  await decode(screen.root);

  const signal = view.show(name, screen.root, { percent, focus: screen.heading });
  const scale = fit(screen.root, screen.screen, signal);
  const presentations = countPresentation(session, name);
  const hidden = watchHidden(signal);
  screen.reveal();
  const onset = await secondFrame();
  hidden.restart();
  const press = await firstPress(screen, study.trial.keys, onset, signal);

  const levels = study.trial.confidence_levels;
  screen.choose(press.index, press.index < levels ? "left" : "right");
  const hidden_ms = hidden.total(press.at);
  /** @type {Measures} */
  const answer = {
    response: press.index,
    rt: hidden_ms > 0 ? null : toTenths(press.at - onset),
    continue_rt: null,
    time_elapsed: session.clock.at(press.at) ?? 0,
    input: press.input,
    presentations,
    hidden_ms,
    load_wait,
    display_scale: Math.round(scale() * 10_000) / 10_000,
  };
  session.answer(place, answer);
  await after(study.trial.continue_after_ms);
  const continuedAt = await continued(screen);
  session.answer(place, { ...answer, continue_rt: toTenths(Math.max(0, continuedAt - press.at)) });
  return screen;
}

/** @param {View} view @param {Session} session @param {Trial} trial @param {number} percent @returns {Promise<number>} in ms */
async function waitForImages(view, session, trial, percent) {
  const wanted = imagesOf(trial);
  if (session.images.has(wanted)) return 0;
  const since = performance.now();
  const notice = setTimeout(() => {
    tell(view, { name: session.screen, percent, content: words("One moment", "The next images are still on their way.") });
  }, NOTICEABLE_MS);
  await session.images.first(wanted);
  clearTimeout(notice);
  return toTenths(performance.now() - since);
}

/** Browsers may drop the pixels of images that are not shown: have them all back before the screen appears. @param {HTMLElement} root */
async function decode(root) {
  await Promise.allSettled([...root.querySelectorAll("img")].map((image) => image.decode()));
}

/** @param {Session} session @param {string} name of the trial */
function countPresentation(session, name) {
  const counts = session.recall("presentations") ?? {};
  const count = (counts[name] ?? 0) + 1;
  session.remember("presentations", { ...counts, [name]: count });
  return count;
}

/** The stimulus onset: when the second frame begins, the first one is on the screen. @returns {Promise<number>} */
function secondFrame() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** How long the page is hidden from now on. @param {AbortSignal} signal */
function watchHidden(signal) {
  let total = 0;
  let since = document.hidden ? performance.now() : null;
  const change = () => {
    if (document.hidden) since ??= performance.now();
    else if (since !== null) {
      total += performance.now() - since;
      since = null;
    }
  };
  document.addEventListener("visibilitychange", change, { signal });
  return {
    restart: () => (total = 0),
    /** @param {number} until */
    total: (until) => toTenths(total + (since === null ? 0 : Math.max(0, until - since))),
  };
}

/**
 * The first press of a number, by whatever means. Presses from before the onset do not count.
 *
 * @param {TrialView} screen @param {string[]} keys @param {number} onset @param {AbortSignal} signal
 * @returns {Promise<Press>}
 */
function firstPress(screen, keys, onset, signal) {
  const answered = new AbortController();
  const until = { signal: AbortSignal.any([signal, answered.signal]) };
  return new Promise((resolve) => {
    /** @param {Press} press */
    const take = (press) => {
      if (press.at < onset) return;
      answered.abort();
      resolve(press);
    };
    let pointer = "mouse";
    screen.root.addEventListener("pointerdown", (event) => (pointer = event.pointerType), until);
    screen.buttons.forEach((number, index) => {
      number.addEventListener("click", (event) => take({ index, at: event.timeStamp, input: inputOf(event, pointer) }), until);
    });
    /** @param {KeyboardEvent} event */
    const key = (event) => {
      const index = keyIndex(event, keys);
      if (index >= 0 && isForScreen(event)) take({ index, at: event.timeStamp, input: "key" });
    };
    document.addEventListener("keydown", key, until);
  });
}

/** A click that no pointer made comes from the keyboard. @param {MouseEvent} event @param {string} pointer @returns {Input} */
function inputOf(event, pointer) {
  if (event.detail === 0) return "key";
  return pointer === "mouse" ? "mouse" : "touch";
}

/** Which button a key stands for; with a keyboard of another script the key's place counts. @param {KeyboardEvent} event @param {string[]} keys */
function keyIndex({ key, code }, keys) {
  const index = keys.indexOf(key.toLowerCase());
  return index < 0 && /[^\x00-\x7f]/.test(key) ? keys.indexOf(code.replace(/^Key/, "").toLowerCase()) : index;
}

/** @param {number} ms @returns {Promise<void>} */
function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @param {TrialView} screen @returns {Promise<number>} when Continue was pressed, in the page's time */
function continued(screen) {
  return new Promise((resolve) => {
    const { continueButton } = screen;
    continueButton.addEventListener("click", (event) => resolve(event.timeStamp), { once: true });
    screen.offerContinue();
    if (!document.querySelector("dialog[open]")) continueButton.focus({ preventScroll: true });
  });
}
