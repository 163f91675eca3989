/**
 * A store that keeps values over a reload in localStorage. A sandboxed frame, some private windows and a full disk offer
 * no localStorage: then values are kept in memory until the page closes.
 */

/** @returns {Storage | null} */
function persistentArea() {
  try {
    const probe = "weber.probe";
    localStorage.setItem(probe, "1");
    localStorage.removeItem(probe);
    return localStorage;
  } catch {
    return null;
  }
}

class Keeper {
  /** @param {Storage | null} area */
  constructor(area) {
    this.area = area;
    /** @type {Map<string, string>} Values that localStorage did not accept. */
    this.memory = new Map();
  }

  /** @param {string} key @returns {any} The value, or null. */
  get(key) {
    const text = this.memory.get(key) ?? this.area?.getItem(key) ?? null;
    try {
      return text === null ? null : JSON.parse(text);
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {unknown} value */
  set(key, value) {
    const text = JSON.stringify(value);
    try {
      if (!this.area) throw new Error("no area");
      this.area.setItem(key, text);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, text);
    }
  }

  /** @param {string} key */
  remove(key) {
    this.memory.delete(key);
    this.area?.removeItem(key);
  }

  /** @param {string} prefix @returns {string[]} */
  keys(prefix) {
    const stored = this.area ? Object.keys(this.area) : [];
    return [...new Set([...stored, ...this.memory.keys()])].filter((key) => key.startsWith(prefix));
  }
}

export const storage = new Keeper(persistentArea());

/**
 * A short hash for storage keys, so that they do not contain tokens or ids. It is two rounds of FNV-1a and gives no
 * security; the browser's own hashes exist on HTTPS pages only.
 *
 * @param {string} text
 */
export function shortHash(text) {
  return fnv(text, 0x811c9dc5) + fnv(text, 0x01234567);
}

/** @param {string} text @param {number} seed */
function fnv(text, seed) {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/**
 * The storage key of the token for an entry address. It depends on the address's parameters too, because on a shared
 * computer another worker may use the same link.
 *
 * @param {string} link @param {Record<string, string>} parameters
 */
export function entryKey(link, parameters) {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return `weber.entry.${shortHash(JSON.stringify([link, sorted]))}`;
}
