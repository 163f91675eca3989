// What is measured about the screen and the press in each trial, and how the trial screen uses the window.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, server } from "./support/live-study.mjs";
import { Person } from "./support/person.mjs";

/** A participant in the first trial, in a window of a given size and pixel ratio. */
async function inTrials({ name, link = "None", size = [1280, 800], pixelRatio = 1, prepare = async () => {} }) {
  const [width, height] = size;
  const context = await browser.newContext({ viewport: { width, height }, screen: { width, height }, deviceScaleFactor: pixelRatio });
  await prepare(context);
  const person = await Person.arrive(browser, server.link(link), { name, context });
  await person.reads();
  await person.trial();
  return person;
}

/** The exported rows of the newest participant, once they fulfil a condition. */
async function newest(file, isThere) {
  for (let i = 0; i < 40; i++) {
    const people = server.exported("participants.csv").toSorted((a, b) => (a.enrolled_at < b.enrolled_at ? 1 : -1));
    const rows = server.exported(file).filter((row) => row.participant === people[0].participant);
    if (isThere(rows)) return rows;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.fail(`${file} does not have it`);
}

const answers = (count) => newest("trials.csv", (rows) => rows.filter((row) => row.continue_rt !== "").length >= count);
const eventsOf = async (kind, count = 1) => {
  const isOne = (row) => row.kind === kind;
  const rows = await newest("events.csv", (all) => all.filter(isOne).length >= count);
  return rows.filter(isOne).map(({ at, detail }) => ({ at: Number(at), ...JSON.parse(detail) }));
};

/** The positions of a trial's elements, in px: the bar's parts, the texts, the images and the buttons. */
function layout(page) {
  return page.evaluate(() => {
    const boxes = (selector) =>
      [...document.querySelectorAll(selector)].map((element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        const { left, top, right, bottom } = (element.matches("h2") ? range : element).getBoundingClientRect();
        return { what: element.textContent || element.className || element.alt, left, top, right, bottom };
      });
    const screen = document.querySelector(".trial-screen");
    return {
      scale: screen.getBoundingClientRect().height / screen.offsetHeight,
      bar: boxes(".bar progress, .bar .button"),
      content: boxes(".trial-screen :is(img, button, h2)"),
      window: { left: 0, top: 0, right: innerWidth, bottom: innerHeight },
    };
  });
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const within = (a, b) => a.left >= b.left && a.top >= b.top && a.right <= b.right + 0.01 && a.bottom <= b.bottom + 0.01;

for (const [size, least] of [
  [[1366, 768], 1],
  [[1920, 1080], 1],
  [[1280, 720], 0.95],
  [[940, 600], 0.73],
]) {
  test(`at ${size.join(" x ")} px a trial fills the window, and no element overlaps another`, async () => {
    const person = await inTrials({ name: `screen-${size[0]}`, link: "Mixed", size });
    const { page } = person;
    await person.checkPage("trial");
    const { scale, bar, content, window } = await layout(page);
    assert.ok(scale >= least, `scale ${scale}`);
    assert.equal(bar.length, 2, "the progress bar and the button Leave are shown");
    assert.ok(content.length >= 9 + 3 + 6 + 3);
    for (const box of [...bar, ...content]) assert.ok(within(box, window), `${box.what} is in the window`);
    for (const part of bar) {
      for (const box of content) assert.ok(!overlap(part, box), `${part.what} and ${box.what}`);
    }
    await page.context().setOffline(true);
    await person.answer(0);
    await page.getByText("No connection").waitFor();
    await person.picture("offline");
    const offline = await layout(page);
    assert.equal(offline.scale, scale, "texts about the connection take no space from the trial");
    await page.context().setOffline(false);

    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByText("Leave the study?").waitFor();
    await person.press("Stay");
    await person.button("Continue").waitFor();
    await person.goesOn({ mouse: true });
    const [row] = await answers(1);
    assert.ok(Math.abs(Number(row.display_scale) - scale) < 1e-3);
    assert.equal(row.device_scale, row.display_scale);
    person.assertNoFaults();
    await page.context().close();
  });
}

test("an answer has device px per image px, the pointer's press, and the time for which the page was hidden before Continue", async () => {
  const person = await inTrials({ name: "device", size: [1000, 700], pixelRatio: 1.5 });
  const { page } = person;
  const drawn = await page.locator(".trial-query img").first().evaluate((image) => image.getBoundingClientRect().width * 1.5);
  const number = page.locator(".trial-numbers button").nth(4);
  await number.hover();
  await page.mouse.down();
  await new Promise((resolve) => setTimeout(resolve, 120));
  await page.mouse.up();
  await person.button("Continue").waitFor();
  await page.evaluate(async () => {
    const say = (hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    };
    say(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    say(false);
    delete document.hidden;
  });
  await person.goesOn({ mouse: true });
  await person.trial(/^Trial 2 /);
  await person.answer(1);
  await person.goesOn();

  const [first, second] = await answers(2);
  assert.ok(Math.abs(Number(first.device_scale) - drawn / 224) < 1e-3, `${first.device_scale} is ${drawn} / 224`);
  assert.ok(Math.abs(Number(first.device_scale) - 1.5 * Number(first.display_scale)) < 1e-3);
  const held = Number(first.rt) - Number(first.pointerdown_rt);
  assert.ok(first.pointerdown_rt !== "" && held >= 100, `the button was down for ${held} ms`);
  assert.ok(Number(first.continue_hidden_ms) >= 290, first.continue_hidden_ms);
  assert.ok(Number(first.continue_hidden_ms) <= Number(first.continue_rt));
  assert.equal(first.hidden_ms, "0");
  assert.deepEqual([second.input, second.pointerdown_rt, second.continue_hidden_ms], ["key", "", "0"]);
  person.assertNoFaults();
  await page.context().close();
});

test("an answer has the interval between the browser's frames", async () => {
  const frames = 100 / 3;
  const slow = await inTrials({
    name: "slow-frames",
    prepare: (context) =>
      context.addInitScript((frames) => {
        // A browser that draws 30 times a second: a frame begins at whole multiples of its interval only.
        const request = window.requestAnimationFrame.bind(window);
        let last = -1;
        /** All callbacks of one frame get the same time. */
        let waiting = [];
        const draw = (time) => {
          const frame = Math.floor(time / frames);
          if (frame === last) return void request(draw);
          last = frame;
          const callbacks = waiting;
          waiting = [];
          callbacks.forEach(({ callback }) => callback(frame * frames));
          if (waiting.length > 0) request(draw);
        };
        let id = 0;
        window.requestAnimationFrame = (callback) => {
          waiting.push({ id: ++id, callback });
          if (waiting.length === 1) request(draw);
          return id;
        };
        window.cancelAnimationFrame = (gone) => (waiting = waiting.filter((other) => other.id !== gone));
      }, frames),
  });
  await slow.answersUpTo(2);
  for (const { frame_ms } of await answers(2)) {
    const count = Number(frame_ms) / frames;
    assert.ok(count >= 0.99 && Math.abs(count * 2 - Math.round(count * 2)) < 0.01, `${frame_ms} ms`);
  }
  await slow.page.context().close();

  const usual = await inTrials({ name: "usual-frames" });
  await usual.answersUpTo(1);
  const [{ frame_ms }] = await answers(1);
  assert.ok(Number(frame_ms) > 0, `${frame_ms} ms`);
  await usual.page.context().close();
});

test("presses before the onset do not answer the trial and are stored as events, also while images load", async () => {
  let isHeld = false;
  /** @type {(() => void)[]} */
  let held = [];
  const person = await inTrials({
    name: "early",
    prepare: (context) =>
      context.route("**/images/*", async (route) => {
        // Only the images of the first trial are served at once.
        if (isHeld) await new Promise((resolve) => held.push(resolve));
        await route.continue().catch(() => {});
      }),
  });
  const { page } = person;
  // A page that was just reloaded has no image yet.
  isHeld = true;
  await page.reload();
  await person.sees("Welcome back");
  await person.press("Go on");
  await page.getByText("still on their way").waitFor();
  await page.keyboard.press("k");
  await page.keyboard.press("x");
  await page.mouse.click(600, 400);
  for (let i = 0; i < 9; i++) await page.keyboard.press("s");
  isHeld = false;
  held.forEach((go) => go());
  await person.trial(/^Trial 1 /);
  assert.equal(await page.locator(".trial-numbers [aria-disabled]").count(), 0, "nothing is answered");
  await person.answer(3);

  // The press comes after the screen is in the page, and before the second frame.
  await page.evaluate(() => {
    const observer = new MutationObserver(() => {
      const number = document.querySelectorAll(".trial-numbers button")[5];
      if (!number || document.querySelector("h1").textContent !== "Trial 2 of 21") return;
      observer.disconnect();
      const { left, top } = number.getBoundingClientRect();
      const place = { clientX: left + 5, clientY: top + 5, bubbles: true, pointerType: "touch" };
      queueMicrotask(() => {
        number.dispatchEvent(new PointerEvent("pointerdown", place));
        number.dispatchEvent(new MouseEvent("click", { ...place, detail: 1 }));
      });
    });
    observer.observe(document.querySelector("main"), { childList: true, subtree: true });
  });
  await person.goesOn();
  await person.trial(/^Trial 2 /);
  assert.equal(await page.locator(".trial-numbers [aria-disabled]").count(), 0, "nothing is answered");
  await person.answer(0);
  await person.goesOn();

  const events = await eventsOf("early_press", 6);
  const known = events.map(({ screen, input, button, shown }) => [screen, input, button, shown]);
  const hammered = Array(3).fill(["main:1", "key", 0, false]);
  assert.deepEqual(known, [
    ["main:1", "key", 4, false],
    ["main:1", "mouse", null, false],
    ...hammered,
    ["main:2", "touch", 5, true],
  ]);
  assert.ok(events.every(({ at }) => at > 0));
  const rows = await answers(2);
  assert.deepEqual(rows.map((row) => row.response), ["3", "0"]);
  person.assertNoFaults();
  await page.context().close();
});

test("a zoom and a move to another screen are stored as events with the window's size and pixel ratio", async () => {
  const person = await inTrials({
    name: "zoom",
    prepare: (context) =>
      context.addInitScript(() => {
        // A change of the pixel ratio by the debugger does not trigger the page's media queries.
        const look = window.matchMedia.bind(window);
        window.asked = [];
        window.matchMedia = (query) => {
          const list = look(query);
          window.asked.push(list);
          return list;
        };
      }),
  });
  const { page } = person;
  const session = await page.context().newCDPSession(page);
  const look = (width, height, deviceScaleFactor) =>
    session.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor, mobile: false });
  await look(1024, 640, 1.25);
  await eventsOf("resize", 1);
  await look(1024, 640, 2.5);
  await page.evaluate(() => window.asked.forEach((list) => list.dispatchEvent(new Event("change"))));
  const events = await eventsOf("resize", 2);
  const sizes = events.map(({ width, height, pixel_ratio }) => [width, height, pixel_ratio]);
  assert.deepEqual(sizes, [[1024, 640, 1.25], [1024, 640, 2.5]]);
  await person.answersUpTo(1);
  const [row] = await answers(1);
  assert.ok(Math.abs(Number(row.device_scale) - 2.5 * Number(row.display_scale)) < 1e-3, row.device_scale);
  await page.context().close();
});
