import { describe, expect, it } from "vitest";
import type { Fact, WasmFailureKind, WasmSignature, WasmSignatures, WasmState } from "#engine";
import kind from "../../kinds/wasm-identical/kind.ts";
import type { Spec } from "../../kinds/wasm-identical/spec.ts";
import { asked, h, image, loaded, module, place, SIGNED } from "../support/wasm-facts.ts";
import { clusterOf, gapOf, judge, resultOf, type Said, type Seen } from "../support/world.ts";

const PLAIN: Spec = { mapping: {}, presence: "everywhere", pinned: false, loaded: false, maxProbes: 500 };
const KEY = { path: "release.pub", sha256: h("5"), content: "key" };
const SIGNATURE: Spec = { ...PLAIN, signature: { required: true, keys: [KEY] } };
const LOADED: Spec = { ...PLAIN, loaded: true };
const ECR = "oci://ecr.example/wasm/authz:1";
const GAR = "oci://gar.example/wasm/authz:1";

/** Two clusters whose objects were all seen. */
function world(facts: readonly Fact[], spec = PLAIN): Seen {
  // The selector of a policy is a digest, which nobody reads: a test writes a word in its place.
  const selector = kind.needs(spec).find(({ fact }) => fact === "wasm-images")?.selector;
  const answered = facts.map((fact) => (fact.selector === SIGNED && selector !== undefined ? { ...fact, selector } : fact));
  return { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks"), place("gke"), ...answered] };
}

const say = (facts: readonly Fact[], spec = PLAIN): Said => judge(kind, spec, world(facts, spec));
const verdict = (facts: readonly Fact[], spec = PLAIN, parts = {}) => resultOf(kind, spec, world(facts, spec), parts).verdict;
const both = (eks = ECR, gke = GAR) => [module("eks", "shop/authz", eks), module("gke", "shop/authz", gke)];

describe("the bytes of a module", () => {
  const same: readonly { readonly name: string; readonly facts: readonly Fact[]; readonly words?: string }[] = [
    { name: "are the same in the same image", facts: [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "a" })] },
    { name: "are the same in another wrapping, and the report says so", facts: [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "2", wasm: "a", layout: "docker" })], words: "wrapped in 2 ways: sha256:111111111111 in `eks`, sha256:222222222222 in `gke`" },
    { name: "are the same under another tag", facts: [...both(ECR, ECR.replace(":1", ":latest")), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", ECR.replace(":1", ":latest"), { manifest: "1", wasm: "a" })] },
    { name: "are the same from an index and from an image", facts: [...both(), image("eks", ECR, { manifest: "1", top: "7", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "a" })] },
    { name: "are the same in a WasmPlugin and in the TrafficExtension that it becomes", facts: [module("eks", "shop/authz", ECR), module("gke", "shop/authz", GAR, { form: "TrafficExtension" }), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "a" })] },
    { name: "are the same in an image, at an address and in an object", facts: [module("eks", "shop/authz", { source: "http", reference: "https://files.example/a.wasm", by: "agent" }), module("gke", "shop/authz", { source: "inline", wasmSha256: h("a"), size: 10 }), image("eks", "https://files.example/a.wasm", { wasm: "a" })] },
    { name: "are what counts, not the field `sha256`, which means the image here and the bytes there", facts: [module("eks", "shop/authz", { source: "oci", reference: ECR, sha256: h("1"), by: "agent" }), module("gke", "shop/authz", { source: "http", reference: "https://files.example/a.wasm", sha256: h("a"), by: "agent" }), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", "https://files.example/a.wasm", { wasm: "a" })] },
  ];
  for (const { name, facts, words = "`shop/authz` is declared as aaaaaaaaaaaa in `eks` and `gke`" } of same) {
    it(name, () => {
      const said = say(facts);
      expect([said.faults, said.undecided, said.gaps, said.judged]).toEqual([[], [], [], 1]);
      expect(said.infos.map(({ message }) => message).join()).toContain(words);
      expect(said.infos[0]?.evidence.map(({ cluster }) => cluster)).toEqual(["eks", "gke"]);
      expect(verdict(facts)).toBe("holds");
    });
  }

  it("are different where the digests differ, however alike the references are", () => {
    const facts = [...both(ECR, ECR), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", ECR, { manifest: "2", wasm: "b" })];
    expect(say(facts).faults).toMatchObject([{ message: "`shop/authz` is declared as 2 different modules: aaaaaaaaaaaa in `eks`; bbbbbbbbbbbb in `gke`" }]);
    expect(verdict(facts)).toBe("violated");
  });

  it("are different with the same fingerprint when both are released again", () => {
    const cause = (a: string, b: string) => say([...both(), image("eks", ECR, { manifest: "1", wasm: a }), image("gke", GAR, { manifest: "2", wasm: b })]).faults[0]?.cause;
    expect(cause("a", "b")).toBe(cause("c", "d"));
  });

  it("that differ between two clusters are told although a third cannot be read", () => {
    const facts = [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "2", wasm: "b" }), place("aks"), module("aks", "shop/authz", ECR), image("aks", ECR, { failure: { kind: "unreachable", reason: "`ecr.example` refuses connections", remedy: "check" } })];
    const said = judge(kind, PLAIN, { ...world(facts), clusters: ["aks", "eks", "gke"].map((name) => clusterOf(name)) });
    expect([said.faults.length, said.gaps.map(({ cluster }) => cluster)]).toEqual([1, ["aks"]]);
  });

  const failures: readonly WasmFailureKind[] = ["invalid", "refused", "not-found", "unauthorized", "throttled", "unreachable", "wrong-digest", "too-large", "unsupported"];
  for (const failure of failures) {
    it(`that cannot be read (${failure}) are a gap, never a pass and never a difference`, () => {
      const facts = [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", failure: { kind: failure, reason: "the registry is odd", remedy: "mend it" } })];
      expect(say(facts)).toMatchObject({ faults: [], infos: [], gaps: [{ cluster: "gke", reason: "the bytes of `shop/authz` were not read: the registry is odd", remedy: "mend it" }] });
      expect(verdict(facts)).toBe("undecided");
    });
  }

  it("that nobody resolved are a gap", () => expect(say([...both(), image("eks", ECR, { manifest: "1", wasm: "a" })]).gaps).toMatchObject([{ cluster: "gke", reason: expect.stringContaining("was not read") }]));

  it("that lie in the proxy's own files cannot be compared", () => {
    const facts = [module("eks", "shop/authz", { source: "file", path: "/etc/a.wasm" }), module("gke", "shop/authz", { source: "file", path: "/etc/a.wasm" })];
    expect(say(facts).undecided.map(({ message }) => message)).toEqual(["eks", "gke"].map((cluster) => `the bytes of \`shop/authz\` in \`${cluster}\` cannot be compared: it is the file \`/etc/a.wasm\` in the container of the proxy, whose bytes cannot be seen`));
    expect(verdict(facts)).toBe("undecided");
  });

  it("of an address with a secret, and of a form that is not known, are gaps", () => {
    const facts = [module("eks", "shop/authz", { source: "http", reference: "https://files.example/a.wasm", hidden: true, by: "agent" }), module("gke", "shop/authz", { source: "unknown", reason: "it has no address", remedy: "write one" })];
    expect(say(facts).gaps.map(({ reason }) => reason)).toEqual(["the bytes of `shop/authz` were not read: the address `https://files.example/a.wasm` has a user or a query, which are not kept", "the bytes of `shop/authz` were not read: it has no address"]);
  });

  it("of native code are none: it is listed and not judged", () => {
    const native = { source: "native", name: "envoy.wasm.stats" } as const;
    const said = say([module("eks", "mesh/stats", native), module("gke", "mesh/stats", native)]);
    expect([said.judged, said.infos.map(({ message }) => message)]).toEqual([0, ["2 filters are written like a Wasm module and are code of Envoy itself: `mesh/stats` in `eks`, `mesh/stats` in `gke`"]]);
  });
});

