import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { SignatureArtifact, SignatureMaterial, SignaturePolicy, WasmSignatures } from "#engine";
import { openSignatures } from "../../../../clients/signatures/index.ts";
import { findAll } from "../../../parts/cache.ts";
import { ISSUER } from "../../../parts/sigstore.ts";
import { scratchFolder } from "../../../parts/process.ts";
import type { Answer, Ceremony } from "./ceremony.ts";
import { RELEASE, ROWS } from "./rows.ts";

const run = promisify(execFile);
const parts = await findAll(["cosign", "fulcio", "tesseract", "rekor-server", "timestamp-server", "referrers-registry", "distribution"]);
const missing = "missing" in parts ? `${parts.missing}; \`npm run parts\` brings it` : await isolation();
if (missing !== undefined && (process.env["CI"] || process.env["CLOUD_ASSERT_REQUIRE_PARTS"])) throw new Error(`this run may skip nothing, and ${missing}`);

/** Some of the services listen on all interfaces: they get a network of their own. Undefined: that is possible here. */
async function isolation(): Promise<string | undefined> {
  return run("unshare", ["-rn", "ip", "link", "set", "lo", "up"]).then(
    () => undefined,
    () => "this system gives no network namespace (`unshare -rn`, `ip`)",
  );
}

let ceremony: Ceremony;
beforeAll(async () => {
  if (missing !== undefined) return void process.stdout.write(`skipped: ${missing}\n`);
  const out = path.join(await scratchFolder("ceremony"), "out.json");
  const program = path.join(import.meta.dirname, "ceremony.ts");
  await run("unshare", ["-rn", "sh", "-c", 'ip link set lo up && exec "$0" "$1" "$2"', process.execPath, program, out], { maxBuffer: 64 << 20 });
  ceremony = JSON.parse(await readFile(out, "utf8")) as Ceremony;
  const differing = ROWS.filter(({ differs }) => differs !== undefined).map(({ claim, differs, accepts }) => `  ${accepts ? "only cosign accepts" : "only we accept"} ${claim}: ${differs}`);
  process.stdout.write(`cosign and we answered ${ROWS.length} questions\n${differing.join("\n")}\n`);
});

