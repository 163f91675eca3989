/**
 * Loads images in the order in which they are needed, a few at a time, and retries until each is loaded. It keeps them as
 * decoded Image elements, so that a trial's screen can become visible at once.
 */
import { pause, rest } from "./api.js";

/** How many images load at a time. Over HTTP/1.1 a browser opens six connections to a server, and answers need some of them. */
const AT_A_TIME = 4;
/** A load that takes longer counts as a failure. */
const IMAGE_TIMEOUT_MS = 20_000;

/** @typedef {(tries: number, reason: string) => void} TellFailure */

export class Images {
  /** @type {Map<string, HTMLImageElement>} */
  #loaded = new Map();
  /** @type {string[]} Addresses that are not requested yet, the most urgent first. */
  #queue = [];
  /** @type {Set<string>} */
  #underway = new Set();
  /** @type {Set<string>} Addresses that failed and wait for their next try. */
  #resting = new Set();
  /** @type {Map<string, (() => void)[]>} */
  #waiting = new Map();
  #tellFailure;

  /** @param {TellFailure} tellFailure */
  constructor(tellFailure) {
    this.#tellFailure = tellFailure;
  }

  /** Loads these images after all that were asked for before. @param {string[]} addresses */
  later(addresses) {
    this.#queue.push(...this.#unknown(addresses));
    this.#fill();
  }

  /**
   * Loads these images before all others.
   *
   * @param {string[]} addresses
   * @param {(loaded: number) => void} [tell] called with the number of loaded images, at once and after each load
   * @returns {Promise<void>} settles when all are loaded
   */
  async first(addresses, tell = () => {}) {
    const wanted = new Set(addresses);
    const missing = [...wanted].filter((address) => !this.#loaded.has(address));
    const behind = this.#queue.filter((address) => !wanted.has(address));
    this.#queue = [...missing.filter((address) => !this.#isBusy(address)), ...behind];
    let loaded = wanted.size - missing.length;
    tell(loaded);
    const arrivals = missing.map((address) => this.#arrival(address).then(() => tell(++loaded)));
    this.#fill();
    await Promise.all(arrivals);
  }

  /** Whether all of these images are loaded. @param {string[]} addresses */
  has(addresses) {
    return addresses.every((address) => this.#loaded.has(address));
  }

  /**
   * A loaded image, ready to be put into the page. An element can be in one place only, so for a second place the caller
   * gets a copy, which shares the pixels.
   *
   * @param {string} address
   */
  element(address) {
    const image = this.#loaded.get(address);
    if (!image) throw new Error("An image is shown before it is loaded.");
    return image.parentNode ? /** @type {HTMLImageElement} */ (image.cloneNode()) : image;
  }

  /** @param {string[]} addresses */
  #unknown(addresses) {
    const known = new Set([...this.#queue, ...this.#loaded.keys()]);
    return [...new Set(addresses)].filter((address) => !known.has(address) && !this.#isBusy(address));
  }

  /** @param {string} address */
  #isBusy(address) {
    return this.#underway.has(address) || this.#resting.has(address);
  }

  /** @param {string} address @returns {Promise<void>} */
  #arrival(address) {
    return new Promise((resolve) => {
      this.#waiting.set(address, [...(this.#waiting.get(address) ?? []), resolve]);
    });
  }

  #fill() {
    while (this.#underway.size < AT_A_TIME) {
      const address = this.#queue.shift();
      if (address === undefined) return;
      this.#underway.add(address);
      void this.#load(address);
    }
  }

  /** @param {string} address @param {number} [tries] */
  async #load(address, tries = 1) {
    try {
      this.#loaded.set(address, await load(address));
      this.#waiting.get(address)?.forEach((resolve) => resolve());
      this.#waiting.delete(address);
    } catch (error) {
      this.#tellFailure(tries, error instanceof Error ? error.message : String(error));
      void this.#retry(address, tries);
    }
    this.#underway.delete(address);
    this.#fill();
  }

  /** Tries an image again after a pause, while other images load. @param {string} address @param {number} tries */
  async #retry(address, tries) {
    this.#resting.add(address);
    await rest(pause(tries));
    this.#resting.delete(address);
    this.#underway.add(address);
    await this.#load(address, tries + 1);
  }
}

/** @param {string} address @returns {Promise<HTMLImageElement>} */
async function load(address) {
  const image = new Image();
  image.draggable = false;
  image.src = address;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), IMAGE_TIMEOUT_MS);
  });
  try {
    await Promise.race([image.decode(), timeout]);
    return image;
  } finally {
    clearTimeout(timer);
  }
}
