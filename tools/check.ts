/** `npm run check`: types, lint, floors, unused code, generated files, the lock file. All are run; the first failure decides. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

const checks: readonly { readonly name: string; readonly command: string; readonly words: readonly string[] }[] = [
  { name: "types", command: bin("tsc"), words: [] },
  { name: "lint", command: bin("oxlint"), words: ["--type-aware", "--deny-warnings"] },
  { name: "floors", command: bin("vitest"), words: ["run", "--project", "unit", "--reporter=dot", "test/architecture.test.ts"] },
  { name: "unused code", command: bin("knip"), words: [] },
  { name: "generated files", command: process.execPath, words: ["tools/generate.ts", "--check"] },
  { name: "lock file", command: "npm", words: ["ci", "--dry-run", "--loglevel=error", "--no-audit", "--no-fund"] },
];

let failed = 0;
for (const { name, command, words } of checks) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
  console.log(`${status === 0 ? "ok    " : "failed"}  ${name}`);
  if (status === 0) continue;
  failed += 1;
  console.log(stdout, stderr);
}
process.exitCode = failed === 0 ? 0 : 1;
