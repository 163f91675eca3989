/**
 * What the server has not confirmed yet. It is kept over a reload and sent in its order, again and again, until it is.
 *
 * Each opening of the participation has a box of its own, under its own key: tabs never write into each other's. A new
 * page takes over the boxes of those before it. If an older page still lives and sends the same, that is harmless: the
 * server takes everything once.
 */
import { Refusal, pause, post } from "./api.js";
import { storage } from "./storage.js";

/** @import { Answer, Place, RecordReply, Step, StudyEvent } from "./types.js" */

/** How long events wait for company. */
const BATCH_DELAY_MS = 1500;
/** What was refused so often will be refused again. */
const MOST_REFUSALS = 2;
/** A record must stay below the server's bound for a body, and a goodbye below the browser's for keepalive (64 KiB). */
const MOST_PARTS = 25;

/**
 * @typedef {object} Box
 * @property {number} tab
 * @property {Step[]} steps
 * @property {Answer[]} answers
 * @property {StudyEvent[]} events
 */

/** @typedef {Box & {clock_ms: number, screen: string}} Message */

/**
 * @typedef {object} Listener
 * @property {() => {clock_ms: number, screen: string}} now what every record tells besides
 * @property {(reply: RecordReply, tab: number) => void} onReply
 * @property {(trouble: boolean) => void} onTrouble whether the server cannot be reached
 * @property {(answer: Answer) => void} onDropped an answer that the server could not read
 * @property {() => void} onUnknown the server does not know the participation
 * @property {(code: string) => void} onRefused the server refuses even a sign of life, again and again
 */

export class Outbox {
  #token;
  #key;
  #listener;
  /** @type {Box[]} Oldest first; the last one is this page's. */
  #boxes;
  #own;
  #seq = 0;
  #most = MOST_PARTS;
  #tries = 0;
  /** In a row. */
  #refusals = 0;
  #sending = false;
  #again = false;
  #lastSent = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #timerAt = Infinity;
  /** @type {(() => void)[]} */
  #waiting = [];
  #stopped = new AbortController();

  /**
   * @param {string} token
   * @param {string} key where boxes are kept
   * @param {number} tab
   * @param {Listener} listener
   */
  constructor(token, key, tab, listener) {
    this.#token = token;
    this.#key = key;
    this.#listener = listener;
    this.#own = /** @type {Box} */ ({ tab, steps: [], answers: [], events: [] });
    this.#boxes = [...leftovers(key, tab), this.#own];
    const { signal } = this.#stopped;
    const goodbye = () => this.#goodbye();
    const hurry = () => this.#sendIn(0);
    addEventListener("online", hurry, { signal });
    addEventListener("pageshow", hurry, { signal });
    addEventListener("pagehide", goodbye, { signal });
    document.addEventListener("visibilitychange", () => document.hidden && goodbye(), { signal });
  }

  /** @param {Step} step */
  addStep(step) {
    this.#own.steps.push(step);
    this.#keep(this.#own);
    this.#sendIn(0);
  }

  /** An answer, or the same one again with its time to Continue, which can wait for company. @param {Answer} answer */
  addAnswer(answer) {
    const { answers } = this.#own;
    const before = answers.findIndex((other) => isSamePlace(other, answer));
    if (before >= 0) answers[before] = answer;
    else answers.push(answer);
    this.#keep(this.#own);
    this.#sendIn(answer.continue_rt === null ? 0 : BATCH_DELAY_MS);
  }

  /** @param {string} kind @param {number | null} at @param {Record<string, unknown>} detail */
  addEvent(kind, at, detail) {
    this.#own.events.push({ seq: ++this.#seq, kind, at, detail });
    this.#keep(this.#own);
    this.#sendIn(BATCH_DELAY_MS);
  }

  /** A sign of life, unless there was one just now. @param {number} everyMs */
  beat(everyMs) {
    if (performance.now() - this.#lastSent >= everyMs * 0.9) this.#sendIn(0);
  }

  /** The places of all answers that wait to be confirmed. @returns {Place[]} */
  get unconfirmed() {
    return this.#boxes.flatMap((box) => box.answers);
  }

  /** Whether steps or answers wait: what must not be lost. */
  get holdsWork() {
    return this.#boxes.some((box) => box.steps.length + box.answers.length > 0);
  }

  /** Settles when all steps and answers are confirmed. @returns {Promise<void>} */
  delivered() {
    if (!this.holdsWork) return Promise.resolve();
    this.#sendIn(0);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends nothing more. */
  stop() {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  /** @param {Box} box */
  #keep(box) {
    const key = `${this.#key}.${box.tab}`;
    if (isEmpty(box)) storage.remove(key);
    else storage.set(key, box);
  }

  /** The page may not come back: what waits goes out with a request that outlives it. */
  #goodbye() {
    const box = this.#nextBox();
    if (isEmpty(box)) return;
    const message = this.#message(box);
    post("/api/v1/records", message, { token: this.#token, keepalive: true }).then(
      (reply) => this.#confirm(box, message, reply),
      () => {}, // It is still in the box, and goes out when the page or the next one can.
    );
  }

  /** @param {number} ms */
  #sendIn(ms) {
    const at = performance.now() + ms;
    if (this.#stopped.signal.aborted || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      if (this.#sending) this.#again = true;
      else void this.#send();
    }, ms);
  }

