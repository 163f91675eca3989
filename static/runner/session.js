/**
 * A participation in this page. It knows how far the participant is, from the server's replies and from the steps and
 * answers that are not confirmed yet.
 */
import { post, untilAnswered } from "./api.js";
import { Clock } from "./clock.js";
import { FrameMeter } from "./frame-meter.js";
import { Images } from "./images.js";
import { Outbox, isSamePlace } from "./outbox.js";
import { shortHash, storage } from "./storage.js";
import { Tabs } from "./tabs.js";

/** @import { AnswerReply, Block, BlockName, Measures, Opened, Place, RecordReply, Return, Stage, StepName, Trial } from "./types.js" */

/** @type {Stage[]} In their order. */
const STAGES = ["consented", "instructed", "practised", "running", "complete", "abandoned", "withdrawn"];

/** The server knows something newer about the participation than this page. The page has to open it again. */
export class OutOfStep extends Error {}

/**
 * @typedef {object} Watcher
 * @property {(trouble: boolean) => void} onTrouble whether the server cannot be reached
 * @property {() => void} onSuperseded a newer page has opened the participation
 * @property {() => void} onEnded the participation has ended, though not in this page
 * @property {() => void} onUnknown the server does not know the participation
 * @property {(code: string) => void} onRefused the server refuses every record of this page
 */

export class Session {
  clock = new Clock();
  frames = new FrameMeter();
  images = new Images((tries, reason) => this.note("image_failure", { try: tries, reason }));
  /** The screen that is shown, as the record names it. */
  screen = "load";
  /** Whether this page is in the middle of the participation, so that it has to react if the participation ends elsewhere. */
  isUnderWay = false;
  #token;
  #watcher;
  #key;
  #tabs;
  /** @type {Opened | null} */
  #opened = null;
  /** @type {Outbox | null} */
  #outbox = null;
  /** @type {{kind: string, at: number | null, detail: Record<string, unknown>}[]} Events from before the server gave the page its number. */
  #early = [];
  /** @type {Map<string, (reply: AnswerReply) => void>} What to call with the reply to an answer, by the answer's place. */
  #expecting = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heart;
  #isTroubled = false;

  /** @param {string} token @param {Watcher} watcher */
  constructor(token, watcher) {
    this.#token = token;
    this.#watcher = watcher;
    this.#key = shortHash(token);
    this.#tabs = new Tabs(this.#key, (tab) => {
      if (this.#opened && tab > this.#opened.tab) watcher.onSuperseded();
    });
    addEventListener("beforeunload", (event) => {
      // The browser asks before it leaves the page, because unsent answers would be delayed, or lost if it has no storage.
      if (this.#isTroubled && this.#outbox?.holdsWork) event.preventDefault();
    });
  }

  /** Opens the participation in this page, and repeats the request until the server answers. @param {string} navigation */
  async open(navigation) {
    const request = () => this.post("open", { navigation });
    const opened = /** @type {Opened} */ (await untilAnswered(request, (trouble) => this.#trouble(trouble)));
    this.#retire();
    this.#opened = opened;
    this.isUnderWay = false;
    this.#startClock(opened.clock_ms);
    this.#outbox = new Outbox(this.#token, `weber.outbox.${this.#key}`, opened.tab, {
      now: () => ({ clock_ms: this.clock.now() ?? 0, screen: this.screen }),
      onReply: (reply, tab) => this.#learn(reply, tab),
      onTrouble: (trouble) => this.#trouble(trouble),
      onDropped: (answer) => this.#resolve({ ...placeOf(answer), status: "refused", code: "malformed" }),
      onUnknown: () => this.#watcher.onUnknown(),
      onRefused: (code) => this.#watcher.onRefused(code),
    });
    const outbox = this.#outbox;
    this.#tabs.announce(opened.tab);
    this.#early.splice(0).forEach(({ kind, at, detail }) => outbox.addEvent(kind, at, detail));
    const everyMs = opened.study.heartbeat_s * 1000;
    this.#heart = setInterval(() => outbox.beat(everyMs), everyMs);
    // Steps and answers that an earlier page has not sent yet decide where the participant continues.
    await outbox.delivered();
    this.isUnderWay = !hasEnded(opened);
  }

