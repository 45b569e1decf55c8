/**
 * `npm run build:sea [-- FILE]`: writes `dist-sea/cloud-assert`, or FILE, the whole release and Node itself as one executable for this machine's system.
 * It puts the release into the user's cache folder when it is first started, and starts from there.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { inject } from "postject";

const root = join(import.meta.dirname, "..");
const executable = resolve(process.argv[2] ?? join(root, "dist-sea", process.platform === "win32" ? "cloud-assert.exe" : "cloud-assert"));
/** Where Node looks for what is put into it; part of Node's own documentation. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const work = mkdtempSync(join(tmpdir(), "cloud-assert-sea-"));
try {
  const release = join(work, "release");
  must([join(root, "tools/build.ts"), release]);
  // Declarations are for those who write plug-ins, and they have the package.
  rmSync(join(release, "types"), { recursive: true });
  const names = readdirSync(release, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(release, join(entry.parentPath, entry.name)).replaceAll("\\", "/")).toSorted();
  const hash = createHash("sha256");
  for (const name of names) hash.update(name).update("\0").update(readFileSync(join(release, name)));
  writeFileSync(join(work, "names"), JSON.stringify(names));
  writeFileSync(join(work, "digest"), hash.digest("hex"));

  const assets = { names: join(work, "names"), digest: join(work, "digest"), ...Object.fromEntries(names.map((name) => [name, join(release, name)])) };
  writeFileSync(join(work, "sea.json"), JSON.stringify({ main: join(root, "tools/sea-main.cjs"), output: join(work, "sea.blob"), disableExperimentalSEAWarning: true, useCodeCache: true, assets }));
  must(["--experimental-sea-config", join(work, "sea.json")]);
  mkdirSync(dirname(executable), { recursive: true });
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  await inject(executable, "NODE_SEA_BLOB", readFileSync(join(work, "sea.blob")), { sentinelFuse: FUSE, ...(process.platform === "darwin" ? { machoSegmentName: "NODE_SEA" } : {}) });
  console.log(`${relative(root, executable)}: ${names.length} files in one, ${(readFileSync(executable).length / 1e6).toFixed(0)} MB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function must(words: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}:\n${stderr}`);
}
