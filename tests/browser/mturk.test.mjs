// A worker on MTurk: the task page is in a cross-site sandboxed frame, the experiment in a window of its own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, launch } from "./support/person.mjs";
import { Server } from "./support/server.mjs";
import { WorkerSite } from "./support/worker-site.mjs";

const SANDBOX = "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox";
const ALIKE = `${SANDBOX} allow-same-origin`;

let server, browser, site;
before(async () => {
  site = await WorkerSite.start();
  server = await Server.start({ WEBER_MTURK_ORIGIN: site.origin });
  await server.goLive();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.stop();
  await site.stop();
});

function participants() {
  return Number(server.sql("select count(*) from participants")[0][0]);
}

/** A worker who opens the page of a task. */
async function looks(task, name) {
  const person = await Person.arrive(browser, site.task(server.link("Workers"), task), { name });
  return { person, frame: person.page.frameLocator("iframe") };
}

/** The window that the task page opens. */
async function opens({ person, frame }) {
  const opened = person.page.context().waitForEvent("page");
  await frame.getByRole("link", { name: "Open the study" }).click();
  return new Person(await opened, `${person.name}-window`);
}

async function answersAll(person) {
  await person.reads();
  await person.answersUpTo(21);
  await person.submits("\u202e=1+1 <script>alert(1)</script>");
  await person.page.getByText("go back to the page of the task").waitFor();
}

for (const [name, sandbox] of [
  ["with an origin of its own", ALIKE],
  ["without an origin", SANDBOX],
]) {
  test(`in a frame ${name}: preview, take part, hand in, and not again`, async () => {
    const worker = sandbox === ALIKE ? "AWORKERONE" : "AWORKERTWO";
    const before = participants();
    const preview = await looks({ assignment: "ASSIGNMENT_ID_NOT_AVAILABLE", sandbox }, "preview");
    await preview.frame.getByText("This is a preview").waitFor();
    await preview.person.picture("framed");
    assert.equal(participants(), before);

    const at = await looks({ worker, assignment: `3FIRST${worker}`, sandbox }, "task");
    await at.frame.getByRole("heading", { name: "Which image" }).waitFor();
    const submit = at.frame.getByRole("button", { name: "Hand in the task" });
    assert.equal(await submit.count(), 0);
    await at.person.picture("begin");
    const window = await opens(at);
    await answersAll(window);
    await window.picture("done");
    await at.frame.getByText("You are done: all").waitFor({ timeout: 10_000 });
    await at.person.picture("done");
    await submit.click();
    await at.frame.getByText("Handed in").waitFor();
    assert.deepEqual(site.refused, []);
    const taken = site.taken.at(-1);
    assert.equal(taken.assignmentId, `3FIRST${worker}`);
    assert.equal(taken.receipt.length, 43);
    assert.deepEqual(Object.keys(taken), ["assignmentId", "receipt"]);
    window.assertNoFaults();
    at.person.assertNoFaults();

    const other = await looks({ worker, assignment: "3OTHER", hit: "3OTHERHIT", sandbox }, "again");
    const late = await opens(other);
    await late.press("I agree, start");
    await late.page.getByRole("heading", { name: "You cannot take part again" }).waitFor();
    for (const { person } of [preview, at, other]) await person.page.context().close();
    const rows = JSON.stringify(server.exported("participants.csv"));
    assert.ok(!rows.includes(worker) && !server.said.includes(worker));
    assert.ok(!/"feedback":"=/.test(rows));
  });
}

test("the experiment works in a popup that inherits the sandbox", async () => {
  const sandbox = "allow-scripts allow-forms allow-popups";
  const at = await looks({ worker: "AWORKERBOX", assignment: "3BOX", sandbox }, "boxed");
  const window = await opens(at);
  await answersAll(window);
  await at.frame.getByText("You are done: all").waitFor({ timeout: 10_000 });
  window.assertNoFaults();
  await at.person.page.context().close();
});

test("a closed window can be opened again, and a task accepted again is handed in by its newest assignment", async () => {
  const at = await looks({ worker: "AWORKERTHREE", assignment: "3A", sandbox: ALIKE }, "closed");
  const first = await opens(at);
  await first.reads();
  await first.answersUpTo(3);
  await first.page.close();
  await at.frame.getByText("If you closed it").waitFor({ timeout: 10_000 });
  await at.person.picture("under-way");
  const second = await opens(at);
  await second.press("Go on where I was");
  await second.press("Go on");
  await second.answersUpTo(21);
  await second.submits();
  await at.person.page.context().close();
  // The worker returned the task and accepted it again, which makes another assignment of the same task.
  const later = await looks({ worker: "AWORKERTHREE", assignment: "3B", sandbox: ALIKE }, "returned");
  await later.frame.getByText("You are done: all").waitFor({ timeout: 10_000 });
  await later.frame.getByRole("button", { name: "Hand in the task" }).click();
  await later.frame.getByText("Handed in").waitFor();
  assert.equal(site.taken.at(-1).assignmentId, "3B");
  await later.person.page.context().close();
});

test("the task can be handed in while the server cannot be reached", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.clock.install();
  const task = site.task(server.link("Workers"), { worker: "AWORKERFOUR", assignment: "3AWAY", sandbox: ALIKE });
  const person = await Person.arrive(browser, task, { name: "away", context });
  const frame = person.page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Which image" }).waitFor();
  await context.route("**/api/v1/task", (route) => route.abort());
  const submit = frame.getByRole("button", { name: "Hand in the task" });
  await context.clock.runFor(60_000);
  assert.equal(await submit.count(), 0);
  for (let i = 0; i < 30; i++) await context.clock.runFor(5_000);
  await frame.getByText("Our server cannot be reached").waitFor();
  await submit.click();
  await frame.getByText("Handed in").waitFor();
  assert.deepEqual(site.taken.at(-1), { assignmentId: "3AWAY", receipt: "unverified" });
  await context.close();
});

test("only the platform's site may show the task page in a frame", async () => {
  const thief = await WorkerSite.start();
  const task = thief.task(server.link("Workers"), { worker: "AWORKERFIVE", assignment: "3T", sandbox: ALIKE });
  const person = await Person.arrive(browser, task, { name: "thief" });
  await person.page.waitForTimeout(1500);
  assert.equal(await person.page.frameLocator("iframe").getByText("Open the study").count(), 0);
  await person.page.context().close();
  await thief.stop();
});
