/** Practice: blocks of trials with feedback, until all answers of one block are correct. */
import { button, make } from "./dom.js";
import { choose, words } from "./pages.js";
import { OutOfStep, placeIn } from "./session.js";
import { runTrial } from "./trial.js";

/** @import { View } from "./frame.js" */
/** @import { Session } from "./session.js" */
/** @import { AnswerReply, Block } from "./types.js" */
/** @import { TrialView } from "./trial-view.js" */

/** The progress bar at the first and after the last trial of a practice block, in percent. */
const FROM = 10;
const TO = 20;

/** Runs practice blocks until one is passed or the participant ends practice. @param {View} view @param {Session} session */
export async function practise(view, session) {
  const { opened } = session;
  while (opened.stage === "instructed") {
    const { practice_attempt: attempt } = opened;
    const block = session.block("practice", attempt);
    const isNew = block && session.nextTrial(block) === block.trials[0];
    if (!block || !session.nextTrial(block)) throw new OutOfStep(`practice block ${attempt}`);
    if (attempt > 1 && isNew && (await wantsToEnd(view, session, attempt))) return session.leave("screened_out");
    await runBlock(view, session, block);
  }
}

/** @param {View} view @param {Session} session @param {number} attempt @returns {Promise<boolean>} */
async function wantsToEnd(view, session, attempt) {
  const { screens, study } = session.opened;
  const after = study.practice?.offer_end_after_blocks ?? 0;
  const page = { name: `practice:${attempt}`, percent: FROM, html: screens.practice_again };
  if (after === 0 || attempt <= after) {
    await choose(view, page, { again: "Practice again" });
    return false;
  }
  const content = words(
    "You can stop here",
    `You have practiced ${attempt - 1} times. You can end here, and you will be paid for your work; or you can try once more.`,
  );
  return (await choose(view, { ...page, html: "", content }, { again: "Practice again", end: "End here" })) === "end";
}

/** @param {View} view @param {Session} session @param {Block} block */
async function runBlock(view, session, block) {
  const count = block.trials.length;
  for (let trial = session.nextTrial(block); trial; trial = session.nextTrial(block)) {
    const { trial_index: n } = trial;
    const reply = session.replyTo(placeIn(block, trial));
    const percent = FROM + ((TO - FROM) * (n - 1)) / count;
    const screen = await runTrial(view, session, block, trial, { title: `Practice trial ${n} of ${count}`, percent });
    screen.showBelow(make("p", { class: "trial-feedback", role: "status" }, "One moment …"));
    await giveFeedback(session, screen, await reply);
  }
}

/** Shows whether the answer was correct, which only the server knows. @param {Session} session @param {TrialView} screen @param {AnswerReply} reply */
async function giveFeedback(session, screen, reply) {
  const { correct } = reply;
  // The server refused the answer, because another page has answered this trial. It says where to continue.
  if (correct === undefined) throw new OutOfStep(reply.code ?? "no feedback");
  const { texts } = session.opened;
  const text = correct ? texts.practice_correct : texts.practice_incorrect;
  const look = correct ? "correct" : "incorrect";
  await new Promise((resolve) => {
    const next = button(texts.continue_label, () => resolve(undefined), "primary");
    screen.showBelow(make("p", { class: `trial-feedback ${look}`, role: "status" }, text), next);
    next.focus({ preventScroll: true });
  });
}
