/** Requests to the server, and how they are repeated. */

const REQUEST_TIMEOUT_MS = 20_000;
const FIRST_PAUSE_MS = 700;
const LONGEST_PAUSE_MS = 10_000;

/** A refusal of the server, which the same request would get again. */
export class Refusal extends Error {
  /** @param {number} status @param {{code: string, title?: string, detail?: string, missing?: number[]}} problem */
  constructor(status, problem) {
    super(problem.title ?? problem.code);
    this.status = status;
    this.code = problem.code;
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.missing = problem.missing ?? [];
  }
}

/** The server gave no reply of its own: no network, a restart, a proxy's own page. The request should be repeated. */
export class Unreachable extends Error {}

/**
 * Posts JSON and returns the JSON answer.
 *
 * @param {string} path
 * @param {unknown} body
 * @param {{token?: string, keepalive?: boolean}} [options] keepalive: also when the page is being left
 * @returns {Promise<any>}
 */
export async function post(path, body, { token, keepalive = false } = {}) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), REQUEST_TIMEOUT_MS);
  const request = { method: "POST", headers, body: JSON.stringify(body, wellFormed), keepalive, signal: abort.signal };
  try {
    const response = await fetch(path, request);
    return await read(response);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Replaces halves of characters, which a text cut within an emoji ends in: the server cannot store them.
 *
 * @param {string} _name @param {any} value
 */
function wellFormed(_name, value) {
  return typeof value === "string" ? (/** @type {any} */ (value).toWellFormed?.() ?? value) : value;
}

/** @param {Response} response */
async function read(response) {
  if (response.status === 204) return null;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json") ?? false;
  const content = await response.json();
  if (response.ok && !isProblem) return content;
  const isVerdict = isProblem && response.status < 500 && response.status !== 429;
  if (isVerdict) throw new Refusal(response.status, content);
  throw new Unreachable(`status ${response.status}`);
}

/**
 * How long to wait before the next try, in ms. It doubles with each try up to a limit, and is random within 25 %, so that
 * browsers do not retry at the same time.
 *
 * @param {number} tries so far
 */
export function pause(tries) {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
  return longest * (0.75 + Math.random() / 2);
}

/** Waits for a time, or until the network is back if that is sooner. @param {number} ms @returns {Promise<void>} */
export function rest(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

/**
 * Repeats a request until the server answers.
 *
 * @template T
 * @param {() => Promise<T>} request
 * @param {(trouble: boolean) => void} [tell] told whether it has to wait for the server
 * @returns {Promise<T>}
 */
export async function untilAnswered(request, tell = () => {}) {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await request();
      tell(false);
      return answer;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      tell(true);
      await rest(pause(tries));
    }
  }
}