  /** Stops the page's heartbeat and sends what is left, because a newer page continues the participation. */
  rest() {
    clearInterval(this.#heart);
    const outbox = this.#outbox;
    void outbox?.delivered().then(() => outbox.stop());
  }

  #retire() {
    clearInterval(this.#heart);
    this.#outbox?.stop();
  }

  /** @param {number | null} serverMs */
  #startClock(serverMs) {
    if (this.clock.now() !== null) return;
    const welcomedAt = /** @type {number | null} */ (this.recall("welcomedAt"));
    if (serverMs !== null) this.clock.runFrom(serverMs);
    else if (welcomedAt !== null) this.clock.runFrom(Math.max(0, Date.now() - welcomedAt));
  }

  /** How far the participant is, as a text. A fault that happens twice at one place is taken to be permanent. */
  get place() {
    const given = [...(this.#opened?.answers ?? []), ...(this.#outbox?.unconfirmed ?? [])];
    return `${this.#opened?.stage ?? "unopened"}, ${new Set(given.map(keyOf)).size} answers`;
  }

  /** The study's contact and the participant's code; null before the server has answered. */
  get whom() {
    return this.#opened && { contact: this.#opened.study.contact, participant: this.#opened.participant };
  }

  /** The server's reply to the opening of the participation, kept up to date by later replies. */
  get opened() {
    if (!this.#opened) throw new Error("The participation is not open yet.");
    return this.#opened;
  }

  get outbox() {
    if (!this.#outbox) throw new Error("The participation is not open yet.");
    return this.#outbox;
  }

  /** A request that is not a record. @param {string} path @param {Record<string, unknown>} body */
  post(path, body) {
    return post(`/api/v1/${path}`, body, { token: this.#token });
  }

  /** Ends the participation early; there is no way back. @param {"left" | "screened_out"} reason */
  async leave(reason) {
    await this.outbox.delivered();
    this.isUnderWay = false;
    const reply = await this.#insist("leave", { reason });
    // A participation whose answers are all there counts as complete, although the participant pressed Leave.
    const isComplete = reply.outcome === "complete" || reply.outcome === "timed_out";
    this.#finish(isComplete ? "complete" : "abandoned", reply);
  }

  /**
   * Hands the participation in.
   *
   * @param {number} clock_ms at the press on Submit
   * @param {string} feedback
   */
  async complete(clock_ms, feedback) {
    await this.outbox.delivered();
    this.isUnderWay = false;
    this.#finish("complete", await this.#insist("complete", { tab: this.opened.tab, clock_ms, feedback }));
  }

  /** @param {string} path @param {Record<string, unknown>} body */
  #insist(path, body) {
    return untilAnswered(() => this.post(path, body), (trouble) => this.#trouble(trouble));
  }

  /** @param {Stage} stage @param {{outcome: string | null, return: Return}} reply */
  #finish(stage, reply) {
    this.opened.stage = stage;
    this.opened.outcome = reply.outcome;
    this.opened.return = reply.return;
  }

  /** @param {string} kind @param {Record<string, unknown>} [detail] @param {number | null} [at] by the experiment clock */
  note(kind, detail = {}, at = this.clock.now()) {
    if (this.#outbox) this.#outbox.addEvent(kind, at, detail);
    else this.#early.push({ kind, at, detail });
  }

  /** @param {StepName} step */
  takeStep(step) {
    if (step === "welcome") {
      this.clock.runFrom(0);
      this.remember("welcomedAt", Date.now());
    }
    const load_wait = step === "instructed" ? (this.recall("loadWait") ?? 0) : 0;
    this.outbox.addStep({ step, clock_ms: this.clock.now() ?? 0, load_wait });
    // The page does not wait for the reply: the outbox sends the step before everything that depends on it.
    if (step === "instructed") this.opened.stage = later(this.opened.stage, "instructed");
    if (step === "main") this.opened.stage = later(this.opened.stage, "running");
  }

  /** @param {Place} place @param {Measures} measures */
  answer(place, measures) {
    this.outbox.addAnswer({ ...place, ...measures });
  }

  /** The server's reply to an answer that is about to be given. @param {Place} place @returns {Promise<AnswerReply>} */
  replyTo(place) {
    return new Promise((resolve) => this.#expecting.set(keyOf(place), resolve));
  }

  /** @param {BlockName} block @param {number} attempt @returns {Block | undefined} */
  block(block, attempt) {
    return this.opened.blocks.find((other) => other.block === block && other.attempt === attempt);
  }

  /** The first trial of a block that has no answer, here or at the server. @param {Block} block @returns {Trial | undefined} */
  nextTrial(block) {
    const given = [...this.opened.answers, ...this.outbox.unconfirmed];
    return block.trials.find((trial) => !given.some((answer) => isSamePlace(answer, placeIn(block, trial))));
  }

  /** Counts these trials as unanswered again, because the server has no answers to them. @param {Place[]} places */
  forget(places) {
    const { answers } = this.opened;
    this.opened.answers = answers.filter((answer) => !places.some((place) => isSamePlace(answer, place)));
  }

  /** @param {RecordReply} reply @param {number} tab whose record it was */
  #learn(reply, tab) {
    const { opened } = this;
    opened.stage = later(opened.stage, reply.stage);
    opened.practice_attempt = reply.practice_attempt;
    const { next_block: drawn } = reply;
    if (drawn && !this.block(drawn.block, drawn.attempt)) opened.blocks.push(drawn);
    for (const answer of reply.answers) {
      const isThere = answer.status !== "refused" || answer.code === "conflict";
      if (isThere) opened.answers.push(placeOf(answer));
      this.#resolve(answer);
    }
    if (reply.superseded && tab === opened.tab) this.#watcher.onSuperseded();
    else if (hasEnded(opened) && this.isUnderWay) this.#watcher.onEnded();
  }

  /** @param {AnswerReply} reply */
  #resolve(reply) {
    this.#expecting.get(keyOf(reply))?.(reply);
    this.#expecting.delete(keyOf(reply));
  }

  /** @param {boolean} trouble */
  #trouble(trouble) {
    this.#isTroubled = trouble;
    this.#watcher.onTrouble(trouble);
  }

  /** A value about the participation that the browser kept over a reload; null if there is none. @param {string} name @returns {any} */
  recall(name) {
    return storage.get(`weber.run.${this.#key}`)?.[name] ?? null;
  }

  /** @param {string} name @param {unknown} value */
  remember(name, value) {
    const key = `weber.run.${this.#key}`;
    storage.set(key, { ...storage.get(key), [name]: value });
  }
}

/** The later of two stages: a reply may be older than a step that was taken in the meantime. @param {Stage} a @param {Stage} b */
function later(a, b) {
  return STAGES.indexOf(a) > STAGES.indexOf(b) ? a : b;
}

/** @param {Pick<Opened, "stage">} opened */
export function hasEnded({ stage }) {
  return stage === "complete" || stage === "abandoned" || stage === "withdrawn";
}

/** @param {Block} block @param {Trial} trial @returns {Place} */
export function placeIn({ block, attempt }, { trial_index }) {
  return { block, attempt, trial_index };
}

/** @param {Place} place @returns {Place} */
function placeOf({ block, attempt, trial_index }) {
  return { block, attempt, trial_index };
}

/** A trial's place as a text, such as `practice:2:5`. @param {Place} place */
export function keyOf({ block, attempt, trial_index }) {
  return block === "main" ? `main:${trial_index}` : `practice:${attempt}:${trial_index}`;
}

/** All images of a trial. @param {Trial} trial */
export function imagesOf({ references, base, left, right }) {
  return [...references, base, left, right];
}
