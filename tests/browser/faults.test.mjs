// Faults in the browser, at the server and between them: no answer is lost, and every participant can continue.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, server } from "./support/live-study.mjs";
import { Person } from "./support/person.mjs";

/** A participant in the first trial. The condition without references has no practice, so that trials come soonest. */
async function inTrials(name) {
  const person = await Person.arrive(browser, server.link("None"), { name });
  await person.reads();
  await person.trial(/^Trial 1 /);
  return person;
}

function eventsOf(kind) {
  return server.exported("events.csv").filter((event) => event.kind === kind);
}

/** How many answers to main trials the server has of the newest participant. */
function answersOfNewest() {
  const [[count]] = server.sql(
    "select count(*) from responses where block = 'main' and participant_id = (select id from participants order by enrolled_at desc limit 1)",
  );
  return Number(count);
}

async function eventually(check, what) {
  for (let i = 0; i < 100; i++) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(what);
}

test("the participant goes on answering while the server is down", async () => {
  const person = await inTrials("server-dies");
  await person.answersUpTo(3);
  await server.kill();
  await person.answersUpTo(8);
  await person.page.getByText("No connection").waitFor();
  await server.run();
  await person.answersUpTo(9);
  await eventually(() => answersOfNewest() === 9, "all answers arrive");
  await person.page.getByText("No connection").waitFor({ state: "hidden" });
  // The browser does not ask before the page closes, because all answers are stored.
  await person.page.context().close();
  person.assertNoFaults();
});

test("a browser that ends without a connection loses nothing; the study moves between two tabs", async () => {
  const person = await inTrials("two-tabs");
  const context = person.page.context();
  const address = person.page.url();
  let isLost = false;
  await context.route("**/api/**", (route) => (isLost ? route.abort() : route.continue()));
  await person.answersUpTo(2);
  await person.page.waitForLoadState("networkidle");
  isLost = true;
  await person.answersUpTo(4);
  // The page is closed without its last request, as in a crash of the browser.
  const session = await context.newCDPSession(person.page);
  const dead = person.page.waitForEvent("crash").catch(() => {});
  session.send("Page.crash").catch(() => {});
  await dead;
  isLost = false;
  assert.equal(answersOfNewest(), 2);

  const second = await Person.arrive(browser, address, { name: "two-tabs-second", context });
  await second.sees("Welcome back");
  await second.press("Go on");
  await second.trial(/^Trial 5 /);
  assert.equal(answersOfNewest(), 4, "the new page sent the answers that the ended page had not sent");

  const third = await Person.arrive(browser, address, { name: "two-tabs-third", context });
  await third.sees("Welcome back");
  await second.sees("The study is open in another window");
  await second.checkPage("superseded");
  await third.press("Go on");
  await third.trial(/^Trial 5 /);
  await third.answersUpTo(6);
  await second.press("Go on here");
  await second.sees("Welcome back");
  await third.sees("The study is open in another window");
  await second.press("Go on");
  await second.trial(/^Trial 7 /);
  await second.answersUpTo(7);
  await eventually(() => answersOfNewest() === 7, "each trial once");
  second.assertNoFaults();
  third.assertNoFaults();
  await context.close();
});

test("the back button and a lapsed lease lead back to the same trial", async () => {
  const person = await inTrials("return");
  await person.answersUpTo(2);
  await eventually(() => answersOfNewest() === 2, "both answers arrive");
  await person.page.goBack();
  await person.page.getByText("You have already begun").waitFor();
  await person.checkPage("consent-again");
  server.sql("update participants set lease_until = now() - interval '2 hours'");
  await person.press("Go on where I was");
  await person.sees("Welcome back");
  await person.press("Go on");
  await person.trial(/^Trial 3 /);
  await person.answersUpTo(3);
  await eventually(() => answersOfNewest() === 3, "the answer after the return arrives");
  const [[stage, claim]] = server.sql("select stage, claim from participants order by enrolled_at desc limit 1");
  assert.deepEqual([stage, claim], ["running", "leased"]);

  await person.page.goBack();
  await person.press("I am another person");
  await person.button("I agree").waitFor();
  person.assertNoFaults();
  await person.page.context().close();
});

