import { describe, expect, it } from "vitest";
import { noRegistries } from "../../clients/registry/index.ts";
import { openSignatures } from "../../clients/signatures/index.ts";
import { collect, CollectError, digestOf, plan, type AnyCollector, type Cluster, type Collector, type Fact, type Gap, type Io, type Request } from "#engine";

const cluster: Cluster = { name: "eks", labels: {} };
const source = { collector: "t", locator: "/x" };

function clusterFact(data: Fact<"cluster">["data"]): Fact<"cluster"> {
  return { type: "fact", kind: "cluster", cluster: "eks", subject: "eks", data, source };
}

function proxiesFact(subject: string): Fact<"envoy-proxies"> {
  const idle = { failed: 0, finished: 0, terminating: 0, pending: 0 };
  const data = { role: "sidecar", namespace: "n", workload: "w", native: false, image: "i", running: 1, idle, example: "p", probe: {} } as const;
  return { type: "fact", kind: "envoy-proxies", cluster: "eks", subject, data, source };
}

type Answers = (request: Request, io: Io) => AsyncIterable<Fact | Gap>;

function collectorOf(name: string, provides: Collector["provides"], answer: Answers, after?: Collector["after"]): AnyCollector {
  const collector: Collector = {
    name,
    summary: "",
    provides,
    ...(after ? { after } : {}),
    async *collect(_cluster, requests, io) {
      for (const request of requests) yield* answer(request, io);
    },
  };
  return collector as AnyCollector;
}

function run(collectors: readonly AnyCollector[], requests: readonly Request[], options: { signal?: AbortSignal; budget?: AbortSignal; on?: Cluster } = {}) {
  const kinds = new Map([["K", { name: "K", summary: "", needs: () => requests, *judge() {} } as never]]);
  const at = { file: "a.yaml", line: 1, column: 1 };
  const assertion = { name: "a", kind: "K", severity: "error", clusters: {}, allowEmpty: false, strict: false, spec: {}, at } as const;
  const never = new AbortController().signal;
  return collect(options.on ?? cluster, {
    collectors,
    plan: (settled) => plan(settled, [assertion], kinds, collectors),
    inferCloud: true,
    open: (_collector, facts) => ({
      signal: options.budget ?? never,
      kubernetes: () => Promise.reject(new Error("no API here")),
      allows: () => false,
      facts,
      yaml: () => Promise.resolve(undefined),
      states: () => [],
      registry: () => noRegistries("no registry here", ""),
      signatures: openSignatures,
      progress() {},
    }),
    signal: options.signal ?? never,
    takenAt: () => "2026-11-23T10:00:00Z",
  });
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}

