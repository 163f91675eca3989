/** A channel by which the pages of one browser that opened the same participation tell each other which is the newest. */
export class Tabs {
  /** @type {BroadcastChannel | null} */
  #channel = null;

  /** @param {string} key @param {(tab: number) => void} onOpened told the number of a page that opened the participation */
  constructor(key, onOpened) {
    try {
      this.#channel = new BroadcastChannel(`weber.${key}`);
      this.#channel.onmessage = ({ data }) => onOpened(Number(data));
    } catch {
      // This browser has no such channel. The page learns of a newer one from the next reply of the server.
    }
  }

  /** @param {number} tab */
  announce(tab) {
    this.#channel?.postMessage(tab);
  }
}
