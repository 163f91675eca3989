/** The experiment clock: ms since Welcome was shown, by the browser's monotonic clock. */
export class Clock {
  /** @type {number | null} The time of Welcome by the page's own clock (performance.now()), in ms. */
  #origin = null;

  /** Sets the clock to a time, from which it runs on. @param {number} ms */
  runFrom(ms) {
    this.#origin = performance.now() - ms;
  }

  /** @returns {number | null} Null before Welcome. */
  now() {
    return this.at(performance.now());
  }

  /** The experiment clock at a point in the page's time, such as an event's timeStamp. @param {number} time */
  at(time) {
    return this.#origin === null ? null : Math.max(0, toTenths(time - this.#origin));
  }
}

/** Rounds to 0.1 ms, the resolution of browsers' clocks. @param {number} ms */
export function toTenths(ms) {
  return Math.round(ms * 10) / 10;
}
