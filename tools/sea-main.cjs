// The start of the single-file executable: puts the release that is inside it into a folder of its own, once a version, and starts it there.
// Loading modules out of the executable itself would leave threads and data files behind, which are named by their paths.
"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { createRequire, enableCompileCache } = require("node:module");
const { homedir, tmpdir } = require("node:os");
const path = require("node:path");
const sea = require("node:sea");

const names = JSON.parse(sea.getAsset("names", "utf8"));
const folder = unpacked();
enableCompileCache(path.join(folder, ".compiled"));
createRequire(path.join(folder, "cli/"))(path.join(folder, "cli/process.js")).start();

/** The folder with the release in it; a new one where the usual place cannot be used or is not ours. */
function unpacked() {
  const mark = sea.getAsset("digest", "utf8");
  const usual = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "cloud-assert", "release", mark);
  if (isOurs(usual)) return usual;
  try {
    return unpack(usual);
  } catch {
    // a home that cannot be written, as in containers
    const aside = fs.mkdtempSync(path.join(tmpdir(), "cloud-assert-"));
    process.on("exit", () => fs.rmSync(aside, { recursive: true, force: true }));
    write(aside);
    return aside;
  }
}

/** Complete, and nobody else could have written there. */
function isOurs(place) {
  try {
    const { mode, uid } = fs.lstatSync(place);
    return (process.platform === "win32" || (uid === process.getuid() && (mode & 0o022) === 0)) && fs.existsSync(path.join(place, "complete"));
  } catch {
    return false;
  }
}

/** Written beside and moved into its place, so that nobody ever starts half of it. */
function unpack(place) {
  fs.mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  const beside = `${place}.${process.pid}`;
  fs.rmSync(beside, { recursive: true, force: true });
  fs.mkdirSync(beside, { mode: 0o700 });
  write(beside);
  fs.rmSync(place, { recursive: true, force: true });
  fs.renameSync(beside, place);
  return place;
}

function write(place) {
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = Buffer.from(sea.getRawAsset(name));
    hash.update(name).update("\0").update(bytes);
    const file = path.join(place, name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, bytes, { mode: 0o600 });
  }
  if (hash.digest("hex") !== sea.getAsset("digest", "utf8")) throw new Error("the executable is damaged: what is inside it is not what was put there");
  fs.writeFileSync(path.join(place, "complete"), "");
}
