/**
 * `npm run update:trusted-root [VERSION]`: takes the trusted root of Sigstore's public instance out of a release of `@sigstore/tuf` (left out: the newest)
 * and writes it into clients/signatures/public-good-root.json, byte for byte in a text, so that its digest is the one that Sigstore signs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sigstore } from "../clients/signatures/sigstore.ts";
import { readTrustedRoot } from "../clients/signatures/trusted-root.ts";

const REPOSITORY = "https://tuf-repo-cdn.sigstore.dev";
const file = join(import.meta.dirname, "..", "clients", "signatures", "public-good-root.json");
const folder = mkdtempSync(join(tmpdir(), "trusted-root-"));

try {
  const [archive = ""] = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, `@sigstore/tuf@${process.argv[2] ?? "latest"}`], { encoding: "utf8" }).trim().split("\n");
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", folder, "package/seeds.json", "package/package.json"]);
  const { version } = JSON.parse(readFileSync(join(folder, "package", "package.json"), "utf8")) as { readonly version: string };
  const seeds = JSON.parse(readFileSync(join(folder, "package", "seeds.json"), "utf8")) as Readonly<Record<string, { readonly targets: Readonly<Record<string, string>> }>>;
  const text = Buffer.from(seeds[REPOSITORY]?.targets["trusted_root.json"] ?? "", "base64").toString();
  const { sha256 } = readTrustedRoot("seeds.json", text, await sigstore());
  writeFileSync(file, `${JSON.stringify({ from: `trusted_root.json of ${REPOSITORY}, as @sigstore/tuf ${version} carries it`, text }, undefined, 2)}\n`);
  process.stdout.write(`the trusted root of @sigstore/tuf ${version}, sha256:${sha256}, is in ${file}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
