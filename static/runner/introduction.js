/** The screens from loading to the last page of the instructions. */
import { button, isForScreen, make, serverFragment } from "./dom.js";
import { tell, choose, words } from "./pages.js";
import { imagesOf } from "./session.js";

/** @import { View } from "./frame.js" */
/** @import { Session } from "./session.js" */

const WELCOME_PERCENT = 1;
const INSTRUCTIONS_PERCENT = 5;

/** Waits until the window is large enough, then loads the images. @param {View} view @param {Session} session */
export async function prepare(view, session) {
  await largeEnoughWindow(view, session);
  await load(view, session);
}

/** @param {View} view @param {Session} session @returns {Promise<void>} settles when the window is large enough */
async function largeEnoughWindow(view, session) {
  const { min_width_px: width, min_height_px: height } = session.opened.study.window;
  const isEnough = () => innerWidth >= width && innerHeight >= height;
  if (isEnough()) return;
  const size = make("strong", { class: "numbers", role: "status" });
  const content = [
    ...words("Please make the window larger", `The images need a window of at least ${width} × ${height} pixels inside.`),
    make("p", {}, "At the moment it has ", size, " pixels."),
    make("p", {}, "Enlarge the window, or make the page smaller with Ctrl and − (on a Mac: ⌘ and −). The study goes on by itself."),
  ];
  tell(view, { name: "window", percent: 0, content });
  await new Promise((resolve) => {
    const check = () => {
      size.textContent = `${innerWidth} × ${innerHeight}`;
      if (!isEnough()) return;
      removeEventListener("resize", check);
      resolve(undefined);
    };
    addEventListener("resize", check);
    check();
  });
}

/**
 * Starts loading all images. A participant who still has to read the instructions waits for the instructions' pictures; all
 * other images are loaded after these, in the order in which they are needed.
 *
 * @param {View} view @param {Session} session
 */
async function load(view, session) {
  const { images, opened } = session;
  const answered = (/** @type {import("./types.js").Block} */ block) => !session.nextTrial(block);
  const ahead = opened.blocks.filter((block) => !answered(block)).flatMap((block) => block.trials.flatMap(imagesOf));
  if (opened.stage !== "consented") {
    images.later(ahead);
    return;
  }
  const bar = make("progress", { max: "1", value: "0", "aria-label": "Loading" });
  const count = make("p", { class: "small numbers" });
  tell(view, { name: "load", percent: 0, content: [...words("One moment", "The images are being loaded."), bar, count] });
  const since = performance.now();
  const wanted = opened.instruction_images;
  const loading = images.first(wanted, (loaded) => {
    bar.value = wanted.length === 0 ? 1 : loaded / new Set(wanted).size;
    count.textContent = `${Math.round(bar.value * 100)} %`;
  });
  images.later(ahead);
  await loading;
  // After a reload the experiment clock already runs. The wait is recorded, because it is not the participant's own time.
  if (session.clock.now() !== null) {
    session.remember("loadWait", (session.recall("loadWait") ?? 0) + performance.now() - since);
  }
}

/** @param {View} view @param {Session} session */
export async function welcome(view, session) {
  const page = { name: "welcome", percent: WELCOME_PERCENT, html: session.opened.screens.welcome };
  const chosen = choose(view, page, { next: "Next" });
  session.takeStep("welcome");
  await chosen;
}

/** Shows the instructions' pages; buttons and arrow keys turn them. @param {View} view @param {Session} session @returns {Promise<void>} */
export function readInstructions(view, session) {
  const pages = session.opened.screens.instructions;
  const last = pages.length;
  return new Promise((resolve) => {
    /** @param {number} number */
    const show = (number) => {
      if (number < 1) return;
      if (number > last) return resolve();
      session.remember("page", number);
      const back = button("Previous", () => show(number - 1));
      const next = button("Next", () => show(number + 1), "primary");
      back.disabled = number === 1;
      const counter = make("p", { class: "small numbers" }, `Page ${number} of ${last}`);
      const row = make("div", { class: "actions between" }, back, counter, next);
      const text = make("div", { class: "prose" }, serverFragment(pages[number - 1] ?? ""));
      const root = make("div", { class: "page instructions" }, text, row);
      const signal = view.show(`instructions:${number}`, root, { percent: INSTRUCTIONS_PERCENT, enter: next });
      turnWithArrows(back, next, signal);
    };
    show(Math.min(last, session.recall("page") ?? 1));
  });
}

/** @param {HTMLButtonElement} back @param {HTMLButtonElement} next @param {AbortSignal} signal */
function turnWithArrows(back, next, signal) {
  /** @param {KeyboardEvent} event */
  const turn = (event) => {
    if (!isForScreen(event)) return;
    if (event.key === "ArrowRight") next.click();
    if (event.key === "ArrowLeft") back.click();
  };
  document.addEventListener("keydown", turn, { signal });
}