describe("text that is no Unicode", () => {
  it("costs the facts of its request, with the object named, and nothing else", async () => {
    const mesh = collectorOf("mesh", ["envoy-proxies"], () => one({ ...proxiesFact("a"), data: { ...proxiesFact("a").data, image: "i\ud800" } }));
    const { facts, gaps } = await run([mesh], [{ fact: "envoy-proxies" }]);
    expect(facts).toEqual([]);
    expect(gaps).toMatchObject([{ kind: "envoy-proxies", cluster: "eks", reason: "`a` holds text that is no Unicode (half of a surrogate pair)" }]);
  });

  it.each(["a\ud800", "\udc00b"])("has no digest: %j", (text) => {
    expect(() => digestOf({ list: ["well \ud83d\ude00", { deep: text }] })).toThrow(/no Unicode/);
    expect(() => digestOf({ [text]: 1 })).toThrow(/no Unicode/);
    expect(digestOf({ text: "\ud83d\ude00" })).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("collection", () => {
  it("records what was asked, and asks a request of several assertions once", async () => {
    let asked = 0;
    const mesh = collectorOf("mesh", ["envoy-proxies"], async function* () {
      asked++;
      yield proxiesFact("a");
    });
    const snapshot = await run([mesh], [{ fact: "envoy-proxies" }, { fact: "envoy-proxies" }]);
    expect(asked).toBe(1);
    expect(snapshot.asked).toEqual([{ fact: "envoy-proxies" }]);
    expect(snapshot.facts).toHaveLength(1);
  });

  it("turns a CollectError into a gap of that kind of fact, and keeps what came before", async () => {
    const mesh = collectorOf("mesh", ["envoy-proxies"], async function* () {
      yield proxiesFact("a");
      throw new CollectError("no permission to list `pods`", { remedy: "allow it" });
    });
    const snapshot = await run([mesh], [{ fact: "envoy-proxies" }]);
    expect(snapshot.facts).toHaveLength(1);
    expect(snapshot.gaps).toMatchObject([{ kind: "envoy-proxies", cluster: "eks", reason: "no permission to list `pods`", remedy: "allow it" }]);
    expect(snapshot.reachable).toBe(true);
  });

  it("does not try an unreachable place twice, and says that it was not reached", async () => {
    let tries = 0;
    const kubernetes = collectorOf("kubernetes", ["cluster", "envoy-proxies"], async function* () {
      tries++;
      yield* [];
      throw new CollectError("connection refused", { remedy: "start it", unreachable: true });
    });
    const snapshot = await run([kubernetes], [{ fact: "envoy-proxies" }]);
    expect(tries).toBe(1);
    expect(snapshot.gaps.map((gap) => gap.kind)).toEqual(["cluster", "envoy-proxies"]);
    expect(snapshot.reachable).toBe(false);
  });

  it("tells a collector's own fault from a cluster's, without repeating its words", async () => {
    const mesh = collectorOf("mesh", ["envoy-proxies"], async function* () {
      yield* [];
      throw new TypeError("token=hunter2");
    });
    const snapshot = await run([mesh], [{ fact: "envoy-proxies" }]);
    expect(JSON.stringify(snapshot)).not.toContain("hunter2");
    expect(snapshot.gaps).toMatchObject([{ reason: "the collector `mesh` failed (TypeError)" }]);
  });

  it("leaves a collector behind that ignores its budget", async () => {
    const budget = new AbortController();
    const mesh = collectorOf("mesh", ["envoy-proxies"], async function* () {
      yield proxiesFact("a");
      queueMicrotask(() => budget.abort(new CollectError("took longer than its budget", { remedy: "raise --cluster-timeout", unreachable: true })));
      await new Promise(() => {});
    });
    const snapshot = await run([mesh], [{ fact: "envoy-proxies" }], { budget: budget.signal });
    expect(snapshot.gaps).toMatchObject([{ reason: "took longer than its budget" }]);
    expect(snapshot.facts).toHaveLength(1);
  });

  it("ends with the run", async () => {
    const ending = new AbortController();
    const mesh = collectorOf("mesh", ["envoy-proxies"], async function* () {
      yield proxiesFact("a");
      ending.abort(new Error("interrupted"));
    });
    await expect(run([mesh], [{ fact: "envoy-proxies" }], { signal: ending.signal })).rejects.toThrow("interrupted");
  });

  it("runs a collector after those whose facts it needs, and hands them over", async () => {
    const seen: string[] = [];
    const late = collectorOf(
      "late",
      ["cluster"],
      async function* (_request, io) {
        seen.push(...io.facts("envoy-proxies").map((fact) => fact.subject));
        yield* [];
      },
      ["envoy-proxies"],
    );
    const early = collectorOf("early", ["envoy-proxies"], () => one(proxiesFact("a")));
    await run([late, early], [{ fact: "cluster", selector: "x" }, { fact: "envoy-proxies" }]);
    expect(seen).toEqual(["a"]);
  });

  it("refuses collectors that wait for each other, naming them", async () => {
    const a = collectorOf("a", ["envoy-proxies"], () => one(proxiesFact("a")), ["cluster"]);
    const b = collectorOf("b", ["cluster"], () => one(clusterFact({ signals: [] })), ["envoy-proxies"]);
    await expect(run([a, b], [{ fact: "cluster", selector: "x" }, { fact: "envoy-proxies" }])).rejects.toThrow(/`[ab]`, `[ab]` wait for each other/);
  });

  const aws = [
    { signal: "providerID", cloud: "aws", example: "aws:///x" },
    { signal: "labels", cloud: "aws", example: "eks.amazonaws.com/nodegroup" },
  ] as const;
  const clouds = [
    { name: "takes the cloud that the nodes show", declared: undefined, signals: aws, inferred: "aws", cloud: "aws" },
    { name: "keeps the declared cloud when the nodes agree", declared: "aws", signals: aws, inferred: "aws", cloud: "aws" },
    { name: "keeps the declared cloud when one signal alone disagrees", declared: "gcp", signals: aws.slice(0, 1), inferred: undefined, cloud: "gcp" },
    { name: "knows no cloud without signals", declared: undefined, signals: [], inferred: undefined, cloud: undefined },
  ];
  for (const { name, declared, signals, inferred, cloud } of clouds) {
    it(name, async () => {
      const kubernetes = collectorOf("kubernetes", ["cluster"], () => one(clusterFact({ signals, cloud: inferred })));
      const snapshot = await run([kubernetes], [], { on: { ...cluster, cloud: declared } });
      expect(snapshot.cluster.cloud).toBe(cloud);
    });
  }

  const contradictions = [
    { name: "both signals of the nodes speak against the declared cloud", declared: "gcp", signals: aws, says: /declared to run on `gcp`.*say `aws`/ },
    { name: "the signals speak for several clouds and none is declared", declared: undefined, signals: [aws[0], { signal: "labels", cloud: "gcp", example: "g" } as const], says: /several clouds/ },
  ];
  for (const { name, declared, signals, says } of contradictions) {
    it(`stops the run when ${name}`, async () => {
      const kubernetes = collectorOf("kubernetes", ["cluster"], () => one(clusterFact({ signals })));
      await expect(run([kubernetes], [], { on: { ...cluster, cloud: declared } })).rejects.toThrow(says);
    });
  }
});
