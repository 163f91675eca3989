/** The presses of one trial. The first press since the onset answers the trial; earlier ones are noted as events. */
import { isForScreen } from "./dom.js";

/** @import { Input } from "./types.js" */

/**
 * @typedef {object} Press Times are in ms by the page's clock.
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

/** So many early presses are noted per presentation, so that repeated presses do not fill the record. */
const MOST_EARLY = 5;

export class Presses {
  #keys;
  #tellEarly;
  #answered = new AbortController();
  #until;
  /** @type {HTMLButtonElement[]} */
  #buttons = [];
  /** Presses before this time, in ms by the page's clock, do not answer the trial. */
  #onset = Infinity;
  #early = 0;
  /** @type {PointerEvent | null} The pointer's last press. */
  #down = null;
  /** @type {(press: Press) => void} */
  #resolve = () => {};

  /**
   * @param {string[]} keys one per number
   * @param {AbortSignal} over ends listening, whether the trial is answered or not
   * @param {(press: EarlyPress, at: number) => void} tellEarly
   */
  constructor(keys, over, tellEarly) {
    this.#keys = keys;
    this.#tellEarly = tellEarly;
    this.#until = { signal: AbortSignal.any([over, this.#answered.signal]) };
    document.addEventListener("keydown", (event) => this.#onKey(event), this.#until);
    document.addEventListener("pointerdown", (event) => this.#onPointer(event), this.#until);
  }

  /** Listens to the buttons; to be called when the trial's screen is in the page. @param {HTMLButtonElement[]} buttons its numbers */
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
    // The detail of a click is 0 if it comes from the keyboard.
    const isKey = event.detail === 0;
    const down = isKey ? null : this.#down;
    this.#down = null;
    // A press that began before the onset was noted when it began.
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

  /** The number at the pointer, also while the screen is not visible yet. @param {PointerEvent} event */
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

/** The index of the button that a key stands for. On a keyboard of another script the key's position decides. @param {KeyboardEvent} event @param {string[]} keys */
function keyIndex({ key, code }, keys) {
  const index = keys.indexOf(key.toLowerCase());
  return index < 0 && /[^\x00-\x7f]/.test(key) ? keys.indexOf(code.replace(/^Key/, "").toLowerCase()) : index;
}
