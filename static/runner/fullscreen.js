/** Filling the screen. Leaving it, and not getting it, is noted; neither keeps anybody from going on. */

/** @import { Note } from "./events.js" */

/** A browser that neither agrees nor refuses must not hold anybody up. */
const FULLSCREEN_TIMEOUT_MS = 3000;

let leavingOnPurpose = false;

/** @param {Note} note */
export function watchFullscreen(note) {
  document.addEventListener("fullscreenchange", () => {
    if (document.fullscreenElement) note("fullscreen_enter");
    else if (!leavingOnPurpose) note("fullscreen_exit");
    leavingOnPurpose = false;
  });
}

/** Asks for fullscreen; to be called on a press. @param {Note} note @returns {Promise<void>} always settles well */
export async function enterFullscreen(note) {
  const page = document.documentElement;
  if (document.fullscreenElement) return;
  if (!page.requestFullscreen) {
    note("fullscreen_refused", { reason: "not supported" });
    return;
  }
  try {
    await Promise.race([page.requestFullscreen({ navigationUI: "hide" }), failAfter(FULLSCREEN_TIMEOUT_MS)]);
  } catch (error) {
    note("fullscreen_refused", { reason: error instanceof Error ? error.message : String(error) });
  }
}

/** At the end the person gets their screen back. */
export function leaveFullscreen() {
  if (!document.fullscreenElement) return;
  leavingOnPurpose = true;
  document.exitFullscreen().catch(() => (leavingOnPurpose = false));
}

/** @param {number} ms @returns {Promise<never>} */
function failAfter(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), ms));
}