describe.skipIf(missing !== undefined)("cosign verify and we agree on", () => {
  for (const { claim, accepts, verdict, reason, differs } of ROWS) {
    it(`${claim}: ${verdict}${differs === undefined ? "" : `, where ${differs}`}`, () => {
      const { accepted, said, ours } = answerTo(claim);
      expect({ accepted, said: accepted === accepts ? "" : said }).toEqual({ accepted: accepts, said: "" });
      expect(ours.verdict, ours.reason).toBe(verdict);
      if (reason !== undefined) expect(ours.reason ?? ours.found[0]?.reason).toContain(reason);
      expect(accepted !== (ours.verdict === "valid"), "they differ where the row says so, and nowhere else").toBe(differs !== undefined);
      expect(ours.verdict === "valid" || (ours.reason !== undefined && ours.remedy !== "" && ours.remedy !== undefined)).toBe(true);
    });
  }

  it("who signed, when, and where it is logged", () => {
    const [signature] = answerTo("a bundle by the allowed identity").ours.found;
    expect(signature).toMatchObject({ verdict: "valid", form: "bundle", on: "manifest", issuer: ISSUER, identity: `https://github.com/${RELEASE}`, log: "https://rekor.test" });
    expect(signature?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(answerTo("a signature on the index, which the reference names").ours.found[0]?.on).toBe("index");
    expect(answerTo("a signature on the manifest for the platform, where the reference names the index").ours.found[0]?.on).toBe("manifest");
  });
});

describe.skipIf(missing !== undefined)("`assert run` on three clusters that pull from these registries", () => {
  const workflow = "https://github.com/acme/mesh/.github/workflows/release.yml";
  const findings = (outcome: string): readonly string[] => ceremony.world.report.results.flatMap((result) => result.findings.filter((finding) => finding.outcome === outcome).map(({ message }) => message.replace(/[0-9a-f]{12}/g, "…")));

  it("finds what differs and what is not signed by whom the assertion allows, and nothing else", () => {
    expect(ceremony.world.code).toBe(1);
    expect(findings("fault")).toEqual([
      `\`shop/authz\` in \`aks\` is signed by somebody who may not: ${workflow}@refs/heads/feature-x (${ISSUER})`,
      "`shop/quota` in `aks` is not signed: no signature was found; 1 attestation is there, which is no signature",
      "`shop/rate` is declared as 2 different modules: … in `eks` and `gke` (the majority); … in `aks`",
    ]);
    expect([findings("undecided"), ceremony.world.report.results.flatMap(({ gaps }) => gaps)]).toEqual([[], []]);
  });

  it("accepts the image of each cluster as `cosign verify` does, but for an attestation, which is no signature", () => {
    const [table] = ceremony.world.report.results.flatMap(({ tables = [] }) => tables);
    const ours = Object.fromEntries((table?.rows ?? []).flatMap(({ head, cells }) => cells.map(({ text }, index) => [`${table?.columns[index] ?? ""}/${head.replace("shop/", "")}`, text.includes("signed by")] as const)));
    expect(Object.keys(ours)).toHaveLength(12);
    expect(ours).toEqual({ ...ceremony.world.accepted, "aks/quota": false });
    expect([ceremony.world.accepted["aks/quota"], ceremony.world.accepted["aks/authz"]]).toEqual([true, false]);
  });

  it("tells of each module what runs where and who signed it, also where all is well", () => {
    expect(findings("info")).toEqual([
      // Which of the two wrappings stands first, their digests say.
      expect.stringMatching(/^`shop\/authz` is declared as … in `aks`, `eks` and `gke`; wrapped in 2 ways: sha256:… in (`gke`, sha256:… in `aks` and `eks`|`aks` and `eks`, sha256:… in `gke`); signed by https:.*@refs\/tags\/v1\.2\.3 \(https:.*\) in `eks` and `gke`, wrong identity in `aks`$/),
      "`shop/quiet` is declared as … in `aks`, `eks` and `gke`; signed by key …",
      "`shop/quota` is declared as … in `aks`, `eks` and `gke`; signed by key … in `eks` and `gke`, unsigned in `aks`",
    ]);
  });

  it("has a line for each module and cluster: reference, digests, interface, language, signer", () => {
    const rows = ceremony.world.report.results.flatMap(({ findings: all }) => all.filter(({ subject, outcome }) => subject === "shop/rate" && outcome === "fault").flatMap(({ evidence }) => evidence.map(({ cluster, value }) => [cluster, value] as const)));
    expect(rows.map(([cluster]) => cluster)).toEqual(["aks", "eks", "gke"]);
    for (const [cluster, value] of rows) expect(value).toMatch(new RegExp(`^oci://127\\.0\\.0\\.1:702[01]/world/${cluster}-rate@sha256:[0-9a-f]{64}; manifest sha256:[0-9a-f]{12}; wasm [0-9a-f]{12}; proxy-wasm 0\\.2\\.1, claims Rust \\(rustc 1\\.80\\.0\\); signed by key [0-9a-f]{12}$`));
    expect(ceremony.world.text).toContain("4 modules judged in 3 clusters");
    expect(ceremony.world.text).toMatch(/^ +aks +eks +gke\n +shop\/authz +✗ [0-9a-f]{12}; +✓ [0-9a-f]{12}; +✓ [0-9a-f]{12};\n +wrong identity: +signed by +signed by\n +acme\/mesh +acme\/mesh +acme\/mesh\n/m);
  });
});

/** Fields that nothing rests on: changing them changes nothing that is signed, proven or told. The hint of a key: allowed keys are all tried. */
const IDLE = new Set([
  "verificationMaterial.tlogEntries.0.logIndex",
  "verificationMaterial.tlogEntries.0.inclusionProof.rootHash",
  "verificationMaterial.tlogEntries.0.inclusionProof.treeSize",
  "verificationMaterial.publicKey.hint",
  "dsseEnvelope.signatures.0.keyid",
]);

describe.skipIf(missing !== undefined)("a real signature", () => {
  const signatures: readonly { readonly name: string; readonly policy: () => SignaturePolicy }[] = [
    { name: "keyless", policy: () => ({ keyless: [{ issuer: ISSUER, identity: `https://github.com/${RELEASE}` }], trustedRoot: file("tr.json") }) },
    { name: "keyed-log", policy: () => ({ keys: [file("first.pub")], trustedRoot: file("tr.json"), log: true }) },
    { name: "keyed", policy: () => ({ keys: [file("first.pub")] }) },
    { name: "old-keyed", policy: () => ({ keys: [file("first.pub")] }) },
    { name: "old-keyless", policy: () => ({ keyless: [{ issuer: ISSUER, identity: `https://github.com/${RELEASE}` }], trustedRoot: file("tr.json"), log: false }) },
  ];
  for (const { name, policy } of signatures) {
    it(`\`${name}\` is not valid after any change of a text in it, at any of five places, nor without it, but for what nothing rests on`, async () => {
      const material = materialOf(name);
      const [artifact] = material.artifacts;
      if (artifact === undefined) throw new Error("no artifact");
      const verifier = openSignatures();
      const verdictOf = async (changed: SignatureArtifact): Promise<WasmSignatures> => verifier.verify({ ...material, artifacts: [changed] }, policy());
      expect((await verdictOf(artifact)).verdict).toBe("valid");
      const survivors: string[] = [];
      let tried = 0;
      for (const [where, changed] of changes(artifact)) {
        tried += 1;
        if ((await verdictOf(changed)).verdict === "valid" && !IDLE.has(where)) survivors.push(where);
      }
      expect(survivors).toEqual([]);
      expect(tried).toBeGreaterThanOrEqual(8);
    });
  }
});

/** One text changed at a time, or left out: in the bundle, in the payload of an old signature, in its annotations. */
function* changes(artifact: SignatureArtifact): Generator<readonly [where: string, changed: SignatureArtifact]> {
  if (artifact.form === "bundle") {
    const bundle = JSON.parse(Buffer.from(artifact.bytes).toString()) as object;
    for (const [where, text] of changed(bundle)) yield [where, { ...artifact, bytes: Buffer.from(text) }];
    return;
  }
  for (const text of variants(Buffer.from(artifact.bytes).toString())) yield ["payload", { ...artifact, bytes: Buffer.from(text) }];
  for (const [name, value] of Object.entries(artifact.annotations)) {
    if (name.endsWith("/chain") || !name.includes("cosign")) continue;
    for (const text of variants(value)) yield [name, { ...artifact, annotations: { ...artifact.annotations, [name]: text } }];
  }
}

function* changed(document: object, path: readonly string[] = [], root: object = document): Generator<readonly [where: string, text: string]> {
  for (const [name, value] of Object.entries(document)) {
    const where = [...path, name];
    if (typeof value === "object" && value !== null) yield* changed(value, where, root);
    else for (const text of variants(String(value))) yield [where.join("."), JSON.stringify(withText(root, where, text))];
    if (typeof value === "object") continue;
    yield [where.join("."), JSON.stringify(withText(root, where, undefined))];
  }
}

function withText(document: object, [name = "", ...rest]: readonly string[], text: string | undefined): object {
  const copy: object = Array.isArray(document) ? [...(document as unknown[])] : { ...document };
  const inner = Reflect.get(copy, name) as unknown;
  Reflect.set(copy, name, typeof inner === "object" && inner !== null ? withText(inner, rest, text) : text);
  return copy;
}

/** The text with another letter or digit in place of one, at five places or the first after each that has one. */
function variants(text: string): readonly string[] {
  const places = [0, 0.25, 0.5, 0.75, 0.95].map((part) => Math.floor(part * text.length)).flatMap((at) => {
    const further = text.slice(at).search(/[A-Za-z0-9]/);
    return further < 0 ? [] : [at + further];
  });
  return places.map((at) => text.slice(0, at) + (text[at] === "A" ? "B" : text[at] === "1" ? "2" : /\d/.test(text[at] ?? "") ? "1" : "A") + text.slice(at + 1));
}

function answerTo(claim: string): Answer {
  const answer = ceremony.answers[claim];
  if (answer === undefined) throw new Error(`nobody was asked about ${claim}`);
  return answer;
}

function file(name: string): { readonly path: string; readonly sha256: string; readonly content: string } {
  return { path: name, sha256: name, content: ceremony.files[name] ?? "" };
}

function materialOf(name: string): SignatureMaterial {
  const { artifacts, ...rest } = ceremony.materials[name] as Omit<SignatureMaterial, "artifacts"> & { readonly artifacts: readonly (Omit<SignatureArtifact, "bytes"> & { readonly bytes: string })[] };
  return { ...rest, artifacts: artifacts.map((artifact) => ({ ...artifact, bytes: Buffer.from(artifact.bytes, "base64") })) };
}
