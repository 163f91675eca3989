// A whole participation, from consent to the files that a researcher downloads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, server } from "./support/live-study.mjs";
import { Person } from "./support/person.mjs";

/** Asserts that the export has what was on the screen: the label that was shown, and the side that was chosen. */
function assertStored(person, rows) {
  const shown = [3, 2, 1, 1, 2, 3];
  assert.deepEqual(
    rows.map((row) => [row.trial_index, row.response, row.choice_side, row.confidence].map(String)),
    person.pressed.map(({ trial_index, response }) =>
      [trial_index, response, response < 3 ? "left" : "right", shown[response]].map(String),
    ),
  );
  for (const row of rows) {
    assert.equal(row.choice, row.choice_side === row.max_side ? "max" : "min");
    assert.equal(row.correct, row.choice === "max" ? "true" : "false");
  }
}

/** Fields that may contain such words: texts that participants read, window sizes, and practice, which gives feedback. */
const MAY_HINT = /^(screens|min_(width|height)_px|practice|practice_(in)?correct)$/;

/** Asserts that no other name or text of a reply hints at the correct answer. */
function assertNoHint(text) {
  const visit = (value, name) => {
    if (MAY_HINT.test(name) || value?.block === "practice") return;
    assert.doesNotMatch(name, /catch|max|min|unit|layer|branch|correct/);
    if (typeof value === "string") assert.doesNotMatch(value, /catch|max|min_|unit|layer/);
    if (value && typeof value === "object") for (const key of Object.keys(value)) visit(value[key], key);
  };
  if (text) visit(JSON.parse(text), "");
}

function newest(rows) {
  return rows.toSorted((a, b) => (a.enrolled_at < b.enrolled_at ? 1 : -1))[0];
}

async function storedOf(server) {
  const participant = newest(server.exported("participants.csv"));
  const rows = server.exported("trials.csv").filter((row) => row.participant === participant.participant);
  const events = server.exported("events.csv").filter((row) => row.participant === participant.participant);
  return { participant, rows, main: rows.filter((row) => row.block === "main"), events };
}

test("with references, by mouse: a reload and a lost connection lose nothing", async () => {
  const person = await Person.arrive(browser, server.link("Mixed"), { name: "mixed" });
  const { page } = person;
  const received = [];
  page.on("response", async (response) => {
    if (response.url().includes("/api/")) received.push(await response.text().catch(() => ""));
  });

  assert.equal(await person.reads({ check: true }), 15);
  await person.practises(true, { check: true });
  await person.practises(false, { check: true });
  await person.practises(true);
  await person.practises(true);
  await person.sees("practice once more");
  await person.checkPage("practice-again");
  await person.press("Practice again");
  await person.passesPractice();
  await person.checkPage("main");
  await person.press("Start");
  await person.trial();
  await person.checkPage("trial");
  await person.answersUpTo(6, { mouse: true });

  await person.trial(/^Trial 7 /);
  await page.reload();
  await person.sees("Welcome back");
  await person.checkPage("welcome-back");
  await person.press("Go on");
  await person.answersUpTo(9);

  await page.waitForLoadState("networkidle");
  await page.context().setOffline(true);
  await person.answersUpTo(12);
  await person.page.getByText("No connection").waitFor();
  await person.trial(/^Trial 13 /);
  await person.checkPage("offline");
  await page.context().setOffline(false);
  await person.answersUpTo(21);
  await person.sees("Almost done");
  await person.checkPage("feedback");
  await person.submits('All "good", thanks');
  await person.checkPage("done");
  person.assertNoFaults();

  const { participant, rows, main, events } = await storedOf(server);
  assert.equal(main.length, 21);
  assertStored(person, main);
  assert.equal(rows.filter((row) => row.block === "practice").length, 8);
  assert.equal(participant.condition, "mixed");
  assert.equal(participant.stage, "complete");
  assert.equal(participant.practice_blocks, "2");
  assert.equal(participant.reloads, "1");
  assert.equal(participant.feedback, 'All "good", thanks');
  assert.ok(main.every((row) => row.rt === "" || Number(row.rt) > 0));
  assert.deepEqual(main.slice(0, 6).map((row) => row.input), Array(6).fill("mouse"));
  assert.equal(main[6].presentations, "2", "trial 7 was shown again after the reload");
  assert.ok(main.every((row) => Number(row.display_scale) > 0.9 && Number(row.continue_rt) >= 350));
  const kinds = new Set(events.map((event) => event.kind));
  for (const kind of ["screen", "offline", "online", "reload"]) assert.ok(kinds.has(kind), `${kind} in ${[...kinds]}`);
  // No reply tells the correct answer, or which trials are catch trials.
  assert.ok(received.length > 20);
  for (const text of received) assertNoHint(text);
});

test("without references, by keyboard alone, in the smallest window", async () => {
  const person = await Person.arrive(browser, server.link("None"), { name: "none", size: [940, 600] });
  const { page } = person;
  await person.sees("Which image");
  const tabTo = async (name) => {
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.textContent)) === name) return;
    }
    assert.fail(`${name} cannot be reached with Tab`);
  };
  await tabTo("I agree, start");
  await page.keyboard.press("Enter");
  await person.sees("Welcome");
  await page.keyboard.press("Enter");
  for (let n = 1; n <= 14; n++) {
    await page.getByText(`Page ${n} of 14`).waitFor();
    const overflow = await page.evaluate(() => {
      const screen = document.querySelector("main");
      return screen.scrollHeight - screen.clientHeight;
    });
    assert.ok(overflow <= 0, `page ${n} is ${overflow} px too high`);
    await person.checkPage(`instructions-${n}`);
    if (n === 3) {
      await page.keyboard.press("ArrowLeft");
      await page.getByText("Page 2 of 14").waitFor();
      await page.keyboard.press("ArrowRight");
      await page.getByText("Page 3 of 14").waitFor();
    }
    await page.keyboard.press("ArrowRight");
  }
  await person.sees("Fill the screen");
  await page.keyboard.press("Enter");
  await person.trial(/^Trial 1 of 21/);
  await person.checkPage("trial");
  assert.equal(await page.getByText("Favorite Images", { exact: true }).count(), 0);
  const fits = await page.evaluate(() => {
    const box = document.querySelector(".trial-screen").getBoundingClientRect();
    return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
  });
  assert.ok(fits, "the whole trial is in the window");

  // A key that is held down answers one trial only.
  await page.keyboard.down("s");
  for (let i = 0; i < 5; i++) await page.keyboard.down("s");
  await page.keyboard.up("s");
  person.pressed.push({ trial_index: 1, response: 0 });
  await person.button("Continue").waitFor();
  await page.keyboard.down("Enter");
  for (let i = 0; i < 5; i++) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  await person.trial(/^Trial 2 of 21/);
  // The numbers can be focused and pressed like all buttons.
  await tabTo("3");
  await page.keyboard.press("Enter");
  person.pressed.push({ trial_index: 2, response: 0 });
  await person.goesOn();
  await person.trial(/^Trial 3 of 21/);
  await person.answersUpTo(21);
  await person.sees("Almost done");
  await tabTo("Submit");
  await page.keyboard.press("Enter");
  await person.sees("Thank you");
  person.assertNoFaults();

  const { participant, main } = await storedOf(server);
  assertStored(person, main);
  assert.equal(participant.condition, "none");
  assert.equal(participant.practice_blocks, "");
  assert.ok(main.every((row) => row.input === "key"));
});
