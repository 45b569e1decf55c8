import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fact } from "#engine";
import { istioMap, istioMapEntriesOf } from "#values";
import kind from "../../kinds/envoy-version-skew/kind.ts";
import type { Spec } from "../../kinds/envoy-version-skew/spec.ts";
import { clusterOf, gapOf, judge, proxies, resultOf } from "../support/world.ts";

const defaults: Spec = { maxPatchSkew: 1, maxMinorSkew: 0, components: ["sidecar", "gateway", "waypoint"], basis: "envoy", per: "fleet" };
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

/** A map in which Istio 1.N.P is Envoy 1.(N+8).P, so that a row can speak of Envoy numbers; X and Y leave two open. */
const lines = [28, 29, 30].flatMap((minor) => Array.from({ length: 13 }, (_, patch) => ({ istio: `1.${minor}.${patch}`, envoy: [`1.${minor + 8}.${patch}`] })));
const oddRows = [
  { istio: "2.0.0", envoy: ["2.8.0"] },
  { istio: "1.29.50", envoy: ["1.37.4", "1.37.5"] },
  { istio: "1.29.51", envoy: ["1.37.1", "1.37.4"] },
];
const map = istioMap(istioMapEntriesOf([...lines, ...oddRows]));

interface Case {
  readonly name: string;
  readonly running: Readonly<Record<string, string>>;
  readonly spec?: Partial<Spec>;
  readonly verdict: "holds" | "violated" | "undecided";
  readonly faults?: readonly string[];
  readonly says?: RegExp;
}

