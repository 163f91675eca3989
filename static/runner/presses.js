/** The presses of one trial: the first one since the onset answers it, and those before leave a trace. */
import { isForScreen } from "./dom.js";

/** @import { Input } from "./types.js" */

/**
 * @typedef {object} Press Times are the page's own.
 * @property {number} index of the number, from 0 at the left
 * @property {number} at the key's press, or the pointer's release
 * @property {number | null} downAt the pointer's press
 * @property {Input} input
 *
 * @typedef {object} EarlyPress
 * @property {Input} input
 * @property {number | null} button the number that was meant, if one was
 * @property {boolean} shown whether the trial's screen was in the page already
 */

/** A person who hammers on keys or mouse must not flood the record: so many early presses of a presentation are told. */
const MOST_EARLY = 5;

export class Presses {
  #keys;
  #tellEarly;
  #answered = new AbortController();
  #until;
  /** @type {HTMLButtonElement[]} */
  #buttons = [];
  /** What is pressed before it answers nothing. */
  #onset = Infinity;
  #early = 0;
  /** @type {PointerEvent | null} The pointer's last press. */
  #down = null;
  /** @type {(press: Press) => void} */
  #resolve = () => {};

  /**
   * @param {string[]} keys one per number
   * @param {AbortSignal} over ends it, answered or not
   * @param {(press: EarlyPress, at: number) => void} tellEarly
   */
  constructor(keys, over, tellEarly) {
    this.#keys = keys;
    this.#tellEarly = tellEarly;
    this.#until = { signal: AbortSignal.any([over, this.#answered.signal]) };
    document.addEventListener("keydown", (event) => this.#onKey(event), this.#until);
    document.addEventListener("pointerdown", (event) => this.#onPointer(event), this.#until);
  }

  /** The trial's screen is in the page. @param {HTMLButtonElement[]} buttons its numbers */
  listenTo(buttons) {
    this.#buttons = buttons;
    buttons.forEach((number, index) => number.addEventListener("click", (event) => this.#onClick(event, index), this.#until));
  }

  /** The first press that began at the onset or later. @param {number} onset @returns {Promise<Press>} */
  firstSince(onset) {
    this.#onset = onset;
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const index = keyIndex(event, this.#keys);
    if (index >= 0 && isForScreen(event)) this.#take({ index, at: event.timeStamp, downAt: null, input: "key" });
  }

  /** @param {PointerEvent} event */
  #onPointer(event) {
    this.#down = event;
    const isOnScreen = event.target instanceof Element && event.target.closest("main") !== null;
    if (isOnScreen && event.timeStamp < this.#onset) this.#note(inputOf(event), this.#numberAt(event), event.timeStamp);
  }

  /** @param {MouseEvent} event @param {number} index */
  #onClick(event, index) {
    // A click that no pointer made comes from the keyboard.
    const isKey = event.detail === 0;
    const down = isKey ? null : this.#down;
    this.#down = null;
    // It began before the onset, and was noted then.
    if (down && down.timeStamp < this.#onset) return;
    const input = isKey ? "key" : inputOf(down);
    this.#take({ index, at: event.timeStamp, downAt: down?.timeStamp ?? null, input });
  }

  /** @param {Press} press */
  #take(press) {
    if (press.at < this.#onset) {
      this.#note(press.input, press.index, press.at);
      return;
    }
    this.#answered.abort();
    this.#resolve(press);
  }

  /** @param {Input} input @param {number | null} button @param {number} at */
  #note(input, button, at) {
    if (++this.#early <= MOST_EARLY) this.#tellEarly({ input, button, shown: this.#buttons.length > 0 }, at);
  }

  /** The number at a place, also while it cannot be seen yet. @param {PointerEvent} event */
  #numberAt({ clientX: x, clientY: y }) {
    const index = this.#buttons.findIndex((button) => {
      const { left, right, top, bottom } = button.getBoundingClientRect();
      return left <= x && x < right && top <= y && y < bottom;
    });
    return index < 0 ? null : index;
  }
}

/** @param {PointerEvent | null} down @returns {Input} */
function inputOf(down) {
  return (down?.pointerType ?? "mouse") === "mouse" ? "mouse" : "touch";
}

/** Which button a key stands for; with a keyboard of another script the key's place counts. @param {KeyboardEvent} event @param {string[]} keys */
function keyIndex({ key, code }, keys) {
  const index = keys.indexOf(key.toLowerCase());
  return index < 0 && /[^\x00-\x7f]/.test(key) ? keys.indexOf(code.replace(/^Key/, "").toLowerCase()) : index;
}
