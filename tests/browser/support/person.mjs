// A person at a real browser. Tests use texts, buttons and pictures only, as people do.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { CHROMIUM, SCREENSHOTS, STUDY } from "./places.mjs";
import { parseCsv } from "./server.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const LAPTOP = { width: 1280, height: 800 };
const KEYS = ["s", "d", "f", "j", "k", "l"];

export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--headless=new",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** The hash of a JPEG's compressed pixels. Its metadata are left out, because the server changes them. */
function pixelsOf(bytes) {
  let at = 2;
  while (bytes[at + 1] !== 0xda) at += 2 + bytes.readUInt16BE(at + 2);
  let end = at;
  do end = bytes.indexOf(0xff, end + 1);
  while (bytes[end + 1] === 0 || (bytes[end + 1] >= 0xd0 && bytes[end + 1] <= 0xd7));
  return createHash("sha256").update(bytes.subarray(at, end)).digest("hex");
}

/** The kind of each query of the study folder, by the hash of its pixels. */
const known = new Map();
for (const row of parseCsv(readFileSync(`${STUDY}/trials.csv`, "utf8"))) {
  for (const kind of ["max", "min"]) known.set(pixelsOf(readFileSync(`${STUDY}/${row[`${kind}_query`]}`)), kind);
}

export class Person {
  #shots = 0;
  /** The presses in main trials: {trial_index, response}. */
  pressed = [];

  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.faults = [];
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      // Chromium reports each failed request and each lost connection as an error; the tests cause these on purpose.
      const isNetwork = /Failed to load resource|net::ERR/.test(message.text());
      if (message.type() === "error" && !isNetwork) this.faults.push(message.text());
    });
  }

  static async arrive(browser, address, { name = "", size = [1280, 800], context } = {}) {
    const [width, height] = size;
    const world = context ?? (await browser.newContext({ viewport: { width, height }, screen: LAPTOP }));
    const person = new Person(await world.newPage(), name);
    await person.page.goto(address);
    return person;
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: false });
  }

  async press(name) {
    await this.button(name).click();
  }

  async sees(heading) {
    await this.page.getByRole("heading", { name: heading }).first().waitFor();
  }

  async heading() {
    return (await this.page.locator("h1, h2").first().textContent()) ?? "";
  }

  /** Saves a screenshot. */
  async picture(name) {
    if (!SCREENSHOTS) return;
    const number = String(++this.#shots).padStart(2, "0");
    await this.page.screenshot({ path: `${SCREENSHOTS}/${this.name}-${number}-${name}.png` });
  }

  /** Asserts that the page breaks no rule of WCAG 2.2 A and AA, and saves a screenshot. */
  async checkPage(name) {
    await this.page.evaluate(() => document.fonts.ready);
    await this.picture(name);
    // The pages' Content-Security-Policy forbids other scripts, so axe is run through the debugger.
    const source = readFileSync(AXE, "utf8");
    await this.page.evaluate(`${source}; 0`);
    const { violations } = await this.page.evaluate(() =>
      globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
    );
    assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], name);
  }

  /** Goes from the consent page to the button Fill the screen, by mouse. Returns the number of pages of instructions. */
  async reads({ check = false } = {}) {
    await this.sees("Which image");
    if (check) await this.checkPage("consent");
    await this.press("I agree");
    await this.sees("Welcome");
    if (check) await this.checkPage("welcome");
    await this.press("Next");
    const counter = this.page.getByText(/^Page \d+ of \d+$/);
    const [, , , last] = (await counter.textContent()).split(" ");
    for (let page = 1; page <= Number(last); page++) {
      await this.page.getByText(`Page ${page} of ${last}`).waitFor();
      if (check) await this.checkPage(`instructions-${page}`);
      await this.press("Next");
    }
    await this.sees("Fill the screen");
    if (check) await this.checkPage("fullscreen");
    await this.press("Fill the screen");
    return Number(last);
  }

  /** Waits for a trial that can be answered. Returns its title. */
  async trial(title = /^(Practice trial|Trial) \d+ of \d+$/) {
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
    await this.page.locator(".trial-numbers button:not([aria-disabled])").first().waitFor();
    // The onset is the second frame after the screen appeared, and no person answers before it.
    await this.page.evaluate(() => new Promise((seen) => setTimeout(() => requestAnimationFrame(seen), 50)));
    return this.page.locator("h1").textContent();
  }

  /** The side of the max query: 0 left, 1 right. */
  async correctSide() {
    const files = await this.page.locator(".trial-query img").evaluateAll((images) =>
      Promise.all(
        images.map(async (image) => {
          const bytes = await (await fetch(image.src, { cache: "force-cache" })).arrayBuffer();
          return [...new Uint8Array(bytes)];
        }),
      ),
    );
    const kinds = files.map((bytes) => known.get(pixelsOf(Buffer.from(bytes))));
    assert.ok(kinds.includes("max"), "one of the two pictures is the max query");
    return kinds.indexOf("max");
  }

  /** Answers the trial that is shown, by key or mouse, and remembers it. */
  async answer(response, { mouse = false } = {}) {
    const title = await this.trial();
    if (mouse) await this.page.locator(".trial-numbers button").nth(response).click();
    else await this.page.keyboard.press(KEYS[response]);
    const main = /^Trial (\d+)/.exec(title);
    if (main) this.pressed.push({ trial_index: Number(main[1]), response });
    return title;
  }

  async goesOn({ mouse = false } = {}) {
    const next = this.button("Continue");
    await next.waitFor();
    if (mouse) await next.click();
    else await this.page.keyboard.press("Enter");
  }

  /** Answers a practice trial correctly or not, and reads the feedback. */
  async practises(rightly, { check = false } = {}) {
    await this.trial(/^Practice trial/);
    const side = rightly ? await this.correctSide() : 1 - (await this.correctSide());
    if (check) await this.checkPage("practice-trial");
    await this.answer(side === 0 ? 0 : 5);
    await this.goesOn();
    const words = rightly ? "That was correct!" : "That was incorrect!";
    await this.page.getByText(words).waitFor();
    if (check) await this.checkPage(rightly ? "practice-correct" : "practice-incorrect");
    await this.goesOn();
  }

  /** Answers a whole practice block correctly. */
  async passesPractice(options) {
    for (let i = 0; i < 4; i++) await this.practises(true, options);
    await this.sees("real trials");
  }

  /** Answers main trials from the shown one to the given number, inclusive, with varied responses. */
  async answersUpTo(last, options) {
    for (;;) {
      const title = await this.trial(/^Trial/);
      const n = Number(/\d+/.exec(title)[0]);
      await this.answer((n * 5 + 3) % 6, options);
      await this.goesOn(options);
      if (n >= last) return;
      await this.trial(new RegExp(`^Trial ${n + 1} `));
    }
  }

  async submits(words = "") {
    await this.sees("Almost done");
    if (words) await this.page.getByLabel("Your comments").fill(words);
    await this.press("Submit");
    await this.sees("Thank you");
  }

  /** The stored answers, in the order of the trials. */
  stored(server) {
    return server.exported("trials.csv").filter((row) => row.participant === this.pseudonym && row.block === "main");
  }

  assertNoFaults() {
    assert.deepEqual(this.faults, []);
  }
}