const cases: readonly Case[] = [
  { name: "holds for one cluster alone: skew is judged among the proxies seen", running: { "aws/a": "1.29.2" }, verdict: "holds" },
  { name: "holds when the lag is exactly the allowed one", running: { "aws/a": "1.29.2", "gcp/a": "1.29.3" }, verdict: "holds" },
  { name: "is violated one patch beyond", running: { "aws/a": "1.29.1", "gcp/a": "1.29.3" }, verdict: "violated", faults: ["aws/1.37.1"], says: /2 patch releases behind 1\.37\.3 in `gcp`.*allowed: 1$/ },
  { name: "measures the whole span, not neighbour to neighbour", running: { "aws/a": "1.29.1", "gcp/a": "1.29.2", "az/a": "1.29.3" }, verdict: "violated", faults: ["aws/1.37.1"] },
  { name: "blames all that lag, never the newest", running: { "aws/a": "1.29.1", "gcp/a": "1.29.5", "az/a": "1.29.2" }, verdict: "violated", faults: ["aws/1.37.1", "az/1.37.2"] },
  { name: "compares numbers, so 1.37.9 is older than 1.37.11", running: { "aws/a": "1.29.9", "gcp/a": "1.29.11" }, verdict: "violated", faults: ["aws/1.37.9"] },
  { name: "never counts a step over a minor line as patches", running: { "aws/a": "1.29.9", "gcp/a": "1.30.0" }, verdict: "violated", faults: ["aws/1.37.9"], says: /another minor release than 1\.38\.0 in `gcp`.*: 1 minor release behind; allowed: 0$/ },
  { name: "allows minors apart when told so", running: { "aws/a": "1.29.9", "gcp/a": "1.30.0" }, spec: { maxMinorSkew: 1 }, verdict: "holds" },
  { name: "still counts patches inside each line then", running: { "aws/a": "1.29.9", "aws/b": "1.29.2", "gcp/a": "1.30.0" }, spec: { maxMinorSkew: 1 }, verdict: "violated", faults: ["aws/1.37.2"], says: /7 patch releases behind 1\.37\.9/ },
  { name: "is violated beyond the minors allowed", running: { "aws/a": "1.28.0", "gcp/a": "1.30.0" }, spec: { maxMinorSkew: 1 }, verdict: "violated", faults: ["aws/1.36.0"], says: /2 minor releases behind; allowed: 1$/ },
  { name: "is violated between majors whatever is allowed", running: { "aws/a": "1.30.0", "gcp/a": "2.0.0" }, spec: { maxMinorSkew: 1000, maxPatchSkew: 1000 }, verdict: "violated", faults: ["aws/1.38.0"], says: /another major release than 2\.8\.0/ },
  { name: "counts vendors' rebuilds as their release", running: { "gke/a": "1.28.5-asm.9", "gke/b": "1.28.5-asm.4", "aks/a": "v1.28.5-2", "eks/a": "1.28.5" }, spec: { maxPatchSkew: 0 }, verdict: "holds" },
  { name: "ignores how an image is packed", running: { "aws/a": "1.29.2-distroless", "gcp/a": "1.29.2-debug", "az/a": "1.29.2-fips" }, spec: { maxPatchSkew: 0 }, verdict: "holds" },
  { name: "is undecided where a tag names no release", running: { "aws/a": "latest", "gcp/a": "1.29.3" }, verdict: "undecided" },
  { name: "is undecided where the map has no row", running: { "aws/a": "1.29.90", "gcp/a": "1.29.3" }, verdict: "undecided" },
  { name: "is violated although something else is unknown", running: { "aws/a": "latest", "gcp/a": "1.29.3", "az/a": "1.29.1" }, verdict: "violated", faults: ["az/1.37.1"] },
  { name: "compares Istio releases when told so, without the map", running: { "aws/a": "1.29.90", "gcp/a": "1.29.88" }, spec: { basis: "istio" }, verdict: "violated", faults: ["gcp/1.29.88"], says: /run(s)? Istio 1\.29\.88, 2 patch/ },
  { name: "is undecided where an open number could break the limit", running: { "aws/a": "1.29.50", "gcp/a": "1.29.3" }, verdict: "undecided" },
  { name: "holds where neither of two open numbers breaks it", running: { "aws/a": "1.29.50", "gcp/a": "1.29.4" }, verdict: "holds" },
  { name: "holds where one open release is all there is: it carries one number everywhere", running: { "aws/a": "1.29.51", "gcp/a": "1.29.51" }, spec: { maxPatchSkew: 0 }, verdict: "holds" },
  { name: "is violated where both open numbers break it", running: { "aws/a": "1.29.50", "gcp/a": "1.29.2" }, verdict: "violated", faults: ["gcp/1.37.2"], says: /2 to 3 patch releases behind 1\.37\.4 or 1\.37\.5/ },
  { name: "is violated where each reading breaks it at another place", running: { "aws/a": "1.29.51", "gcp/a": "1.29.2", "az/a": "1.29.3" }, spec: { maxPatchSkew: 1 }, verdict: "violated" },
];

function seenOf(running: Case["running"]) {
  return { facts: Object.entries(running).map(([place, tag]) => proxies(place, tag)), istioMap: map };
}

