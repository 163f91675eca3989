// A researcher's first day: setting a password, starting a study, watching enrolment, downloading data.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Person, launch } from "./support/person.mjs";
import { Server } from "./support/server.mjs";

let server, browser;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.stop();
});

const PASSWORD = "eleven quiet gratings";

test("a researcher sets the first password, starts a study, watches enrolment live and downloads the data", async () => {
  const ada = await Person.arrive(browser, server.passwordLink, { name: "lab" });
  const { page } = ada;
  await ada.checkPage("set-password");
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same password again").fill("something else");
  await ada.press("Set password");
  await page.getByText("not the same").waitFor();
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await ada.press("Set password");
  await ada.sees("Studies");
  await ada.checkPage("studies");

  await ada.press("Sign out");
  await ada.sees("Sign in");
  await ada.checkPage("sign-in");
  await page.getByLabel("E-mail address").fill("admin@localhost");
  await page.getByLabel("Password").fill("wrong");
  await ada.press("Sign in");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await ada.press("Sign in");
  await page.getByRole("link", { name: "Which image" }).click();
  await ada.sees("Enrolment");
  await page.getByText("No participants are let in yet").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await ada.checkPage("draft");

  const early = await Person.arrive(browser, server.link("None"), { name: "early" });
  await early.sees("has not started yet");
  await early.checkPage("not-open-yet");
  await early.page.context().close();

  await ada.press("Start");
  await ada.button("Pause").waitFor();
  const person = await Person.arrive(browser, server.link("None"));
  const cell = (condition, column) => page.locator(`#enrolment tr:has(th:text-is("${condition}")) td`).nth(column);
  await person.reads();
  await page.locator("#running").getByText("main:1").waitFor();
  assert.equal(await cell("None", 2).textContent(), "1", "one person runs");
  await ada.checkPage("running");
  await person.answersUpTo(21);
  await person.submits();
  await page.getByText("No one is taking part").waitFor();
  // A participant who answers as quickly as a test does is either excluded by the criterion of total time or kept.
  const kept = (await cell("None", 1).textContent()) === "1/50" ? 1 : 0;
  const excluded = Number(await cell("None", 5).textContent());
  assert.equal(kept + excluded, 1);
  await ada.checkPage("completed");
  await page.setViewportSize({ width: 800, height: 900 });
  await ada.checkPage("narrow");

  const [download] = await Promise.all([page.waitForEvent("download"), ada.press("trials.csv")]);
  assert.equal(readFileSync(await download.path(), "utf8").trim().split("\n").length, 22);
  const [all] = await Promise.all([page.waitForEvent("download"), ada.press("Download all")]);
  assert.match(all.suggestedFilename(), /^demo-.*\.zip$/);

  page.on("dialog", (dialog) => dialog.accept());
  await ada.press("Close");
  await ada.button("Open again").waitFor();
  ada.assertNoFaults();
  await page.context().close();
});

