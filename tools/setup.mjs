// Runs before `npm test` on any Node from 20: installs what is missing, the right Node among it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

if (!existsSync(new URL("../node_modules/vitest", import.meta.url))) {
  console.error("installing dependencies (once) ...");
  const { status } = spawnSync("npm", ["ci", "--loglevel=error"], { stdio: "inherit", shell: process.platform === "win32" });
  process.exitCode = status ?? 1;
}