describe("envoy-version-skew", () => {
  for (const { name, running, spec, verdict, faults, says } of cases) {
    it(name, () => {
      const result = resultOf(kind, { ...defaults, ...spec }, seenOf(running));
      const found = result.findings.filter(({ outcome }) => outcome === "fault");
      expect(result.verdict).toBe(verdict);
      if (faults !== undefined) expect(found.map(({ subject }) => subject)).toEqual(faults);
      if (says !== undefined) expect(found[0]?.message).toMatch(says);
    });
  }

  it("judges only the components that are named", () => {
    const facts = [proxies("aws/a", "1.29.1"), proxies("aws/gw", { tag: "1.29.9", role: "gateway" }), proxies("aws/wp", { tag: "1.29.9", role: "waypoint" })];
    expect(judge(kind, { ...defaults, components: ["gateway", "waypoint"] }, { facts, istioMap: map })).toMatchObject({ faults: [], judged: 2 });
    expect(judge(kind, defaults, { facts, istioMap: map }).faults.map(({ subject }) => subject)).toEqual(["aws/1.37.1"]);
  });

  it("never counts a ztunnel, and says that it saw one", () => {
    const said = judge(kind, defaults, { facts: [proxies("aws/a", "1.29.9"), proxies("aws/ztunnel", { role: "ztunnel", tag: "1.29.1", running: 3 })], istioMap: map });
    expect(said).toMatchObject({ faults: [], gaps: [], judged: 1 });
    expect(said.infos.map(({ message }) => message)).toEqual([expect.stringMatching(/^3 ztunnels of `aws` are not judged/)]);
  });

  it("lists proxies that do not run now, and does not judge them", () => {
    const facts = [proxies("aws/a", "1.29.9"), proxies("aws/job", { tag: "1.29.1", running: 0, idle: { finished: 4, failed: 1 } })];
    const said = judge(kind, defaults, { facts, istioMap: map });
    expect(said).toMatchObject({ faults: [], judged: 1 });
    expect(said.infos[0]?.message).toMatch(/1 pod failed, 4 pods finished \(`shop\/Deployment\/job`\)/);
  });

  it("judges each revision apart over all clusters when told so, and proxies without one together", () => {
    const facts = [
      proxies("aws/a", { tag: "1.29.1", revision: "stable" }),
      proxies("gcp/a", { tag: "1.29.2", revision: "stable" }),
      proxies("aws/b", { tag: "1.29.9", revision: "canary" }),
      proxies("aws/c", { tag: "1.29.5" }),
      proxies("gcp/c", { tag: "1.29.7" }),
    ];
    const said = judge(kind, { ...defaults, per: "revision" }, { facts, istioMap: map });
    expect(said.faults.map(({ subject }) => subject)).toEqual(["aws/1.37.5 (revision (none))"]);
  });

  it("lists a cluster without proxies only when it was wholly seen", () => {
    const clusters = [clusterOf("aws"), clusterOf("gcp"), clusterOf("az")];
    const said = judge(kind, defaults, { facts: [proxies("aws/a", "1.29.1")], gaps: [gapOf("envoy-proxies", "gcp")], clusters, istioMap: map });
    expect(said.infos.map(({ subject }) => subject)).toEqual(["az"]);
  });

  it("says of ten thousand lagging pods one readable thing", () => {
    const lagging = Array.from({ length: 400 }, (_, index) => proxies(`az/w${String(index).padStart(3, "0")}`, { tag: "1.29.1", running: 25 }));
    const said = judge(kind, defaults, { facts: [...lagging, proxies("aws/a", "1.29.4")], istioMap: map });
    expect(said.faults).toHaveLength(1);
    expect(said.faults[0]?.message).toBe("10,000 proxies of 400 workloads in `az` run Envoy 1.37.1 (Istio 1.29.1), 3 patch releases behind 1.37.4 in `aws` (Istio 1.29.4); allowed: 1");
    expect(said.faults[0]?.remedy).toBe(
      "upgrade the mesh of `az` to the release of `aws`, then restart `shop/Deployment/w000`, `shop/Deployment/w001`, `shop/Deployment/w002` and 397 more; or allow it with `maxPatchSkew: 3`",
    );
    expect(said.faults[0]?.evidence.map(({ cluster, label }) => `${cluster} ${label}`)).toEqual(["az this proxy", "aws newest proxy"]);
    expect(said.judged).toBe(10_001);
  });

  it("names a restart alone where the same cluster already runs a proxy as new", () => {
    const facts = [proxies("az/old", "1.29.1"), proxies("az/new", "1.29.4"), proxies("aws/new", "1.29.4")];
    expect(judge(kind, defaults, { facts, istioMap: map }).faults.map(({ remedy }) => remedy)).toEqual(["restart `shop/Deployment/old`; or allow it with `maxPatchSkew: 3`"]);
  });

  it("keeps a finding's fingerprint when the newest release moves on, and when pods come and go", () => {
    const fingerprint = (newest: string, running: number) =>
      resultOf(kind, defaults, { facts: [proxies("az/a", { tag: "1.29.1", running }), proxies("aws/a", newest)], istioMap: map }).findings.find(({ outcome }) => outcome === "fault")?.fingerprint;
    expect(fingerprint("1.29.4", 1)).toBeDefined();
    expect(fingerprint("1.29.4", 1)).toBe(fingerprint("1.29.9", 70));
  });
});

