// Each way in which a visitor arrives and a participation ends, with the page that is shown and the data that are stored.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, server } from "./support/live-study.mjs";
import { Person } from "./support/person.mjs";

function participants() {
  return Number(server.sql("select count(*) from participants")[0][0]);
}

function newest() {
  return server.sql("select stage, coalesce(end_reason, '') from participants order by enrolled_at desc limit 1")[0];
}

async function arrivalsOf(kind, expected) {
  for (let i = 0; i < 50 && server.arrivals()[kind] !== expected; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(server.arrivals()[kind], expected, kind);
}

test("a visitor who does not agree is thanked, and nothing is stored", async () => {
  const before = participants();
  const person = await Person.arrive(browser, server.link("Mixed"), { name: "declined" });
  await person.press("I do not agree");
  await person.sees("Thank you");
  await person.checkPage("declined");
  await arrivalsOf("declined", 1);
  assert.equal(participants(), before);
  assert.equal(await person.page.evaluate(() => localStorage.length), 0);
  await person.page.context().close();
});

test("a device that cannot show the study is turned away before consent", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 }, screen: { width: 390, height: 844 } });
  const person = await Person.arrive(browser, server.link("Mixed"), { name: "phone", context });
  await person.sees("This device is too small");
  await person.checkPage("unsuitable");
  assert.equal(await person.button("I agree").count(), 0);
  await arrivalsOf("unsuitable", 1);
  await context.close();
});

test("Leave asks first; Escape means no; afterwards the study cannot be continued", async () => {
  const person = await Person.arrive(browser, server.link("None"), { name: "leave" });
  await person.reads();
  await person.answersUpTo(1);
  await person.trial(/^Trial 2 /);
  await person.press("Leave");
  await person.sees("Leave the study?");
  await person.checkPage("sure");
  // While the dialog is open no key answers the trial.
  await person.page.keyboard.press("s");
  await person.page.keyboard.press("Escape");
  await person.trial(/^Trial 2 /);
  assert.equal(await person.page.locator("[aria-pressed=true]").count(), 0);
  await person.press("Leave");
  await person.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await person.sees("You have left the study");
  await person.checkPage("left");
  assert.deepEqual(newest(), ["abandoned", "left"]);
  await person.page.reload();
  await person.sees("You have left the study");
  person.assertNoFaults();
  await person.page.context().close();
});

test("after several failed practice blocks a paid end is offered", async () => {
  const person = await Person.arrive(browser, server.link("Natural"), { name: "practice" });
  await person.reads();
  for (let block = 1; block <= 5; block++) {
    await person.practises(false);
    for (let n = 2; n <= 4; n++) await person.practises(true);
    if (block < 5) {
      await person.sees("practice once more");
      await person.press("Practice again");
    }
  }
  await person.sees("You can stop here");
  await person.checkPage("may-end");
  await person.press("End here");
  await person.sees("You have left the study");
  await person.checkPage("ended");
  assert.deepEqual(newest(), ["abandoned", "screened_out"]);
  const rows = server.exported("trials.csv").filter((row) => row.condition === "natural");
  assert.equal(rows.length, 20);
  assert.ok(rows.every((row) => row.block === "practice"));
  person.assertNoFaults();
  await person.page.context().close();
});

test("the completion code is shown if the link has one", async () => {
  const person = await Person.arrive(browser, server.link("Natural"), { name: "code" });
  await person.reads();
  await person.passesPractice();
  await person.press("Start");
  await person.answersUpTo(21);
  await person.submits();
  assert.equal(await person.page.locator("#completion-code").textContent(), "W-4711");
  await person.checkPage("code");
  await person.page.reload();
  await person.page.getByText("W-4711").waitFor();
  person.assertNoFaults();
  await person.page.context().close();
});

test("visitors are told that the study is paused or closed; participants can finish", async () => {
  const inside = await Person.arrive(browser, server.link("None"), { name: "inside" });
  await inside.reads();
  for (const [state, words] of [
    ["paused", "This study is paused"],
    ["closed", "This study is closed"],
  ]) {
    await server.setState(state);
    const person = await Person.arrive(browser, server.link("None"), { name: state });
    await person.sees(words);
    await person.checkPage(state);
    await arrivalsOf(state, 1);
    await person.page.context().close();
  }
  await inside.answersUpTo(21);
  await inside.submits();
  inside.assertNoFaults();
  await server.setState("live");
});

test("a page says that an address is not known", async () => {
  const person = await Person.arrive(browser, `${server.url}/enter/nowhere`, { name: "nowhere" });
  await person.checkPage("no-such-link");
  await person.page.goto(`${server.url}/run#not-a-token`);
  await person.sees("This address is not known");
  await person.checkPage("unknown-token");
  await person.page.goto(`${server.url}/run`);
  await person.page.reload();
  await person.sees("This address is not known");
  await person.page.context().close();
});
