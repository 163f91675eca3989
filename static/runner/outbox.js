/**
 * The outbox holds the steps, answers and events that the server has not confirmed yet. It keeps them over a reload, and
 * sends them in their order until they are confirmed.
 *
 * Each opening of the participation has a box of its own, under its own storage key, so that two tabs never write the same
 * box. A new page takes over the boxes of the pages before it. An older page may still be open and send the same parts:
 * the server stores each part once.
 */
import { Refusal, pause, post } from "./api.js";
import { storage } from "./storage.js";

/** @import { Answer, Place, RecordReply, Step, StudyEvent } from "./types.js" */

/** How long events wait for others, so that one record carries several. */
const BATCH_DELAY_MS = 1500;
/** After so many refusals in a row the page stops and says where to get help. */
const MOST_REFUSALS = 2;
/** A record must stay below the server's limit of a body, and below the browser's limit of a keepalive request (64 KiB). */
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
 * @property {() => {clock_ms: number, screen: string}} now the time and the screen, which every record carries
 * @property {(reply: RecordReply, tab: number) => void} onReply
 * @property {(trouble: boolean) => void} onTrouble whether the server cannot be reached
 * @property {(answer: Answer) => void} onDropped an answer that the server could not read
 * @property {() => void} onUnknown the server does not know the participation
 * @property {(code: string) => void} onRefused the server has refused several records in a row
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
  /** How many refusals came in a row. */
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

  /** Adds an answer, or replaces it by the one with the time to Continue, which need not be sent at once. @param {Answer} answer */
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

  /** Sends a sign of life, unless a record was sent within the interval. @param {number} everyMs */
  beat(everyMs) {
    if (performance.now() - this.#lastSent >= everyMs * 0.9) this.#sendIn(0);
  }

  /** The places of all answers that are not confirmed. @returns {Place[]} */
  get unconfirmed() {
    return this.#boxes.flatMap((box) => box.answers);
  }

  /** Whether steps or answers are not confirmed. Events do not count, since losing them costs no work. */
  get holdsWork() {
    return this.#boxes.some((box) => box.steps.length + box.answers.length > 0);
  }

  /** Settles when all steps and answers are confirmed. @returns {Promise<void>} */
  delivered() {
    if (!this.holdsWork) return Promise.resolve();
    this.#sendIn(0);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends all sending from this page. */
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

  /** Sends what is unconfirmed with a request that outlives the page, because the page may be closing. */
  #goodbye() {
    const box = this.#nextBox();
    if (isEmpty(box)) return;
    const message = this.#message(box);
    post("/api/v1/records", message, { token: this.#token, keepalive: true }).then(
      (reply) => this.#confirm(box, message, reply),
      () => {}, // The parts are still in the box, and this page or the next one sends them.
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
   * Deals with a message that the server could not read, which only a fault of this program can cause. The parts are sent
   * one by one, and a part that is refused alone is dropped, so that it does not block the others.
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

  /** Removes what the message held. Parts that were added or replaced since then stay. @param {Box} box @param {Message} message */
  #remove(box, message) {
    box.steps = box.steps.filter((step) => !message.steps.includes(step));
    box.answers = box.answers.filter((answer) => !message.answers.includes(answer));
    box.events = box.events.filter((event) => !message.events.includes(event));
    this.#keep(box);
    this.#boxes = this.#boxes.filter((other) => other === this.#own || !isEmpty(other));
    if (!this.holdsWork) this.#waiting.splice(0).forEach((resolve) => resolve());
  }
}

/** @param {string} key @param {number} tab @returns {Box[]} The unsent boxes of pages before this one. */
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