describe("the evidence for a version", () => {
  const image = (id: string, more: object = {}) => ({ image: `r.example/proxyv2@${digest(id)}`, imageId: digest(id), ...more });

  it("is shared by all pods that run the same bytes, over clusters", () => {
    const said = judge(kind, defaults, { facts: [proxies("aws/a", image("a")), proxies("gcp/a", { tag: "1.29.2", imageId: digest("a") })], istioMap: map });
    expect(said).toMatchObject({ gaps: [], judged: 2 });
  });

  it("is what a proxy says of itself before what its tag says", () => {
    const facts = [proxies("aws/a", { tag: "1.29.2", imageId: digest("a"), probe: { envoy: "1.37.7-dev", by: "admin" } }), proxies("gcp/a", "1.29.2")];
    expect(judge(kind, { ...defaults, maxPatchSkew: 0 }, { facts, istioMap: map }).faults).toEqual([]);
    const other = [...facts, proxies("az/a", "1.29.5")];
    expect(judge(kind, defaults, { facts: other, istioMap: map }).faults.map(({ subject }) => subject)).toEqual(["az/1.37.5"]);
  });

  it("settles an open release everywhere once one proxy of it was asked", () => {
    const open = [proxies("aws/a", "1.29.50"), proxies("gcp/a", "1.29.3")];
    expect(resultOf(kind, defaults, { facts: open, istioMap: map }).verdict).toBe("undecided");
    const asked = proxies("az/a", { tag: "1.29.50", imageId: digest("b"), probe: { envoy: "1.37.4", by: "admin" } });
    expect(resultOf(kind, defaults, { facts: [...open, asked], istioMap: map }).verdict).toBe("holds");
  });

  it("of the probe `metrics` is the Istio release that the map then translates", () => {
    const said = judge(kind, defaults, { facts: [proxies("aws/a", image("a", { probe: { istio: "1.29.2", by: "metrics" } })), proxies("gcp/a", "1.29.5")], istioMap: map });
    expect(said.faults.map(({ subject }) => subject)).toEqual(["aws/1.37.2"]);
  });

  it("contradicts itself where one digest bears two releases, which is a gap", () => {
    const facts = [proxies("aws/a", { tag: "1.29.2", imageId: digest("a") }), proxies("aws/b", { tag: "1.29.3", imageId: digest("a") })];
    expect(judge(kind, defaults, { facts, istioMap: map }).gaps).toMatchObject([{ subject: "aws/contradiction", reason: expect.stringContaining("Istio 1.29.2 and Istio 1.29.3") }]);
  });

  const gaps: readonly (readonly [name: string, parts: Parameters<typeof proxies>[1], spec: Partial<Spec>, subject: string, remedy: RegExp])[] = [
    ["no release in the tag: allow a probe, with its permission", "latest", {}, "aws/images without a release", /probe `metrics` \(permission `get` on `pods\/proxy`\).*probe `admin` \(permissions `get` and `create` on `pods\/exec`\)/],
    ["no release, and the basis istio: `metrics` suffices", "latest", { basis: "istio" }, "aws/images without a release", /^allow the probe `metrics`[^;]*$/],
    ["a probe that failed: its own remedy", { tag: "latest", probe: { failure: { reason: "may not get `pods/proxy`", remedy: "add the rule" } } }, {}, "aws/probe", /^add the rule$/],
    ["a proxy that names no release: ask Envoy itself", { tag: "latest", probe: { istio: "abcdef", by: "metrics" } }, {}, "aws/probe", /^allow the probe `admin`/],
    ["newer than the map: a probe or a row", "1.33.1", {}, "aws/Istio 1.33.1", /probe `admin`.*`istioMap`: \{ istio: 1\.33\.1, envoy: \["1\.41\.N"\] \}$/],
  ];
  for (const [name, parts, spec, subject, remedy] of gaps) {
    it(`that is missing says how to get it: ${name}`, () => {
      const [gap, ...more] = judge(kind, { ...defaults, ...spec }, { facts: [proxies("aws/a", parts)], istioMap: istioMap() }).gaps;
      expect(more).toEqual([]);
      expect(gap).toMatchObject({ kind: "envoy-proxies", cluster: "aws", subject, remedy: expect.stringMatching(remedy) });
    });
  }

  it("that is open says how to settle it", () => {
    const said = judge(kind, defaults, seenOf({ "aws/a": "1.29.50", "gcp/a": "1.29.3" }));
    expect(said.undecided).toMatchObject([
      {
        subject: "gcp/1.37.3",
        message: "1 proxy of 1 workload in `gcp` runs Envoy 1.37.3 (Istio 1.29.3), which may be up to 2 patch releases behind 1.37.4 or 1.37.5 in `aws` (Istio 1.29.50); allowed: 1",
        remedy: expect.stringMatching(/Istio 1\.29\.50 carries: allow the probe `admin`.*`istioMap`: \{ istio: 1\.29\.50, envoy: \["1\.37\.4"\] \} or \{ istio: 1\.29\.50, envoy: \["1\.37\.5"\] \}$/),
      },
    ]);
  });

  it("of a vendor's build rests on the upstream map, which is named", () => {
    const facts = [proxies("gke/a", { image: "gke.gcr.io/asm/proxyv2:1.28.5-asm.9" }), proxies("gke2/a", { image: "gke.gcr.io/asm/proxyv2:1.28.5-asm.9" })];
    expect(judge(kind, defaults, { facts, istioMap: map }).assumptions).toMatchObject([
      { text: "`1.28.5-asm.9` (`asm/proxyv2`) carries Envoy 1.36.5, as the upstream release Istio 1.28.5 that it is built from", where: "`gke`, `gke2`" },
    ]);
    const probed = facts.map((fact) => ({ ...fact, data: { ...fact.data, probe: { envoy: "1.36.6", by: "admin" as const } } }));
    expect(judge(kind, defaults, { facts: probed, istioMap: map }).assumptions).toEqual([]);
  });
});

