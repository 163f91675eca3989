/**
 * How often the browser draws. It measures between the press in one trial and the onset of the next, so that nothing runs while a
 * person looks.
 */
import { toTenths } from "./clock.js";

/** About a second of frames: what was before may have been another screen. */
const MOST_FRAMES = 60;
/** The median of fewer says little. */
const FEWEST_FRAMES = 5;

export class FrameMeter {
  /** @type {number[]} Intervals in ms, the newest last. */
  #intervals = [];
  /** @type {number | null} When the frame before began. */
  #before = null;
  #request = 0;

  constructor() {
    // A hidden page draws nothing: that is no interval.
    document.addEventListener("visibilitychange", () => (this.#before = null));
  }

  /** Measures from now on, anew. */
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

  /** The median interval in ms, to 0.1; null while too few are known. */
  get median() {
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    const { length } = sorted;
    if (length < FEWEST_FRAMES) return null;
    const middle = sorted.slice(Math.floor((length - 1) / 2), Math.floor(length / 2) + 1);
    return toTenths(middle.reduce((sum, ms) => sum + ms, 0) / middle.length);
  }
}
