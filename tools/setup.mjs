// Runs before `npm start` and `npm test`, under whatever Node the machine has: installs what package-lock.json names, once.
// Plain JavaScript and built-ins only, for nothing is installed yet.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// npm's own record of what it installed; it is written last, so an install that broke off has none
const record = join(root, "node_modules", ".package-lock.json");

if (isCurrent()) process.exit(0);

console.error(`${existsSync(record) ? "package-lock.json has changed" : "first run"}: installing the packages it names, with their own Node (npm ci, about 20 s)`);
// an old npm on an old Node warns once a package that it wants a newer one: the newer one is what this installs
const npm = process.env.npm_execpath;
const words = ["ci", "--loglevel=error", "--no-fund", "--no-audit"];
const done = npm === undefined
  ? spawnSync("npm", words, { cwd: root, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" })
  : spawnSync(process.execPath, [npm, ...words], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });

if (done.status !== 0) {
  const why = done.error === undefined ? `npm ended with ${done.signal ?? done.status}` : `npm could not be started: ${done.error.message}`;
  console.error(`error: the packages could not be installed (${why})`);
  console.error("  help: the lines above say why; with a registry of your own set it in ~/.npmrc, then run the same command again");
  process.exit(3);
}

/** Is what is installed what the lock file names? Packages for other platforms are named and not installed. */
function isCurrent() {
  if (!existsSync(record)) return false;
  const installed = packagesOf(record);
  return Object.entries(packagesOf(join(root, "package-lock.json"))).every(([path, wanted]) => {
    const found = installed[path];
    return path === "" || (found === undefined ? wanted.optional === true : found.version === wanted.version);
  });
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}
