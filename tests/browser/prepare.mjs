// Builds the study of the browser tests: the demo with two image sets, and a link for each kind of test.
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, rmSync } from "node:fs";
import { BUILT, STUDY, WEBER } from "./support/places.mjs";

// Images are kept from the last build, because they take long to make; texts may have changed since.
for (const text of ["study.toml", "consent.md", "debrief.md", "preview.md", "instructions"]) {
  rmSync(`${BUILT}/${text}`, { recursive: true, force: true });
}
execFileSync(WEBER, ["demo", "--out", BUILT, "--image-sets", "2"], { stdio: "inherit" });
rmSync(STUDY, { recursive: true, force: true });
cpSync(BUILT, STUDY, { recursive: true });

const link = (name, rest) => `\n[[links]]\nname = "${name}"\n${rest}\n`;
appendFileSync(
  `${STUDY}/study.toml`,
  link("Mixed", 'conditions = ["mixed"]') +
    link("Natural", 'conditions = ["natural"]\ncodes = { complete = "W-4711" }') +
    link("None", 'conditions = ["none"]') +
    link("Workers", 'platform = "mturk"\nconditions = ["none"]'),
);