test("details that are open on a live page stay open when it changes", async () => {
  const invitation = server.weber("researcher", "add", "mary@example.org", "--role", "researcher", "--public-url", server.url);
  const mary = await Person.arrive(browser, /\S+set-password#\S+/.exec(invitation)[0], { name: "mary" });
  const { page } = mary;
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await mary.press("Set password");
  await page.getByRole("link", { name: "Which image" }).click();
  await mary.press("Open again");
  await mary.button("Pause").waitFor();
  const simulate = (n) => server.weber("simulate", "demo", "--participants", n, "--mix", "honest=0.4,careless=0.3,left=0.3");
  simulate("20");
  await page.goto(`${server.url}/lab/studies/demo/flow?mode=simulated`);
  await page.locator("#live-state", { hasText: "live" }).waitFor();
  const summary = page.locator("#flow-figure summary");
  await summary.press("Enter");
  const table = page.locator("#flow-figure details .scroll");
  await table.evaluate((part) => part.scrollTo(0, 40));
  const places = () => table.evaluate((part) => [part.scrollTop, document.activeElement?.tagName]);
  const before = await places();
  assert.equal(before[1], "SUMMARY");
  simulate("1");
  await page.locator("#flow-figure svg").getByText("Consented (n = 21)").waitFor();
  assert.ok(await table.isVisible(), "the table is still open");
  assert.deepEqual(await places(), before);
  await mary.checkPage("flow");
  mary.assertNoFaults();
  await page.context().close();
});

test("the pages How to recruit and People and pay; the latter needs the right to see who participants are", async () => {
  const invitation = server.weber("researcher", "add", "grace@example.org", "--identities", "--public-url", server.url);
  const grace = await Person.arrive(browser, /\S+set-password#\S+/.exec(invitation)[0], { name: "grace" });
  const { page } = grace;
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await grace.press("Set password");
  await page.getByRole("link", { name: "Which image" }).click();
  await page.getByRole("link", { name: "How to recruit" }).click();
  await grace.sees("How to recruit");
  await page.getByText("Command that posts the first HIT").click();
  await page.getByText("aws mturk create-hit").first().waitFor();
  await grace.checkPage("recruiting");
  await page.goBack();
  await page.getByRole("link", { name: "People and pay" }).click();
  await grace.sees("People and pay");
  await page.getByLabel("or its text").fill("AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\n1,ASTRANGER,Submitted,x\n");
  await grace.press("Compare");
  await page.getByText("Handed in there, unknown here").waitFor();
  await grace.checkPage("compared");
  await page.getByLabel("Ids, one per line").fill("AONE\nATWO");
  await grace.press("Add");
  await page.getByText("2 people were added").waitFor();
  await page.setViewportSize({ width: 800, height: 900 });
  await grace.checkPage("people-narrow");
  const sizes = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(sizes[0] <= sizes[1], "nothing overflows the window");

  const stranger = server.weber("researcher", "add", "eve@example.org", "--public-url", server.url);
  const eve = await Person.arrive(browser, /\S+set-password#\S+/.exec(stranger)[0], { name: "eve" });
  await eve.page.getByLabel("New password").fill(PASSWORD);
  await eve.page.getByLabel("The same password again").fill(PASSWORD);
  await eve.press("Set password");
  await eve.sees("Studies");
  await eve.page.goto(`${server.url}/lab/studies/demo/people`);
  await eve.sees("Only for people with the right");
  await eve.checkPage("no-right");
  grace.assertNoFaults();
  for (const person of [grace, eve]) await person.page.context().close();
});

/** A new researcher, signed in at the lab. */
async function inTheLab(email, ...options) {
  const invitation = server.weber("researcher", "add", email, ...options, "--public-url", server.url);
  const person = await Person.arrive(browser, /\S+set-password#\S+/.exec(invitation)[0], { name: email.split("@")[0].slice(0, 20) });
  await person.page.getByLabel("New password").fill(PASSWORD);
  await person.page.getByLabel("The same password again").fill(PASSWORD);
  await person.press("Set password");
  await person.sees("Studies");
  return person;
}

/** The code that an authenticator app shows now (RFC 6238). */
function codeOf(secret) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac("sha1", key).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Asserts that no part of the page, nor of a table in it, lies outside of the visible area. */
async function isAllInSight(page) {
  const outside = await page.evaluate(() => {
    const sticksOut = (element) => element.scrollWidth > element.clientWidth;
    return [document.documentElement, ...document.querySelectorAll(".scroll")].filter(sticksOut).map((e) => e.textContent.trim().slice(0, 40));
  });
  assert.deepEqual(outside, [], page.url());
}

test("a mistyped code, a page without the right to it, and long names are shown well", async () => {
  const long = "a.person.with.a.very.long.name.indeed@department-of-psychology.university-of-somewhere.example.org";
  const ida = await inTheLab(long, "--role", "administrator", "--identities");
  const { page } = ida;
  await page.goto(`${server.url}/lab/account`);
  await ida.press("Set it up");
  const code = page.getByLabel("Code that the phone shows now");
  await page.getByText("The phone cannot scan it").click();
  const secret = await page.locator("details code").textContent();
  await code.fill("12345x");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("The code is wrong.").waitFor();
  await ida.checkPage("mistyped");
  await code.fill(codeOf(secret));
  await page.keyboard.press("Enter");
  await page.getByText("It is on.").waitFor();
  await page.getByRole("link", { name: "I have saved them" }).click();
  await page.getByLabel("Code from your phone").fill("nothing");
  await ida.press("Turn off");
  await page.getByRole("alert").getByText("The code is wrong").waitFor();
  await ida.checkPage("not-turned-off");

  for (const width of [1280, 800]) {
    await page.setViewportSize({ width, height: 900 });
    for (const name of ["team", "journal"]) {
      await page.goto(`${server.url}/lab/${name}`);
      await isAllInSight(page);
      await ida.checkPage(`${name}-${width}`);
    }
  }

  const vera = await inTheLab("vera@example.org", "--role", "viewer");
  await vera.page.goto(`${server.url}/lab/journal`);
  await vera.sees("This needs the role");
  await vera.checkPage("role-needed");
  await vera.page.goto(`${server.url}/lab/studies/demo/nowhere`);
  await vera.sees("There is nothing at this address");
  await vera.page.getByRole("link", { name: "The study" }).click();
  await vera.sees("Enrolment");
  for (const person of [ida, vera]) {
    person.assertNoFaults();
    await person.page.context().close();
  }
});
