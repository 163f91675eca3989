// A researcher reads the results of a study with simulated people, tries bounds, decides on participants, and sets up the
// second factor.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, launch } from "./support/person.mjs";
import { Server } from "./support/server.mjs";

let server, browser, ada, page;
const PASSWORD = "eleven quiet gratings";

before(async () => {
  server = await Server.start();
  server.weber("simulate", "demo", "--participants", "60", "--concurrency", "10");
  browser = await launch();
  ada = await Person.arrive(browser, server.passwordLink, { name: "analysis" });
  page = ada.page;
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await ada.press("Set password");
  await ada.sees("Studies");
});
after(async () => {
  await browser.close();
  await server.stop();
});

/** Checks a page in a wide and in a narrow window: it is accessible, and nothing overflows the window. */
async function look(path, heading, name) {
  await page.goto(`${server.url}${path}`);
  for (const width of [1280, 800]) {
    await page.setViewportSize({ width, height: 900 });
    await ada.sees(heading);
    await ada.checkPage(`${name}-${width}`);
    await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
    const sizes = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(sizes[0] <= sizes[1], `${name} sticks out at ${width} px`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

const LAB = "/lab/studies/demo";

test("every page of a study can be read, wide and narrow", async () => {
  await look(`${LAB}?mode=simulated`, "How it is going", "study");
  await look(`${LAB}/participants?mode=simulated`, "Participants", "participants");
  await look(`${LAB}/exclusion?mode=simulated`, "Exclusion workbench", "exclusion");
  await look(`${LAB}/flow?mode=simulated`, "Flow of participants", "flow");
  await look(`${LAB}/results?mode=simulated`, "Results", "results");
  await look(`${LAB}/results`, "Results", "results-blinded");
  await look("/lab/journal", "Journal", "journal");
  await look("/lab/team", "Team", "team");
  await look("/lab/account", "Your account", "account");
});

test("a changed bound shows at once who would be excluded, and can be saved as a policy", async () => {
  await page.goto(`${server.url}${LAB}/exclusion?mode=simulated`);
  const passing = async () => Number(/(\d+) of/.exec(await page.getByText("people who completed pass").textContent())[1]);
  const before = await passing();
  await page.getByLabel("Catch trials, at least").fill("1");
  await page.getByText("changed, not saved").waitFor();
  assert.match(page.url(), /catch_trials.min=1&/, "the address can be sent to a colleague");
  assert.ok((await passing()) < before, "a stricter bound excludes more");
  await page.getByLabel("Total time, at least").fill("soon");
  await page.locator("#summary").filter({ hasText: "soon" }).waitFor();
  await page.getByLabel("Total time, at least").fill("90");
  await page.getByText("changed, not saved").waitFor();
  await page.getByText("Who moves, compared with as-posted").click();
  await page.getByText("Leave:").waitFor();
  await ada.checkPage("exclusion-changed");
  const name = page.getByLabel("Save the bounds above as");
  await name.fill("as-posted");
  await name.press("Enter");
  await page.getByText("A policy cannot have this name.").waitFor();
  assert.equal(await page.getByLabel("Catch trials, at least").inputValue(), "1", "the bounds are still there");
  // The bound is saved although its effect was not shown yet.
  await page.getByLabel("Total time, at most").fill("899");
  await name.fill("strict");
  await name.press("Enter");
  await page.waitForURL(/policy=strict&mode=simulated/);
  assert.equal(await page.getByLabel("Total time, at most").inputValue(), "899");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Freeze as pre-registered (strict)" }).click();
  await page.getByText(/^pre-registered 20/).first().waitFor();
  assert.match(page.url(), /policy=strict&mode=simulated/);
  assert.equal(await page.getByRole("button", { name: "Freeze" }).count(), 0, "a study promises once");
  await look(`${LAB}/exclusion?mode=simulated&policy=strict`, "Exclusion workbench", "exclusion-saved");
  await page.locator("[data-part='catch_trials.1'] a").click();
  await page.getByRole("heading", { name: "Participants" }).waitFor();
  await ada.checkPage("participants-failing");
  await page.goto(`${server.url}${LAB}/exclusion?mode=simulated&policy=strict`);
  await page.getByLabel("Policy to begin with").selectOption("as-analysed");
  await page.waitForURL(/policy=as-analysed/);
  assert.equal(await page.getByLabel("Instruction time, at least").inputValue(), "15", "each policy brings its own bounds");
  await page.goto(`${server.url}${LAB}/results?mode=simulated&policy=strict`);
  await page.getByText("people kept under strict pre-registered 20").waitFor();
});

test("a participant is excluded with a reason, and the CONSORT flow counts them", async () => {
  await page.goto(`${server.url}${LAB}/participants?mode=simulated&verdict=kept`);
  await page.locator("tbody a").first().click();
  await page.getByLabel("Reason").fill("told us that they had done it twice");
  await ada.press("Decide");
  await page.getByText("excluded by decision").waitFor();
  await ada.checkPage("person-decided");
  await page.goto(`${server.url}${LAB}/flow?mode=simulated`);
  await page.getByText("by decision: 1").waitFor();
});

test("open pages show a change that one participant causes", async () => {
  await page.goto(`${server.url}${LAB}?mode=simulated`);
  await page.getByText("live", { exact: true }).first().waitFor();
  const consented = async () => Number(await page.locator("#enrolment tfoot td").nth(1).textContent().then((text) => text.split("/")[0]));
  const before = await consented();
  server.weber("simulate", "demo", "--participants", "5", "--concurrency", "5", "--seed", "99");
  await page.waitForFunction(
    (before) => Number(document.querySelector("#enrolment tfoot strong").textContent) > before,
    before,
  );
});

test("the second factor is set up with a phone's code", async () => {
  await page.goto(`${server.url}/lab/account`);
  await ada.press("Set it up");
  await page.getByText("The phone cannot scan it").click();
  await ada.checkPage("second-factor");
  await page.getByLabel("Code that the phone shows").fill("000000");
  await ada.press("Turn on");
  await page.getByRole("alert").getByText("The code is wrong").waitFor();
  ada.assertNoFaults();
});
