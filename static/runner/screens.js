/** The order of the screens of a participation. It starts at the screen that follows from the participation's stage. */
import { Refusal } from "./api.js";
import { make } from "./dom.js";
import { enterFullscreen } from "./fullscreen.js";
import { prepare, readInstructions, welcome } from "./introduction.js";
import { choose, tell, words } from "./pages.js";
import { practise } from "./practice.js";
import { OutOfStep, hasEnded } from "./session.js";
import { runTrial } from "./trial.js";

/** @import { View } from "./frame.js" */
/** @import { Session } from "./session.js" */
/** @import { Block } from "./types.js" */

/** The progress bar at the first main trial and after the last one, in percent. */
const MAIN_FROM = 20;
const MAIN_TO = 95;

/** Shows all screens up to the end. When it settles, the participation has ended. @param {View} view @param {Session} session */
export async function takePart(view, session) {
  const { opened } = session;
  const isNew = opened.stage === "consented";
  session.frames.start();
  await prepare(view, session);
  if (isNew) await introduce(view, session);
  else await comeBack(view, session);
  if (opened.stage === "instructed" && opened.study.practice) await practise(view, session);
  if (hasEnded(opened)) return;
  await runMain(view, session);
  await submit(view, session);
}

/** @param {View} view @param {Session} session */
async function introduce(view, session) {
  if (session.clock.now() === null) await welcome(view, session);
  await readInstructions(view, session);
  await fillScreen(view, session, "fullscreen", session.opened.screens.fullscreen, "Fill the screen");
  session.takeStep("instructed");
}

/** Asks for fullscreen again after a reload, which ends it: browsers grant it on a press only. @param {View} view @param {Session} session */
async function comeBack(view, session) {
  await fillScreen(view, session, "welcome_back", session.opened.screens.welcome_back, "Go on");
}

/** @param {View} view @param {Session} session @param {string} name @param {string} html @param {string} label */
async function fillScreen(view, session, name, html, label) {
  await choose(view, { name, percent: 10, html }, { go: label });
  await enterFullscreen((kind, detail) => session.note(kind, detail));
}

/** @param {View} view @param {Session} session */
async function runMain(view, session) {
  const { opened } = session;
  const block = session.block("main", 1);
  if (!block) throw new OutOfStep("no main block");
  if (opened.stage !== "running") {
    if (opened.study.practice) {
      const page = { name: "main", percent: MAIN_FROM, html: opened.screens.main };
      await choose(view, page, { start: "Start" });
    }
    session.takeStep("main");
  }
  await runTrials(view, session, block);
}

/** @param {View} view @param {Session} session @param {Block} block */
async function runTrials(view, session, block) {
  const count = block.trials.length;
  for (let trial = session.nextTrial(block); trial; trial = session.nextTrial(block)) {
    const { trial_index: n } = trial;
    const percent = MAIN_FROM + ((MAIN_TO - MAIN_FROM) * (n - 1)) / count;
    await runTrial(view, session, block, trial, { title: `Trial ${n} of ${count}`, percent });
  }
}

/** @param {View} view @param {Session} session */
async function submit(view, session) {
  const feedback = await askFeedback(view, session);
  // The time of the first press on Submit counts, also if the page was reloaded while it waited for the connection.
  const pressedAt = session.recall("submittedAt") ?? session.clock.now() ?? 0;
  session.remember("submittedAt", pressedAt);
  view.forbidLeaving();
  const content = words("One moment", "Your last answers are being sent. Please keep this page open.");
  tell(view, { name: "submit", percent: MAIN_TO, content });
  try {
    await session.complete(pressedAt, feedback);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Another page has ended the participation, or answers are missing. The server says where to continue.
    session.remember("submittedAt", null);
    throw new OutOfStep(error.code);
  }
}

/** @param {View} view @param {Session} session @returns {Promise<string>} */
async function askFeedback(view, session) {
  const draft = session.recall("feedback") ?? "";
  const field = make("textarea", { id: "feedback", rows: "6", maxlength: "10000" });
  field.value = draft;
  field.addEventListener("input", () => session.remember("feedback", field.value));
  const label = make("label", { for: "feedback" }, "Your comments (optional)");
  const page = {
    name: "feedback",
    percent: MAIN_TO,
    html: session.opened.screens.feedback,
    content: [make("div", { class: "field" }, label, field)],
  };
  await choose(view, page, { submit: "Submit" });
  return field.value;
}
