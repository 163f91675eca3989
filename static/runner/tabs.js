/** Pages of one browser that opened the same participation tell each other at once which is the newest. */
export class Tabs {
  /** @type {BroadcastChannel | null} */
  #channel = null;

  /** @param {string} key @param {(tab: number) => void} onOpened told the number of a page that opened the participation */
  constructor(key, onOpened) {
    try {
      this.#channel = new BroadcastChannel(`weber.${key}`);
      this.#channel.onmessage = ({ data }) => onOpened(Number(data));
    } catch {
      // Not to be had here: the next reply of the server tells it.
    }
  }

  /** @param {number} tab */
  announce(tab) {
    this.#channel?.postMessage(tab);
  }
}
