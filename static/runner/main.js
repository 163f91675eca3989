/** The page of the trial program. It opens the participation that the address names, and runs it until it has ended. */
import { Refusal } from "./api.js";
import { ask } from "./dialog.js";
import { make } from "./dom.js";
import { showEnd } from "./end.js";
import { watchBrowser, withoutSecrets } from "./events.js";
import { Frame } from "./frame.js";
import { leaveFullscreen, watchFullscreen } from "./fullscreen.js";
import { choose, tell, words } from "./pages.js";
import { OutOfStep, Session, hasEnded } from "./session.js";
import { takePart } from "./screens.js";

/** @import { View } from "./frame.js" */

const TROUBLE = "No connection. Your answers are kept, and are sent as soon as it is back.";

/** After so long without a connection the page also says where to ask for help, because it may not come back by itself. */
const TROUBLE_HELP_AFTER_MS = 120_000;

class Program {
  #frame;
  #session;
  /** Each fault so far, with the place in the study where it happened. @type {Set<string>} */
  #faults = new Set();
  /** @type {number | null} */
  #troubledSince = null;

  /** @param {HTMLElement} host @param {string} token */
  constructor(host, token) {
    this.#frame = new Frame(host, {
      onLeave: () => void this.#leave(),
      onScreen: (name) => this.#seen(name),
    });
    this.#session = new Session(token, {
      onTrouble: (trouble) => this.#frame.say(this.#connection(trouble)),
      onSuperseded: () => void this.#superseded(),
      onEnded: () => void this.open(),
      onUnknown: () => this.#unknown(),
      onRefused: (code) => this.#stuck(code),
    });
    /** @type {(kind: string, detail?: Record<string, unknown>) => void} */
    const note = (kind, detail) => this.#session.note(kind, detail);
    watchBrowser(note);
    watchFullscreen(note);
  }

  /** Opens the participation, and continues where the participant is. @param {string} [navigation] why the page was loaded */
  async open(navigation = "navigate") {
    const view = this.#frame.takeOver();
    this.#frame.letLeave(false);
    tell(view, { name: "load", percent: 0, content: words("One moment", "The study is being prepared.") });
    try {
      await this.#session.open(navigation);
      this.#frame.letLeave(!hasEnded(this.#session.opened));
      if (!hasEnded(this.#session.opened)) await takePart(view, this.#session);
      await this.#end(view);
    } catch (error) {
      await this.#recover(view, error);
    }
  }

  /** @param {View} view */
  async #end(view) {
    this.#session.isUnderWay = false;
    this.#frame.letLeave(false);
    leaveFullscreen();
    showEnd(view, this.#session.opened);
  }

  /**
   * Opens the participation again after any fault. A fault that happens twice at the same place leads to a page that says
   * where to get help, so that the participant is not left with a page that does not work.
   *
   * @param {View} view @param {unknown} error
   */
  async #recover(view, error) {
    if (error instanceof Refusal && error.code === "unknown_token") return this.#unknown();
    const fault = `${nameOf(error)} (${this.#session.place})`;
    if (this.#faults.has(fault)) return this.#stuck(fault);
    this.#faults.add(fault);
    if (!(error instanceof OutOfStep)) {
      const message = error instanceof Error ? `${error.message} ${error.stack ?? ""}` : String(error);
      this.#session.note("program_error", { message: withoutSecrets(message) });
      const content = words("Something went wrong", "We are sorry. Nothing is lost: please press the button to go on.");
      await choose(view, { name: "error", percent: 0, content }, { on: "Go on" });
    }
    await this.open();
  }

  /** Says where to get help, because trying again has failed, and reports the fault to the server. @param {string} fault */
  #stuck(fault) {
    this.#session.note("program_error", { message: withoutSecrets(`Went wrong twice: ${fault}`) });
    const view = this.#frame.takeOver();
    this.#frame.letLeave(false);
    const whom = this.#session.whom;
    const contact = whom
      ? [make("a", { href: `mailto:${whom.contact}` }, whom.contact), " and name your participant code ", make("strong", {}, whom.participant)]
      : ["the address at the end of the consent page"];
    const content = [
      ...words("The study cannot continue here", "We are sorry: the same fault happened twice, and it is not your fault. Your answers so far are kept."),
      make("p", {}, "Please write to ", ...contact, ", so that you are paid for your work."),
      make("p", { class: "small" }, `Please also send us this text: “${withoutSecrets(fault)}”. Once the fault is repaired you can continue at the address of this page.`),
    ];
    tell(view, { name: "stuck", percent: 0, content });
  }

  /** The text about the connection; empty if the server can be reached. @param {boolean} trouble */
  #connection(trouble) {
    this.#troubledSince = trouble ? (this.#troubledSince ?? performance.now()) : null;
    if (this.#troubledSince === null) return "";
    const { whom } = this.#session;
    if (!whom || performance.now() - this.#troubledSince < TROUBLE_HELP_AFTER_MS) return TROUBLE;
    return `${TROUBLE} If it stays away, write to ${whom.contact} and name your participant code ${whom.participant}.`;
  }

  /** @param {string} name */
  #seen(name) {
    if (this.#session.screen === name) return;
    this.#session.screen = name;
    this.#session.note("screen", { screen: name });
  }

  async #leave() {
    const sure = await ask({
      title: "Leave the study?",
      text: "You cannot come back later. Your answers so far are kept.",
      yes: "Leave",
      no: "Stay",
    });
    if (!sure) return;
    const view = this.#frame.takeOver();
    tell(view, { name: "leave", percent: 0, content: words("One moment", "Your answers are being sent.") });
    await this.#session.leave("left").catch((error) => this.#recover(view, error));
    if (hasEnded(this.#session.opened)) await this.#end(view);
  }

  async #superseded() {
    const view = this.#frame.takeOver();
    this.#frame.letLeave(false);
    this.#session.rest();
    leaveFullscreen();
    const content = words(
      "The study is open in another window",
      "Please continue in that window or tab. If you have closed it, you can continue here.",
    );
    await choose(view, { name: "superseded", percent: 0, content }, { here: "Go on here" });
    await this.open();
  }

  #unknown() {
    const view = this.#frame.takeOver();
    this.#frame.letLeave(false);
    const content = words(
      "This address is not known",
      "Please go back to the page that brought you here, and open the study from there once more.",
    );
    tell(view, { name: "unknown", percent: 0, content });
  }
}

/** @param {unknown} error */
function nameOf(error) {
  if (error instanceof Refusal) return `${error.code} ${error.detail}`.trim();
  return error instanceof Error ? error.message : String(error);
}

/** @returns {string} Why the page was loaded. */
function navigation() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry instanceof PerformanceNavigationTiming ? entry.type : "navigate";
}

const host = document.getElementById("runner");
if (host) void new Program(host, location.hash.slice(1)).open(navigation());
