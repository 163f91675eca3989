// Where the program, the browser and the study are.
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");
export const WEBER = process.env.WEBER_BIN ?? `${root}/target/debug/weber`;
export const BUILT = `${root}/target/browser/demo`;
export const STUDY = `${root}/target/browser/study`;
/** Where pictures of all screens go, to be looked at. */
export const SCREENSHOTS = process.env.WEBER_SCREENSHOTS;

const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const CHROMIUM = process.env.CHROMIUM ?? browsers.find((path) => existsSync(path));