  #nextBox() {
    return this.#boxes.find((box) => !isEmpty(box)) ?? this.#own;
  }

  /** @param {Box} box @returns {Message} */
  #message(box) {
    const steps = box.steps.slice(0, this.#most);
    const answers = box.answers.slice(0, this.#most - steps.length);
    const events = box.events.slice(0, this.#most - steps.length - answers.length);
    return { tab: box.tab, ...this.#listener.now(), steps, answers, events };
  }

  async #send() {
    this.#sending = true;
    this.#again = false;
    const box = this.#nextBox();
    const message = this.#message(box);
    try {
      const reply = await post("/api/v1/records", message, { token: this.#token });
      this.#tries = 0;
      this.#refusals = 0;
      this.#most = MOST_PARTS;
      this.#lastSent = performance.now();
      this.#listener.onTrouble(false);
      this.#confirm(box, message, reply);
      const rest = this.#nextBox();
      if (!isEmpty(rest)) this.#sendIn(rest === box && size(message) < MOST_PARTS ? BATCH_DELAY_MS : 0);
    } catch (error) {
      this.#fail(error, box, message);
    } finally {
      this.#sending = false;
      if (this.#again) this.#sendIn(0);
    }
  }

  /** @param {unknown} error @param {Box} box @param {Message} message */
  #fail(error, box, message) {
    const code = error instanceof Refusal ? error.code : "";
    if (code === "unknown_token") {
      this.stop();
      this.#listener.onUnknown();
    } else if (code === "malformed" && size(message) > 0) {
      this.#isolate(error, box, message);
    } else {
      this.#listener.onTrouble(true);
      this.#refusals = error instanceof Refusal ? this.#refusals + 1 : 0;
      if (this.#refusals === MOST_REFUSALS) this.#listener.onRefused(code);
      this.#sendIn(pause(++this.#tries));
    }
  }

  /**
   * The server could not read the message, which only a fault of this program can bring about: one part must not hold up
   * the others, so they go one by one, and a part that is refused alone is dropped.
   *
   * @param {unknown} error @param {Box} box @param {Message} message
   */
  #isolate(error, box, message) {
    this.#sendIn(0);
    if (size(message) > 1) {
      this.#most = 1;
      return;
    }
    this.#remove(box, message);
    message.answers.forEach((answer) => this.#listener.onDropped(answer));
    if (message.events[0]?.kind !== "program_error") {
      const detail = error instanceof Refusal ? error.detail : "";
      this.addEvent("program_error", null, { message: `The server could not read a record: ${detail}` });
    }
  }

  /** @param {Box} box @param {Message} message @param {RecordReply} reply */
  #confirm(box, message, reply) {
    this.#remove(box, message);
    this.#listener.onReply(reply, box.tab);
  }

  /** What was added or changed since the message was made stays. @param {Box} box @param {Message} message */
  #remove(box, message) {
    box.steps = box.steps.filter((step) => !message.steps.includes(step));
    box.answers = box.answers.filter((answer) => !message.answers.includes(answer));
    box.events = box.events.filter((event) => !message.events.includes(event));
    this.#keep(box);
    this.#boxes = this.#boxes.filter((other) => other === this.#own || !isEmpty(other));
    if (!this.holdsWork) this.#waiting.splice(0).forEach((resolve) => resolve());
  }
}

/** @param {string} key @param {number} tab @returns {Box[]} What pages before this one left behind. */
function leftovers(key, tab) {
  const boxes = storage.keys(`${key}.`).map((name) => /** @type {Box | null} */ (storage.get(name)));
  return boxes
    .filter((box) => box !== null)
    .filter((box) => box.tab < tab)
    .sort((a, b) => a.tab - b.tab);
}

/** @param {Pick<Box, "steps" | "answers" | "events">} box */
function size(box) {
  return box.steps.length + box.answers.length + box.events.length;
}

/** @param {Box} box */
function isEmpty(box) {
  return size(box) === 0;
}

/** @param {Place} a @param {Place} b */
export function isSamePlace(a, b) {
  return a.block === b.block && a.attempt === b.attempt && a.trial_index === b.trial_index;
}
