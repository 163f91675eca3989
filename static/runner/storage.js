/**
 * What the browser keeps over a reload. In a sandboxed frame, in some private windows or when the disk is full there is
 * no localStorage: then everything is kept in memory, for as long as the page lives.
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
    /** @type {Map<string, string>} What the area could not take. */
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
 * A short hash, so that keys do not hold what they are about. It protects nothing: two rounds of FNV-1a, because the
 * browser's own hashes are not there outside of HTTPS.
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
 * Under which key the token of an entry address is kept. The address's parameters belong to it: on a shared computer
 * another worker comes by the same link.
 *
 * @param {string} link @param {Record<string, string>} parameters
 */
export function entryKey(link, parameters) {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return `weber.entry.${shortHash(JSON.stringify([link, sorted]))}`;
}
