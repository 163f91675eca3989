/**
 * The frame around all screens: a bar with progress, connection and the button Leave, and below it one screen at a time.
 *
 * A flow of screens draws through a {@link View}. When another flow takes over the frame (the participant leaves, or
 * continues in another tab), the old flow's view stops working: it can show nothing, and it gets no presses.
 */
import { button, ignoreHeldKeys, isForScreen, make } from "./dom.js";

/**
 * @typedef {object} Showing
 * @property {number} percent of the progress bar
 * @property {HTMLElement} [focus] the element that gets the focus; without it, the first heading
 * @property {HTMLButtonElement} [enter] the button that the Enter key presses while no control has the focus
 */

export class Frame {
  #main = make("main", { class: "screen" });
  #progress = make("progress", { class: "bar-progress", max: "100", value: "0", "aria-label": "Progress" });
  #status = make("p", { class: "bar-status", role: "status" });
  #leave;
  /** @type {View | null} */
  #view = null;
  #onScreen;
  /** Removes the listeners of the shown screen. */
  #shown = new AbortController();

  /**
   * @param {HTMLElement} host
   * @param {{onLeave: () => void, onScreen: (name: string) => void}} listener
   */
  constructor(host, { onLeave, onScreen }) {
    this.#onScreen = onScreen;
    this.#leave = button("Leave", onLeave, "quiet");
    const bar = make("header", { class: "bar" }, this.#progress, this.#status, this.#leave);
    host.replaceChildren(bar, this.#main);
    ignoreHeldKeys(new AbortController().signal);
  }

  /** Ends the view of the flow that has the frame, and returns a new one. */
  takeOver() {
    this.#view?.end();
    this.#view = new View(this);
    return this.#view;
  }

  /** Shows a text about the connection in the bar. @param {string} words */
  say(words) {
    if (this.#status.textContent !== words) this.#status.textContent = words;
  }

  /** Shows or hides the button Leave. @param {boolean} can @param {View | null} [view] ignored unless it has the frame */
  letLeave(can, view = this.#view) {
    if (view === this.#view) this.#leave.hidden = !can;
  }

  /**
   * @param {View} view @param {string} name @param {Node} content @param {Showing} showing
   * @returns {AbortSignal} aborted when the next screen is shown
   */
  show(view, name, content, { percent, focus, enter }) {
    if (view !== this.#view) return AbortSignal.abort();
    this.#shown.abort();
    this.#shown = new AbortController();
    const { signal } = this.#shown;
    this.#progress.value = percent;
    this.#main.replaceChildren(content);
    this.#main.scrollTop = 0;
    this.#focus(focus);
    if (enter) pressWithEnter(enter, signal);
    this.#onScreen(name);
    return signal;
  }

  /** Moves the focus to the new screen's heading, so that screen readers announce it. @param {HTMLElement | undefined} wanted */
  #focus(wanted) {
    const target = wanted ?? this.#main.querySelector("h1, h2") ?? this.#main;
    if (target.tabIndex < 0) target.tabIndex = -1;
    target.focus({ preventScroll: true });
  }
}

/** Through a view one flow of screens draws, until another flow takes over the frame. */
export class View {
  #frame;
  #over = new AbortController();

  /** @param {Frame} frame */
  constructor(frame) {
    this.#frame = frame;
  }

  /** Aborted when the frame is taken over. */
  get over() {
    return this.#over.signal;
  }

  end() {
    this.#over.abort();
  }

  /** @param {string} name @param {Node} content @param {Showing} showing */
  show(name, content, showing) {
    return this.#frame.show(this, name, content, showing);
  }

  /** Hides the button Leave for good. */
  forbidLeaving() {
    this.#frame.letLeave(false, this);
  }
}

/** @param {HTMLButtonElement} target @param {AbortSignal} signal */
function pressWithEnter(target, signal) {
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const onControl = event.target instanceof Element && event.target.closest("button, a, input, textarea");
    if (event.key !== "Enter" || onControl || !isForScreen(event)) return;
    event.preventDefault();
    target.click();
  };
  document.addEventListener("keydown", press, { signal });
}