describe("nothing seen", () => {
  it("is no pass: no module, one cluster, nothing asked", () => {
    expect(verdict([])).toBe("undecided");
    expect(verdict([], PLAIN, { allowEmpty: true })).toBe("holds");
    expect(resultOf(kind, PLAIN, { clusters: [clusterOf("eks")], facts: [place("eks"), module("eks", "shop/authz", ECR), image("eks", ECR, { manifest: "1", wasm: "a" })] }).verdict).toBe("undecided");
    expect(resultOf(kind, PLAIN, { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [], gaps: [gapOf("wasm-modules", "eks"), gapOf("wasm-modules", "gke")] }, { allowEmpty: true }).verdict).toBe("undecided");
  });

  it("is no pass in a folder of manifests that holds nothing of the kind", () => {
    const unseen = { complete: false, unseen: ["EnvoyFilter", "TrafficExtension", "WasmPlugin"] };
    const seen = { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks", unseen), place("gke", unseen)] };
    expect(judge(kind, PLAIN, seen).gaps).toHaveLength(2);
    expect(resultOf(kind, PLAIN, seen, { allowEmpty: true }).verdict).toBe("undecided");
  });
});

describe("a module that one cluster lacks", () => {
  const facts = [module("eks", "shop/authz", ECR), image("eks", ECR, { manifest: "1", wasm: "a" })];

  it("is a fault, or listed where that is no fault", () => {
    expect(say(facts).faults).toMatchObject([{ message: "`shop/authz` is in `eks` and not in `gke`" }]);
    const shared = say(facts, { ...PLAIN, presence: "shared" });
    expect([shared.faults, shared.judged, shared.infos.some(({ message }) => message.includes("not in every cluster: `shop/authz`"))]).toEqual([[], 0, true]);
  });

  it("is not missing where a list could not be read", () => expect(judge(kind, PLAIN, { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks"), ...facts, place("gke")], gaps: [gapOf("wasm-modules", "gke")] }).faults).toEqual([]));

  it("may be hidden in a namespace that was not looked at, or behind a kind that a folder does not hold", () => {
    for (const more of [{ namespaces: ["other"] }, { complete: false, unseen: ["TrafficExtension"] }]) {
      const said = judge(kind, PLAIN, { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks"), ...facts, place("gke", more)] });
      expect([said.faults, said.undecided.map(({ message }) => message)]).toEqual([[], ["`shop/authz` may or may not be in `gke`: not everything that may declare it was seen there"]]);
    }
  });

  it("is not looked at where `names` leaves it out", () => expect(say(facts, { ...PLAIN, names: ["mesh/*"] })).toMatchObject({ faults: [], judged: 0 }));
});

describe("a module with another name in one cluster", () => {
  const AKS = { gke: { "aks-istio-system/authz": "istio-system/authz" } };
  const facts = [module("eks", "istio-system/authz", ECR), module("gke", "aks-istio-system/authz", GAR), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "b" })];

  it("is two modules, until `mapping` says that it is one", () => {
    expect(say(facts).faults).toMatchObject([{ message: "`aks-istio-system/authz` is in `gke` and not in `eks`" }, { message: "`istio-system/authz` is in `eks` and not in `gke`", remedy: expect.stringContaining("`gke: { NAMESPACE/NAME: istio-system/authz }`") }]);
    expect(say(facts, { ...PLAIN, mapping: AKS }).faults).toMatchObject([{ subject: "istio-system/authz", message: expect.stringContaining("2 different modules") }]);
    expect(say(facts, { ...PLAIN, mapping: AKS, names: ["istio-system/*"] })).toMatchObject({ judged: 1 });
  });

  it("is known in its proxies by its own name", () => {
    const own = { state: "loaded", folder: h("f"), checksum: h("1"), runtime: "v8" } as const;
    const said = say([...facts, asked("eks", 1), asked("gke", 1), loaded("eks", "istio-system/authz", own), loaded("gke", "aks-istio-system/authz", own)], { ...LOADED, mapping: AKS });
    expect(said.undecided).toEqual([]);
  });

  it("may be hidden in its own namespace, not in that of the others", () => {
    const seen = (namespaces: readonly string[]) => judge(kind, { ...PLAIN, mapping: AKS }, { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks"), place("gke", { namespaces }), module("eks", "istio-system/authz", ECR), image("eks", ECR, { manifest: "1", wasm: "a" })] });
    expect([seen(["aks-istio-system"]).faults.length, seen(["istio-system"]).undecided.length]).toEqual([1, 1]);
  });
});

describe("two modules under one name", () => {
  it("are told apart by kind and place, in all clusters", () => {
    const filter = (cluster: string, at: string, digit: string) => module(cluster, "mesh/filters", { source: "inline", wasmSha256: h(digit), size: 1 }, { form: "EnvoyFilter", at });
    const said = say([filter("eks", "configPatches[0]", "a"), filter("eks", "configPatches[1]", "b"), filter("gke", "configPatches[0]", "a"), filter("gke", "configPatches[1]", "c")]);
    expect(said.faults.map(({ subject }) => subject)).toEqual(["mesh/filters (EnvoyFilter, module 2)"]);
    expect(said.judged).toBe(2);
  });

  it("are paired in the order in which they stand, whatever other patches stand between them; or by the name that they have in proxies", () => {
    const filter = (cluster: string, at: string, digit: string, resource?: string) => module(cluster, "mesh/filters", { source: "inline", wasmSha256: h(digit), size: 1 }, { form: "EnvoyFilter", at, ...(resource === undefined ? {} : { resource }) });
    const moved = [filter("eks", "configPatches[2]", "a"), filter("eks", "configPatches[10] (1)", "b"), filter("eks", "configPatches[10] (2)", "c"), filter("gke", "configPatches[0]", "a"), filter("gke", "configPatches[1]", "b"), filter("gke", "configPatches[2]", "c")];
    expect(say(moved)).toMatchObject({ faults: [], judged: 3 });
    const named = [filter("eks", "configPatches[0]", "a", "first"), filter("eks", "configPatches[1]", "b", "second"), filter("gke", "configPatches[0]", "b", "second"), filter("gke", "configPatches[1]", "a", "first")];
    expect(say(named)).toMatchObject({ faults: [], judged: 2 });
    const twins = ["eks", "gke"].flatMap((cluster) => [filter(cluster, "configPatches[0]", "a", "same"), filter(cluster, "configPatches[1]", "b", "same")]);
    expect(say(twins)).toMatchObject({ faults: [], judged: 2 });
    expect(say([...named.slice(0, -1), filter("gke", "configPatches[1]", "c", "first")]).faults.map(({ subject }) => subject)).toEqual(["mesh/filters (EnvoyFilter, first)"]);
  });

  it("are one name where each object has one, wherever it stands in it", () => {
    const filter = (cluster: string, at: string) => module(cluster, "mesh/filters", { source: "inline", wasmSha256: h("a"), size: 1 }, { form: "EnvoyFilter", at });
    expect(say([filter("eks", "configPatches[0]"), filter("gke", "configPatches[3]")])).toMatchObject({ faults: [], judged: 1 });
  });
});

describe("a declaration that cannot be followed", () => {
  const oci = (reference: string, sha256?: string) => ({ source: "oci", reference, by: "agent", ...(sha256 === undefined ? {} : { sha256 }) }) as const;
  const cases: readonly { readonly name: string; readonly facts: readonly Fact[]; readonly words: string }[] = [
    { name: "pins another image than its tag names now", facts: [module("eks", "shop/authz", oci(ECR, h("9"))), module("gke", "shop/authz", oci(ECR, h("9"))), ...["eks", "gke"].map((cluster) => image(cluster, ECR, { manifest: "1", wasm: "a" }))], words: "is pinned to sha256:999999999999, and its reference names sha256:111111111111: the tag was moved" },
    { name: "pins the digest of an index", facts: ["eks", "gke"].flatMap((cluster) => [module(cluster, "shop/authz", oci(`oci://ecr.example/wasm/authz@sha256:${h("7")}`)), image(cluster, `oci://ecr.example/wasm/authz@sha256:${h("7")}`, { top: "7", manifest: "1", wasm: "a" })]), words: "the digest of an index" },
    { name: "pins other bytes than its address gives", facts: ["eks", "gke"].flatMap((cluster) => [module(cluster, "shop/authz", { source: "http", reference: "https://files.example/a", sha256: h("9"), by: "agent" }), image(cluster, "https://files.example/a", { wasm: "a" })]), words: "its address gives aaaaaaaaaaaa: nothing is loaded" },
    { name: "names an image in the form of the CNCF", facts: [...both(ECR, ECR), ...["eks", "gke"].map((cluster) => image(cluster, ECR, { manifest: "1", wasm: "a", layout: "cncf" }))], words: "which Istio's agent does not load" },
    { name: "names an image of `cosign upload wasm`", facts: [...both(ECR, ECR), ...["eks", "gke"].map((cluster) => image(cluster, ECR, { manifest: "1", wasm: "a", layout: "cosign" }))], words: "which Istio's agent does not load" },
    { name: "has Envoy fetch what it cannot unpack", facts: ["eks", "gke"].flatMap((cluster) => [module(cluster, "shop/authz", { source: "http", reference: "https://files.example/a", sha256: h("9"), by: "envoy" }, { form: "EnvoyFilter" }), image(cluster, "https://files.example/a", { wasm: "a", wrapping: ["gzip"] })]), words: "packed with gzip, which Envoy does not unpack" },
    { name: "has Envoy fetch without the digest that it asks for", facts: ["eks", "gke"].flatMap((cluster) => [module(cluster, "shop/authz", { source: "http", reference: "https://files.example/a", by: "envoy" }, { form: "EnvoyFilter" }), image(cluster, "https://files.example/a", { wasm: "a" })]), words: "names no `sha256`, and Envoy refuses such a configuration" },
    { name: "names a component", facts: [...both(ECR, ECR), ...["eks", "gke"].map((cluster) => image(cluster, ECR, { manifest: "1", module: { wasmSha256: h("a"), size: 1, model: "component", imports: [] } }))], words: "is a component" },
    { name: "names a module without an interface that Envoy knows", facts: [...both(ECR, ECR), ...["eks", "gke"].map((cluster) => image(cluster, ECR, { manifest: "1", module: { wasmSha256: h("a"), size: 1, model: "core", imports: [] } }))], words: "exports no version of proxy-wasm" },
  ];
  for (const { name, facts, words } of cases) {
    it(`${name}: one fault for all clusters`, () => {
      expect(say(facts).faults).toMatchObject([{ message: expect.stringMatching(/^`shop\/authz` in `eks` and `gke` /) }]);
      expect(say(facts).faults[0]?.message).toContain(words);
    });
  }

  it("is none where the pin is right, in either place", () => {
    const digest = `oci://ecr.example/wasm/authz:1@sha256:${h("1")}`;
    expect(say([module("eks", "shop/authz", oci(ECR, h("1"))), module("gke", "shop/authz", oci(digest)), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", digest, { manifest: "1", wasm: "a" })], { ...PLAIN, pinned: true }).faults).toEqual([]);
  });

  it("is a tag or an address alone, where pins are asked for", () => {
    const facts = [module("eks", "shop/authz", ECR), module("gke", "shop/authz", { source: "http", reference: "https://files.example/a", by: "agent" }), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", "https://files.example/a", { wasm: "a" })];
    expect(say(facts, { ...PLAIN, pinned: true }).faults.map(({ message }) => message.slice(0, 55))).toEqual(["`shop/authz` in `eks` is named by a tag alone (`oci://e", "`shop/authz` in `gke` is named by an address alone (`ht"]);
    expect(say(facts).faults).toEqual([]);
  });
});

describe("who signed", () => {
  const signature = (more: Partial<WasmSignature> = {}): WasmSignature => ({ verdict: "valid", on: "manifest", form: "bundle", issuer: "https://issuer.example", identity: "release@acme.example", ...more });
  const facts = (eks: WasmSignatures, gke: WasmSignatures = eks) => [...both(), image("eks", ECR, { manifest: "1", wasm: "a", signatures: eks }), image("gke", GAR, { manifest: "1", wasm: "a", signatures: gke })];
  const valid: WasmSignatures = { verdict: "valid", found: [signature()] };

  it("is said beside the module, with the place where the signature is", () => {
    const said = say(facts(valid, { verdict: "valid", found: [signature({ on: "index" })] }), SIGNATURE);
    expect([said.faults, said.gaps]).toEqual([[], []]);
    expect(said.infos[0]?.message).toContain("signed by release@acme.example (https://issuer.example) in `eks`, signed by release@acme.example (https://issuer.example), on the index in `gke`");
  });

  it("may be another one in another cluster, if both are allowed: that is said", () => {
    const said = say(facts(valid, { verdict: "valid", found: [signature({ identity: "other@acme.example" })] }), SIGNATURE);
    expect([said.faults, said.infos[0]?.message.includes("other@acme.example")]).toEqual([[], true]);
  });

  const verdicts: readonly { readonly signatures: WasmSignatures; readonly words: string }[] = [
    { signatures: { verdict: "unsigned", found: [] }, words: "`shop/authz` in `eks` and `gke` is not signed: nothing signs sha256:111111111111" },
    { signatures: { verdict: "wrong-identity", found: [signature({ verdict: "wrong-identity", identity: "evil@acme.example" })] }, words: "is signed by somebody who may not: evil@acme.example (https://issuer.example)" },
    { signatures: { verdict: "invalid", found: [signature({ verdict: "invalid", reason: "it signs another image" })] }, words: "has a signature that is not valid: it signs another image" },
    { signatures: { verdict: "expired", found: [], reason: "no time is vouched for" }, words: "has a signature that has expired: no time is vouched for" },
  ];
  for (const { signatures, words } of verdicts) {
    it(`that is ${signatures.verdict} is a fault of its own, and information where it is not required`, () => {
      expect(say(facts(signatures), SIGNATURE).faults).toMatchObject([{ message: expect.stringContaining(words) }]);
      const lenient = say(facts(signatures), { ...PLAIN, signature: { required: false, keys: [KEY] } });
      expect([lenient.faults, lenient.infos.some(({ message }) => message.includes(words))]).toEqual([[], true]);
    });
  }

  it("is a gap where it could not be asked: never unsigned, never a pass", () => {
    const throttled = facts(valid, { verdict: "unknown", found: [], reason: "`gar.example` is busy", remedy: "run again" });
    expect(say(throttled, SIGNATURE)).toMatchObject({ faults: [], gaps: [{ cluster: "gke", reason: "whether `shop/authz` is signed was not read: `gar.example` is busy" }] });
    expect(verdict(throttled, SIGNATURE)).toBe("undecided");
  });

  it("is a gap where a snapshot has the bytes and not the signatures", () => {
    const plain = [...both(), ...[["eks", ECR], ["gke", GAR]].map(([cluster = "", reference = ""]) => ({ ...image(cluster, reference, { manifest: "1", wasm: "a" }), selector: SIGNED }))];
    expect(say(plain, SIGNATURE).gaps).toHaveLength(2);
  });

  for (const code of [{ source: "inline", wasmSha256: h("a"), size: 1 }, { source: "http", reference: "https://files.example/a", by: "agent" }, { source: "file", path: "/a.wasm" }] as const) {
    it(`cannot be told of ${code.source}: that counts as unsigned`, () => {
      const said = say([module("eks", "shop/authz", code), module("gke", "shop/authz", code), ...["eks", "gke"].map((cluster) => ({ ...image(cluster, "https://files.example/a", { wasm: "a" }), selector: SIGNED }))], SIGNATURE);
      expect(said.faults).toMatchObject([{ message: expect.stringContaining("is not signed") }]);
    });
  }

  it("shows the other signatures as evidence", () => {
    const many: WasmSignatures = { verdict: "wrong-identity", found: [signature({ verdict: "wrong-identity" }), signature({ verdict: "invalid", form: "legacy", reason: "broken" })] };
    expect(say(facts(many, valid), SIGNATURE).faults[0]?.evidence.map(({ label, value }) => [label, value])).toEqual([
      ["module", expect.stringContaining("wrong identity")],
      ["signature (bundle, on the manifest)", "wrong-identity; release@acme.example; https://issuer.example"],
      ["signature (legacy, on the manifest)", "invalid; release@acme.example; https://issuer.example; broken"],
    ]);
  });

  it("must be named: an issuer alone, or nobody, is refused when the file is loaded", () => {
    const faults = (signature: NonNullable<Spec["signature"]>) => [...(kind.check?.({ ...PLAIN, signature }) ?? [])].map(({ message }) => message);
    expect(faults({ required: true })).toEqual(["`signature` names nobody who may sign"]);
    expect(faults({ required: true, keyless: [{ issuer: "i" }] })).toEqual(["an issuer vouches for many: nobody is named"]);
    expect(faults({ required: true, keyless: [{ issuer: "i", identity: "a", identityPattern: "b" }] })).toEqual(["`identity` and `identityPattern` are two ways to say one thing"]);
    expect(faults({ required: true, keyless: [{ issuer: "i", identity: "a" }] })).toEqual([]);
    expect(faults({ required: true, keys: [KEY] })).toEqual([]);
  });

  it("may be named by a pattern, which is no regular expression, and a wide one is told", () => {
    const by = (identityPattern: string): Spec => ({ ...PLAIN, signature: { required: true, keyless: [{ issuer: "i", identityPattern }] } });
    const faults = (pattern: string) => [...(kind.check?.(by(pattern)) ?? [])].map(({ message }) => message);
    expect(faults("https://github\\.com/acme/.*")).toEqual([expect.stringContaining("of a regular expression, and is none")]);
    expect(faults("https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*")).toEqual([]);
    const wide = "https://github.com/acme/mesh/.github/workflows/release.yml@*";
    expect(say(facts(valid, valid), by(wide)).infos).toContainEqual(expect.objectContaining({ subject: wide, message: expect.stringContaining("any branch") }));
  });
});

describe("what proxies have", () => {
  const kept = (digit: string, folder = "f"): WasmState => ({ state: "loaded", folder: h(folder), checksum: h(digit), runtime: "envoy.wasm.runtime.v8" });
  const base = [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "a" }), asked("eks", 3), asked("gke", 1), loaded("gke", "shop/authz", kept("1"))];
  const OLD = `oci://ecr.example/wasm/authz@sha256:${h("9")}`;

  it("is what the reference names: nothing to say", () => {
    const facts = [...base, loaded("eks", "shop/authz", kept("1"), 3)];
    expect([say(facts, LOADED).faults, say(facts, LOADED).undecided, verdict(facts, LOADED)]).toEqual([[], [], "holds"]);
    expect(say(facts, LOADED).infos[0]?.message).toBe("`shop/authz` is aaaaaaaaaaaa in `eks` and `gke`");
    expect(say(facts, LOADED).infos[0]?.evidence[0]?.value).toContain("loaded 111111111111 in 3 proxies");
  });

  const cases: readonly { readonly name: string; readonly facts: readonly Fact[]; readonly outcome: "fault" | "undecided" | "info"; readonly words: string }[] = [
    { name: "an image that the tag named before: the tag was moved", facts: [loaded("eks", "shop/authz", kept("9"), 3), image("eks", OLD, { manifest: "9", wasm: "b" })], outcome: "fault", words: "the tag was moved, and the proxies kept the module bbbbbbbbbbbb" },
    { name: "another image with the same module in it", facts: [loaded("eks", "shop/authz", kept("9"), 3), image("eks", OLD, { manifest: "9", wasm: "a" })], outcome: "info", words: "the module inside is the same" },
    { name: "an image that is gone from the registry", facts: [loaded("eks", "shop/authz", kept("9"), 3), image("eks", OLD, { failure: { kind: "not-found", reason: "the registry has no such image", remedy: "push it" } })], outcome: "undecided", words: "is not in the registry any more" },
    { name: "the module from another repository", facts: [loaded("eks", "shop/authz", kept("1", "e"), 3)], outcome: "fault", words: "from another repository than the one that is declared" },
    { name: "a filter that lets every request pass, in its place", facts: [loaded("eks", "shop/authz", { state: "failed", filter: "allow" }, 2)], outcome: "fault", words: "2 proxies in `eks` (`shop/cart-0` the first) could not fetch `shop/authz` and have a filter in its place that lets every request pass" },
    { name: "a filter that refuses every request, in its place", facts: [loaded("eks", "shop/authz", { state: "failed", filter: "deny" })], outcome: "fault", words: "1 proxy in `eks` (`shop/cart-0` the first) could not fetch `shop/authz` and has a filter in its place that refuses every request" },
    { name: "nothing yet", facts: [loaded("eks", "shop/authz", { state: "waiting" })], outcome: "undecided", words: "waits for `shop/authz`" },
    { name: "a file whose bytes nobody sees", facts: [loaded("eks", "shop/authz", { state: "file", path: "/etc/a.wasm", runtime: "v8" })], outcome: "undecided", words: "whose bytes cannot be seen: file /etc/a.wasm" },
    { name: "no such module, in any proxy that answered", facts: [], outcome: "undecided", words: "none of the 3 proxies that answered has it" },
  ];
  for (const { name, facts, outcome, words } of cases) {
    it(`is ${name}`, () => {
      const said = say([...base, ...facts], LOADED);
      const found = { fault: said.faults, undecided: said.undecided, info: said.infos }[outcome];
      expect(found.map(({ message }) => message).join("\n")).toContain(words);
      expect(outcome === "fault" ? said.faults.length : said.faults).toEqual(outcome === "fault" ? 1 : []);
    });
  }

  it("is compared between clusters where the declaration cannot be read", () => {
    const failure = { kind: "throttled", reason: "busy", remedy: "wait" } as const;
    const [eks, gke] = [`oci://ecr.example/wasm/authz@sha256:${h("1")}`, `oci://gar.example/wasm/authz@sha256:${h("2")}`];
    const facts = [...both(), image("eks", ECR, { failure }), image("gke", GAR, { failure }), asked("eks", 1), asked("gke", 1), loaded("eks", "shop/authz", kept("1")), loaded("gke", "shop/authz", kept("2")), image("eks", eks, { manifest: "1", wasm: "a" }), image("gke", gke, { manifest: "2", wasm: "b" })];
    expect(say(facts, LOADED).faults).toMatchObject([{ message: "proxies run 2 different modules as `shop/authz`: aaaaaaaaaaaa in `eks`; bbbbbbbbbbbb in `gke`" }]);
  });

  it("of a module that came by HTTP is told by its bytes", () => {
    const http = { source: "http", reference: "https://files.example/a", by: "agent", folder: h("f") } as const;
    const facts = [module("eks", "shop/authz", http), module("gke", "shop/authz", http), ...["eks", "gke"].map((cluster) => image(cluster, "https://files.example/a", { wasm: "a" })), asked("eks", 1), asked("gke", 1), loaded("eks", "shop/authz", kept("a")), loaded("gke", "shop/authz", kept("b"))];
    expect(say(facts, LOADED).faults).toMatchObject([{ message: "1 proxy in `gke` (`shop/cart-0` the first) runs bbbbbbbbbbbb as `shop/authz`, and what is declared is aaaaaaaaaaaa now" }]);
  });

  it("is known by the whole name that an EnvoyFilter gives it", () => {
    const filter = (cluster: string) => module(cluster, "mesh/filter", { source: "oci", reference: ECR, by: "agent", folder: h("f") }, { form: "EnvoyFilter", at: "configPatches[0]", resource: "my-filter" });
    const facts = ["eks", "gke"].flatMap((cluster) => [filter(cluster), image(cluster, ECR, { manifest: "1", wasm: "a" }), asked(cluster, 1), loaded(cluster, "mesh/filter", kept("1"), 1, { resource: "my-filter" })]);
    expect([say(facts, LOADED).faults, say(facts, LOADED).undecided]).toEqual([[], []]);
  });

  it("is told apart where a WasmPlugin and a TrafficExtension have one name", () => {
    const [v1, v2] = [ECR, ECR.replace(":1", ":2")];
    const resource = "extensions.istio.io/trafficextension/shop.authz";
    const facts = ["eks", "gke"].flatMap((cluster) => [
      module(cluster, "shop/authz", v1), module(cluster, "shop/authz", v2, { form: "TrafficExtension" }), image(cluster, v1, { manifest: "1", wasm: "a" }), image(cluster, v2, { manifest: "2", wasm: "b" }), asked(cluster, 1),
      loaded(cluster, "shop/authz", kept("1"), 1, { resource: `${resource}~istio-translated-wasmplugin` }), loaded(cluster, "shop/authz", kept("2"), 1, { resource }),
    ]);
    const said = say(facts, LOADED);
    expect([said.faults, said.undecided, verdict(facts, LOADED)]).toEqual([[], [], "holds"]);
  });

  describe("and nothing declares", () => {
    const extra = [...base, loaded("eks", "shop/authz", kept("1"), 3), loaded("gke", "shop/old", kept("7", "d"), 2)];

    it("is no pass: nobody says what it should be", () => {
      expect(say(extra, LOADED).undecided).toMatchObject([{ subject: "shop/old", message: "2 proxies in `gke` (`shop/cart-0` the first) have the module `shop/old`, which nothing in `gke` declares" }]);
      expect(verdict(extra, LOADED)).toBe("undecided");
    });

    it("is judged by its name, as everything is", () => {
      expect(say(extra, { ...LOADED, names: ["shop/authz"] }).undecided).toEqual([]);
      expect(say(extra, { ...LOADED, mapping: { gke: { "shop/old": "shop/new" } }, names: ["shop/new"] }).undecided).toMatchObject([{ subject: "shop/new" }]);
    });

    it("and is code of Envoy itself is no module", () => {
      expect(say([...extra.slice(0, -1), loaded("gke", "mesh/stats", { state: "native", name: "envoy.wasm.stats" })], LOADED).undecided).toEqual([]);
    });

    it("and could not be fetched is as bad as one that is declared", () => {
      expect(say([...extra.slice(0, -1), loaded("gke", "shop/old", { state: "failed", filter: "allow" })], LOADED).undecided).toMatchObject([{ subject: "shop/old" }]);
    });
  });

  it("is not asked without `loaded`", () => {
    expect(kind.needs(PLAIN).map(({ fact }) => fact)).toEqual(["wasm-modules", "wasm-images"]);
    expect(kind.needs(LOADED).map(({ fact }) => fact)).toEqual(["wasm-modules", "wasm-images", "wasm-loaded"]);
  });
});

describe("the table", () => {
  const cells = (facts: readonly Fact[], spec = PLAIN, clusters = ["eks", "gke"]) => {
    const { tables = [] } = resultOf(kind, spec, { ...world(facts, spec), clusters: clusters.map((name) => clusterOf(name)) });
    return tables.map(({ columns, rows }) => [columns, ...rows.map(({ head, cells: all }) => [head, ...all.map(({ state, text }) => `${state}: ${text}`)])]);
  };
  const bytes = (cluster: string, name: string, wasm: string) => [module(cluster, name, `oci://r.example/${name}:${wasm}`), image(cluster, `oci://r.example/${name}:${wasm}`, { manifest: wasm, wasm })];

  it("has clusters across and modules down, those first that need somebody; whoever differs from most is not as wanted", () => {
    const facts = [place("aks"), ...["aks", "eks", "gke"].flatMap((cluster) => [...bytes(cluster, "shop/a", "a"), ...bytes(cluster, "shop/b", cluster === "gke" ? "2" : "1")]), ...bytes("eks", "shop/c", "c")];
    expect(cells(facts, PLAIN, ["aks", "eks", "gke"])).toEqual([
      [
        ["aks", "eks", "gke"],
        ["shop/b", "pass: 111111111111", "pass: 111111111111", "fail: 222222222222"],
        ["shop/c", "fail: not there", "pass: cccccccccccc", "fail: not there"],
        ["shop/a", "pass: aaaaaaaaaaaa", "pass: aaaaaaaaaaaa", "pass: aaaaaaaaaaaa"],
      ],
    ]);
    expect(cells(facts, { ...PLAIN, presence: "shared" }, ["aks", "eks", "gke"])[0]?.at(-1)).toEqual(["shop/c", "none: ", "pass: cccccccccccc", "none: "]);
  });

  it("calls nobody right where two differ", () => {
    expect(cells([...bytes("eks", "shop/a", "1"), ...bytes("gke", "shop/a", "2")])[0]?.[1]).toEqual(["shop/a", "fail: 111111111111", "fail: 222222222222"]);
  });

  it("says what was not read, and what was not seen", () => {
    const failure = { kind: "throttled", reason: "busy", remedy: "wait" } as const;
    expect(cells([...bytes("eks", "shop/a", "1"), module("gke", "shop/a", ECR), image("gke", ECR, { failure })])[0]?.[1]).toEqual(["shop/a", "pass: 111111111111", "unknown: not read"]);
    const { tables } = resultOf(kind, PLAIN, { clusters: [clusterOf("eks"), clusterOf("gke")], facts: [place("eks"), ...bytes("eks", "shop/a", "1")], gaps: [gapOf("wasm-modules", "gke")] });
    expect(tables?.[0]?.rows[0]?.cells).toEqual([{ state: "pass", text: "111111111111" }, { state: "unknown", text: "not seen" }]);
  });

  it("says who signed, in the words of people, and what proxies have", () => {
    const identity = "https://github.com/acme/mesh/.github/workflows/release.yml@refs/tags/v1.2.3";
    const valid: WasmSignatures = { verdict: "valid", found: [{ verdict: "valid", on: "manifest", form: "bundle", issuer: "https://token.example", identity }] };
    const facts = [...both(), image("eks", ECR, { manifest: "1", wasm: "a", signatures: valid }), image("gke", GAR, { manifest: "1", wasm: "a", signatures: { verdict: "unsigned", found: [] } })];
    expect(cells(facts, SIGNATURE)[0]?.[1]).toEqual(["shop/authz", "pass: aaaaaaaaaaaa; signed by acme/mesh release.yml@v1.2.3", "fail: aaaaaaaaaaaa; unsigned"]);
    const stranger: WasmSignatures = { verdict: "wrong-identity", found: [{ verdict: "wrong-identity", on: "manifest", form: "bundle", issuer: "https://token.example", identity: identity.replace("tags/v1.2.3", "heads/x") }] };
    expect(cells([...both(), image("eks", ECR, { manifest: "1", wasm: "a", signatures: stranger })], SIGNATURE)[0]?.[1]?.[1]).toBe("fail: aaaaaaaaaaaa; wrong identity: acme/mesh release.yml@x");
    const running = [...both(), image("eks", ECR, { manifest: "1", wasm: "a" }), image("gke", GAR, { manifest: "1", wasm: "a" }), asked("eks", 2), asked("gke", 1), loaded("eks", "shop/authz", { state: "failed", filter: "allow" }, 2), loaded("gke", "shop/authz", { state: "waiting" })];
    expect(cells(running, LOADED)[0]?.[1]).toEqual(["shop/authz", "fail: aaaaaaaaaaaa; failed in 2 proxies", "unknown: aaaaaaaaaaaa; waiting in 1 proxy"]);
  });

  it("is not there where there is no module", () => expect(cells([])).toEqual([]));
});