describe("what equal numbers hide is listed as information", () => {
  const notes: readonly (readonly [name: string, facts: readonly Fact<"envoy-proxies">[], message: RegExp])[] = [
    ["pre-releases", [proxies("aws/a", { image: "docker.io/istio/proxyv2:1.31.0-rc.0" })], /1 proxy in `aws` runs the pre-release Istio 1\.31\.0-rc\.0/],
    ["builds of several vendors", [proxies("gke/a", "1.28.5-asm.9"), proxies("aks/a", "v1.28.5-2")], /Istio 1\.28\.5 runs in 2 builds that count as equal: `1\.28\.5-2` in `aks`, `1\.28\.5-asm\.9` in `gke`/],
    ["FIPS beside plain builds", [proxies("aws/a", "1.29.2"), proxies("aks/a", { image: "mcr.microsoft.com/oss/v2/istio/proxyv2-fips:v1.29.2-1" })], /1 proxy in `aks` runs a FIPS build, 1 proxy in `aws` does not/],
    ["debug images", [proxies("aws/a", "1.29.2-debug")], /1 proxy in `aws` runs a debug image/],
    [
      "development builds beside releases",
      [proxies("aws/a", { tag: "1.29.2", probe: { envoy: "1.37.2-dev", by: "admin" } }), proxies("gcp/a", { tag: "1.28.1", probe: { envoy: "1.37.2", by: "admin" } })],
      /Envoy 1\.37\.2 runs as a release and as a build before it/,
    ],
  ];
  for (const [name, facts, message] of notes) {
    it(name, () => {
      const said = judge(kind, defaults, { facts });
      expect(said.faults).toEqual([]);
      expect(said.infos.map((note) => note.message)).toContainEqual(expect.stringMatching(message));
    });
  }
});

