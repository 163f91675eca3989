// The paths of the program, the browser and the study.
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");
export const WEBER = process.env.WEBER_BIN ?? `${root}/target/debug/weber`;
export const BUILT = `${root}/target/browser/demo`;
export const STUDY = `${root}/target/browser/study`;
/** The folder for screenshots of all pages. */
export const SCREENSHOTS = process.env.WEBER_SCREENSHOTS;

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const CHROMIUM = process.env.CHROMIUM ?? browsers.find((path) => existsSync(path));
