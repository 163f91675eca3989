/** One trial, from the loading of its images to the press on Continue. */
import { toTenths } from "./clock.js";
import { fit } from "./fit.js";
import { Presses } from "./presses.js";
import { imagesOf, keyOf, placeIn } from "./session.js";
import { tell, words } from "./pages.js";
import { TrialView } from "./trial-view.js";

/** @import { View } from "./frame.js" */
/** @import { Session } from "./session.js" */
/** @import { Block, Measures, Trial } from "./types.js" */

/** A wait for images is announced only after this time, because shorter ones are hardly noticed. */
const NOTICEABLE_MS = 250;

/**
 * Shows a trial, waits for the answer and then for Continue, and gives each to the session at once.
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
  const { study, texts } = session.opened;
  const presses = new Presses(study.trial.keys, view.over, (early, at) => {
    session.note("early_press", { screen: name, ...early }, session.clock.at(at));
  });
  const load_wait = await waitForImages(view, session, trial, percent);
  const screen = new TrialView({ study, texts, images: session.images }, trial, title);
  await decode(screen.root);

  const signal = view.show(name, screen.root, { percent, focus: screen.heading });
  const scale = fit(screen.root, screen.screen, signal);
  const presentations = countPresentation(session, name);
  const hidden = watchHidden(signal);
  presses.listenTo(screen.buttons);
  screen.reveal();
  const onset = await secondFrame();
  hidden.restart();
  const frame_ms = session.frames.median;
  session.frames.stop();
  const press = await presses.firstSince(onset);
  session.frames.start();

  const levels = study.trial.confidence_levels;
  screen.choose(press.index, press.index < levels ? "left" : "right");
  const hidden_ms = hidden.total(press.at);
  /** @param {number | null} at in the page's time */
  const sinceOnset = (at) => (at === null || hidden_ms > 0 ? null : toTenths(at - onset));
  /** @type {Measures} */
  const answer = {
    response: press.index,
    rt: sinceOnset(press.at),
    continue_rt: null,
    time_elapsed: session.clock.at(press.at) ?? 0,
    input: press.input,
    presentations,
    hidden_ms,
    load_wait,
    display_scale: rounded(scale()),
    device_scale: rounded(scale() * screen.shrink * devicePixelRatio),
    frame_ms,
    pointerdown_rt: sinceOnset(press.downAt),
    continue_hidden_ms: null,
  };
  session.answer(place, answer);
  await after(study.trial.continue_after_ms);
  const continuedAt = await continued(screen);
  const continue_rt = toTenths(Math.max(0, continuedAt - press.at));
  const continue_hidden_ms = toTenths(hidden.total(continuedAt) - hidden_ms);
  session.answer(place, { ...answer, continue_rt, continue_hidden_ms });
  return screen;
}

/** Rounds a scale to 4 decimals. @param {number} scale */
function rounded(scale) {
  return Math.round(scale * 10_000) / 10_000;
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

/** Decodes all images of a screen before it appears, because browsers may drop the pixels of images that are not shown. @param {HTMLElement} root */
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

/** The stimulus onset: the begin of the second animation frame, when the first one is on the screen. @returns {Promise<number>} in the page's time */
function secondFrame() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Measures how long the page is hidden from now on, in ms. @param {AbortSignal} signal */
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