describe("laws of the skew", () => {
  const patches = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 });
  const minor = fc.integer({ min: 36, max: 38 });
  const rows = fc.array(fc.record({ minor, patches }), { minLength: 1, maxLength: 5 });
  const limits = fc.record({ maxPatchSkew: fc.integer({ min: 0, max: 3 }), maxMinorSkew: fc.integer({ min: 0, max: 2 }) });

  type Row = { readonly minor: number; readonly patches: readonly number[] };

  /** Every way to give each row one of its numbers. */
  function* choices(all: readonly Row[]): Iterable<readonly (readonly [minor: number, patch: number])[]> {
    const [first, ...rest] = all;
    if (first === undefined) return yield [];
    for (const patch of first.patches) for (const others of choices(rest)) yield [[first.minor, patch], ...others];
  }

  function breaks(numbers: readonly (readonly [number, number])[], { maxPatchSkew, maxMinorSkew }: Pick<Spec, "maxPatchSkew" | "maxMinorSkew">): boolean {
    return numbers.some(([m1, p1]) => numbers.some(([m2, p2]) => Math.abs(m1 - m2) > maxMinorSkew || (m1 === m2 && Math.abs(p1 - p2) > maxPatchSkew)));
  }

  function worldOfRows(all: readonly Row[]) {
    const entries = all.map((row, index) => ({ istio: `1.${row.minor - 8}.${100 + index}`, envoy: row.patches.map((patch) => `1.${row.minor}.${patch}`) }));
    return {
      facts: entries.flatMap(({ istio }, index) => [proxies(`c${index % 3}/w${index}`, istio), proxies(`c${(index + 1) % 3}/v${index}`, istio)]),
      istioMap: istioMap(istioMapEntriesOf(entries)),
    };
  }

  it("the verdict under open numbers is what trying every choice gives", () => {
    fc.assert(
      fc.property(rows, limits, (all, limit) => {
        const tried = new Set([...choices(all)].map((numbers) => breaks(numbers, limit)));
        const expected = tried.size === 2 ? "undecided" : tried.has(true) ? "violated" : "holds";
        expect(resultOf(kind, { ...defaults, ...limit }, worldOfRows(all)).verdict).toBe(expected);
      }),
      { numRuns: 500, verbose: true },
    );
  });

  it("images and probes of strangers never make it fail, and what names no release is never counted", () => {
    const words = fc.oneof(fc.string(), fc.constantFrom("latest", "1.29", "1.29.2.1", "__proto__", "constructor", "999999999.1.1", "1.29.2-rc"));
    fc.assert(
      fc.property(words, words, words, (image, istio, envoy) => {
        const probe = { istio, envoy, by: "admin" as const };
        const said = judge(kind, defaults, { facts: [proxies("aws/a", { image: `r.example/p:${image}`, probe }), proxies("gcp/a", "1.29.2")], istioMap: map });
        expect([said.faults, said.undecided, said.judged, said.gaps.length]).toEqual([[], [], 1, 1]);
      }),
      { verbose: true },
    );
  });

  it("the order of facts changes nothing", () => {
    fc.assert(
      fc.property(rows, limits, fc.infiniteStream(fc.nat()), (all, limit, random) => {
        const seen = worldOfRows(all);
        const shuffled = seen.facts.map((fact) => ({ fact, key: random.next().value })).toSorted((a, b) => a.key - b.key).map(({ fact }) => fact);
        const spec = { ...defaults, ...limit };
        expect(resultOf(kind, spec, { ...seen, facts: shuffled, clusters: ["c0", "c1", "c2"].map((name) => clusterOf(name)) })).toEqual(
          resultOf(kind, spec, { ...seen, clusters: ["c0", "c1", "c2"].map((name) => clusterOf(name)) }),
        );
      }),
      { numRuns: 100, verbose: true },
    );
  });
});
