/**
 * `npm start`: runs the real command on a made-up fleet of three clouds, and says what its exit code means.
 * Ends with 0 when the tool did what it should: find one claim that holds, one that is violated and one that stays open.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const world = "fixtures/three-clouds";
const words = ["run", `${world}/assertions`, "--fleet", `${world}/assert.yaml`, "--now", "2026-11-20T09:00:00Z"];

const meanings: Readonly<Record<number, string>> = {
  0: "everything of severity error holds: a pipeline would go on",
  1: "something is violated: a pipeline would stop here",
  2: "nothing is violated, but something could not be decided: a pipeline would stop here",
  3: "the tool could not run",
};

console.log(`Three clusters on three clouds, as files (${world}/README.md tells what is wrong in them).\n\n$ assert ${words.join(" ")}\n`);
const run = spawnSync(process.execPath, [join(root, "cli/bin.mjs"), ...words], { cwd: root, stdio: "inherit" });
console.log(`\nIt ended with exit code ${run.status}: ${meanings[run.status ?? 3] ?? "it was stopped"}.`);
console.log("For your own clusters: npm run -s assert -- run --context A --context B");

if (run.status !== 1) {
  console.error("That is not what this fleet deserves: it holds one violated claim, so the code should be 1.");
  process.exitCode = 1;
}
