/**
 * Measures how often the browser draws. It runs between the press in one trial and the onset of the next, so that it takes
 * no time while the participant looks at a trial.
 */
import { toTenths } from "./clock.js";

/** About a second of frames. Older frames are dropped, since the window may have been on another screen. */
const MOST_FRAMES = 60;
/** The median of fewer intervals is not reported, because it is too uncertain. */
const FEWEST_FRAMES = 5;

export class FrameMeter {
  /** @type {number[]} Intervals in ms, the newest last. */
  #intervals = [];
  /** @type {number | null} When the previous frame began, in ms. */
  #before = null;
  #request = 0;

  constructor() {
    // A hidden page draws nothing, so the time while it was hidden is not an interval between frames.
    document.addEventListener("visibilitychange", () => (this.#before = null));
  }

  /** Drops all intervals and measures from now on. */
  start() {
    this.stop();
    this.#intervals = [];
    this.#before = null;
    this.#next();
  }

  stop() {
    cancelAnimationFrame(this.#request);
  }

  #next() {
    this.#request = requestAnimationFrame((time) => {
      if (this.#before !== null) this.#intervals = [...this.#intervals, time - this.#before].slice(-MOST_FRAMES);
      this.#before = time;
      this.#next();
    });
  }

  /** The median interval in ms, rounded to 0.1; null while there are too few. */
  get median() {
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    const { length } = sorted;
    if (length < FEWEST_FRAMES) return null;
    const middle = sorted.slice(Math.floor((length - 1) / 2), Math.floor(length / 2) + 1);
    return toTenths(middle.reduce((sum, ms) => sum + ms, 0) / middle.length);
  }
}
