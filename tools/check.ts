/** `npm run check`: types, lint, floors, unused code, generated files, the lock file. All are run, side by side; one failure is enough. */
import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

interface Check {
  readonly name: string;
  readonly command: string;
  readonly words: readonly string[];
}

const checks: readonly Check[] = [
  { name: "types", command: bin("tsc"), words: [] },
  { name: "lint", command: bin("oxlint"), words: ["--type-aware", "--deny-warnings"] },
  { name: "floors", command: bin("vitest"), words: ["run", "--project", "unit", "--reporter=dot", "test/architecture.test.ts"] },
  { name: "unused code", command: bin("knip"), words: [] },
  { name: "generated files", command: process.execPath, words: ["tools/generate.ts", "--check"] },
  { name: "lock file", command: "npm", words: ["ci", "--dry-run", "--loglevel=error", "--no-audit", "--no-fund"] },
];

const results = await Promise.all(checks.map(async (check) => ({ ...check, ...(await run(check)) })));
for (const { name, passed, output } of results) {
  console.log(`${passed ? "ok    " : "failed"}  ${name}`);
  if (!passed) console.log(output);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

function run({ command, words }: Check): Promise<{ readonly passed: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: root, shell: process.platform === "win32" });
    let output = "";
    const add = (text: string) => (output += text);
    child.stdout.setEncoding("utf8").on("data", add);
    child.stderr.setEncoding("utf8").on("data", add);
    child.once("error", (error) => resolve({ passed: false, output: error.message }));
    child.once("close", (code) => resolve({ passed: code === 0, output }));
  });
}
