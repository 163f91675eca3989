/** Fullscreen. A refusal of the browser and an exit are noted as events; the study continues after either. */

/** @import { Note } from "./events.js" */

/** A browser that has neither agreed nor refused after this time counts as one that refused, so that the study continues. */
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

/** Asks for fullscreen; to be called while a press is handled. @param {Note} note @returns {Promise<void>} never rejects */
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

/** Ends fullscreen at the end of the study, without noting an exit. */
export function leaveFullscreen() {
  if (!document.fullscreenElement) return;
  leavingOnPurpose = true;
  document.exitFullscreen().catch(() => (leavingOnPurpose = false));
}

/** @param {number} ms @returns {Promise<never>} */
function failAfter(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), ms));
}
