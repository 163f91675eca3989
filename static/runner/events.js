/** Events around the trials: focus, window size, network, faults. Each is noted with the time of the experiment clock. */

/** @typedef {(kind: string, detail?: Record<string, unknown>) => void} Note */

/** A resize is noted once the size has not changed for so long. */
const REST_MS = 400;
/** A lost focus and a hidden tab within this time are noted as one event. */
const TOGETHER_MS = 60;
/** So many faults are noted per page, so that a fault that repeats does not fill the record. */
const MOST_FAULTS = 20;

/** Watches the browser for as long as the page lives. @param {Note} note */
export function watchBrowser(note) {
  watchFocus(note);
  watchSize(note);
  watchFaults(note);
  addEventListener("offline", () => note("offline"));
  addEventListener("online", () => note("online"));
}

/** @param {Note} note */
function watchFocus(note) {
  /** @type {number | null} */
  let awaySince = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let blurred;
  const lost = () => {
    clearTimeout(blurred);
    blurred = undefined;
    note("focus_loss", { hidden: document.hidden });
  };
  const leave = () => {
    if (awaySince !== null) return;
    awaySince = performance.now();
    if (document.hidden) lost();
    else blurred = setTimeout(lost, TOGETHER_MS);
  };
  const hide = () => {
    if (awaySince === null) leave();
    else if (document.hidden && blurred !== undefined) lost();
  };
  const comeBack = () => {
    if (awaySince === null || document.hidden || !document.hasFocus()) return;
    if (blurred !== undefined) lost();
    note("focus_gain", { away_ms: Math.round(performance.now() - awaySince) });
    awaySince = null;
  };
  addEventListener("blur", leave);
  addEventListener("focus", comeBack);
  document.addEventListener("visibilitychange", () => (document.hidden ? hide() : comeBack()));
}

/** Notes changes of size and pixel ratio. A zoom changes both; a move to another screen may change only the ratio. @param {Note} note */
function watchSize(note) {
  let before = sizeNow();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const change = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const size = sizeNow();
      const { width, height, pixel_ratio } = before;
      if (width === size.width && height === size.height && pixel_ratio === size.pixel_ratio) return;
      before = size;
      note("resize", size);
    }, REST_MS);
  };
  addEventListener("resize", change);
  watchPixelRatio(change);
}

function sizeNow() {
  return { width: innerWidth, height: innerHeight, pixel_ratio: devicePixelRatio };
}

/** @param {() => void} change */
function watchPixelRatio(change) {
  const present = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
  const again = () => {
    change();
    watchPixelRatio(change);
  };
  present.addEventListener("change", again, { once: true });
}

/** @param {Note} note */
function watchFaults(note) {
  let faults = 0;
  /** @param {unknown} message */
  const fault = (message) => {
    if (++faults <= MOST_FAULTS) note("program_error", { message: withoutSecrets(String(message)) });
  };
  addEventListener("error", (event) => {
    fault(`${event.message} (${event.filename.split("/").pop()}:${event.lineno})`);
  });
  addEventListener("unhandledrejection", (event) => fault(event.reason?.stack ?? event.reason));
}

/** Removes the token from a message: it is part of the page's address, which browsers quote in errors. @param {string} message */
export function withoutSecrets(message) {
  return message.replace(/#[\w-]+/g, "#...").slice(0, 500);
}