test("after two refusals the page names the contact; a participation that is handed in cannot be left", async () => {
  const person = await inTrials("refused");
  const { page } = person;
  await person.answersUpTo(21);
  const problem = { type: "urn:weber:problem:malformed", status: 400, code: "malformed", title: "The request could not be read." };
  const refuse = (route) =>
    route.fulfill({ status: 400, contentType: "application/problem+json", body: JSON.stringify(problem) });
  await page.route("**/api/v1/complete", refuse);
  await person.sees("Almost done");
  await person.press("Submit");
  await person.sees("Welcome back");
  await person.press("Go on");
  await person.sees("Almost done");
  await person.press("Submit");
  await person.sees("The study cannot continue here");
  await person.checkPage("stuck");
  const [[pseudonym]] = server.sql("select pseudonym from participants order by enrolled_at desc limit 1");
  await page.getByText(pseudonym).waitFor();
  await page.getByRole("link", { name: "weber-demo@example.org" }).waitFor();
  assert.equal(await person.button("Leave").count(), 0);
  const told = () => eventsOf("program_error").some(({ detail }) => detail.includes("malformed"));
  await eventually(told, "the server stored the fault as an event");

  await page.unroute("**/api/v1/complete", refuse);
  let isLost = true;
  await page.route("**/api/v1/complete", (route) => (isLost ? route.abort() : route.continue()));
  await page.reload();
  await person.sees("Welcome back");
  await person.press("Go on");
  await person.sees("Almost done");
  assert.equal(await person.button("Leave").count(), 1);
  await page.getByLabel("Your comments").evaluate((field) => (field.value = "cut within \ud83d"));
  await person.press("Submit");
  await page.getByText("Your last answers are being sent").waitFor();
  assert.equal(await person.button("Leave").count(), 0, "there is nothing left to leave");
  isLost = false;
  await person.sees("Thank you");
  const [[stage, feedback]] = server.sql("select stage, feedback from participants order by enrolled_at desc limit 1");
  assert.deepEqual([stage, feedback], ["complete", "cut within \ufffd"]);
  person.assertNoFaults();
  await page.context().close();
});

test("images that fail are requested again, and a trial is shown only with all its images", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  let failures = 0;
  await context.route("**/images/*", (route) => (failures++ % 5 === 2 ? route.abort() : route.continue()));
  const person = await Person.arrive(browser, server.link("None"), { name: "images", context });
  await person.reads();
  await person.answersUpTo(1);
  assert.equal(await person.page.locator(".trial img").evaluateAll((all) => all.filter((i) => !i.naturalWidth).length), 0);
  await eventually(() => eventsOf("image_failure").length > 0, "failures are stored as events");
  assert.match(eventsOf("image_failure")[0].detail, /try/);
  person.assertNoFaults();
  await context.close();
});

test("leaving fullscreen, resizing the window and losing the focus are stored as events with their times", async () => {
  const person = await inTrials("events");
  const { page } = person;
  assert.ok(await page.evaluate(() => Boolean(document.fullscreenElement)), "the study fills the screen");
  await page.evaluate(() => document.exitFullscreen());
  await page.evaluate(() => {
    dispatchEvent(new Event("blur"));
    setTimeout(() => dispatchEvent(new Event("focus")), 300);
  });
  await page.setViewportSize({ width: 1000, height: 700 });
  for (const kind of ["fullscreen_enter", "fullscreen_exit", "focus_loss", "resize"]) {
    await eventually(() => eventsOf(kind).length > 0, `${kind} is stored`);
    assert.ok(Number(eventsOf(kind)[0].at) > 0, `${kind} has a time`);
  }
  await page.context().close();
});

test("in a window that is too small the study continues once it is enlarged", async () => {
  const person = await Person.arrive(browser, server.link("None"), { name: "window", size: [800, 560] });
  await person.press("I agree");
  await person.sees("Please make the window larger");
  await person.page.getByText("800 × 560").waitFor();
  await person.checkPage("too-small");
  await person.page.setViewportSize({ width: 1000, height: 700 });
  await person.sees("Welcome");
  person.assertNoFaults();
  await person.page.context().close();
});

test("a browser without localStorage runs the study", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(() => {
    Object.defineProperty(globalThis, "localStorage", {
      get() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    });
  });
  const person = await Person.arrive(browser, server.link("None"), { name: "no-storage", context });
  await person.reads();
  await person.answersUpTo(2);
  await eventually(() => answersOfNewest() === 2, "both answers arrive");
  person.assertNoFaults();
  await context.close();
});
