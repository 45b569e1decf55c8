/**
 * How a release loads itself: its modules are scripts that lie beside each other, started here and not by Node's own loader, whose compile
 * cache keeps no function that is compiled when it is first called. What a command has compiled is kept where Node keeps such things
 * (`NODE_COMPILE_CACHE`, `NODE_DISABLE_COMPILE_CACHE`), for the next run of the same command.
 */
const { createRequire, getCompileCacheDir } = process.getBuiltinModule("node:module");
const { readFileSync, lstatSync, mkdirSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");
const { dirname, join, posix } = process.getBuiltinModule("node:path");
const { Script } = process.getBuiltinModule("node:vm");

/** Tells this release from every other; written by the build. */
const BUILD = "BUILD";
/** Words a command line may begin with; what they compile is kept apart. Written by the build. */
const COMMANDS = ["COMMANDS"];

const root = join(import.meta.dirname, "..");
const cache = cacheFolder();
const loaded = new Map();
const compiled = new Map();

export function start() {
  // Only a run that came to its end has compiled what such runs need.
  process.once("exit", (code) => code <= 2 && keep());
  return load("cli/process.cjs").start();
}

/** What the module exports, by its path from the root of the release; each is run once. */
export function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const exports = {};
  loaded.set(name, exports);
  const filename = join(root, name);
  const cachedData = kept(name);
  const script = new Script(`(function (exports, require, importModule, __filename, __dirname) {${readFileSync(filename, "latin1")}\n})`, { filename, cachedData });
  if (cachedData === undefined || script.cachedDataRejected) compiled.set(name, script);
  const require = (id) => (id.startsWith(".") ? load(posix.join(posix.dirname(name), id)) : (process.getBuiltinModule(id) ?? createRequire(filename)(id)));
  script.runInThisContext()(exports, require, (id) => import(id), filename, dirname(filename));
  return exports;
}

/** Where this command's compiled code lies, if Node keeps any: a folder that nobody else can write to. */
function cacheFolder() {
  const all = getCompileCacheDir();
  if (all === undefined) return undefined;
  const [, , word] = process.argv;
  return join(all, `cloud-assert-${BUILD}`, COMMANDS.includes(word) ? word : "other");
}

function kept(name) {
  if (cache === undefined) return undefined;
  try {
    const file = fileOf(name);
    return isOurs(file) ? readFileSync(file) : undefined;
  } catch {
    // the first run of this command
    return undefined;
  }
}

function isOurs(file) {
  const { mode, uid } = lstatSync(file);
  return process.platform === "win32" || (uid === process.getuid() && (mode & 0o022) === 0);
}

function fileOf(name) {
  return join(cache, name.replaceAll("/", "-"));
}

/** Written beside and moved into its place, so that nobody ever reads half of it. */
function keep() {
  if (cache === undefined || compiled.size === 0) return;
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    for (const [name, script] of compiled) {
      const beside = `${fileOf(name)}.${process.pid}`;
      writeFileSync(beside, script.createCachedData(), { mode: 0o600 });
      renameSync(beside, fileOf(name));
    }
  } catch {
    // nowhere to keep it: the next run compiles again
  }
}
