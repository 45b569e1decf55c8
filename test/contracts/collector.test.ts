import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cluster, Collector, FactKind, Permission, Request } from "#engine";
import { drain, FakeCluster, type Exchange } from "../support/kubernetes.ts";
import { pluginIn, root, roomOf } from "../support/room.ts";
import { clusterOf } from "../support/world.ts";

interface Example {
  readonly name: string;
  readonly cluster: Cluster;
  readonly requests: readonly Request[];
  readonly kubernetes: Exchange;
  readonly expected: unknown;
}

const room = roomOf(join(root, "collectors"));

describe("the room of collectors", () => {
  it("holds folders, nothing else but a README", () => {
    expect(room.others.filter((file) => file !== "README.md")).toEqual([]);
    expect(room.folders.length).toBeGreaterThan(0);
  });
});

for (const folder of room.folders) {
  const examples = readdirSync(join(folder, "examples")).map((name) => readExample(folder, name));

  describe(`the collector in ${basename(folder)}`, async () => {
    const collector = await pluginIn<Collector<FactKind>>(folder, "collector.ts");

    async function replay({ cluster, requests, kubernetes }: Example, other: Partial<Exchange> = {}, signal?: AbortSignal) {
      const io = new FakeCluster({ ...kubernetes, ...other }, signal);
      const facts = [];
      const gaps = [];
      let thrown: unknown;
      for (const fact of new Set(requests.map((request) => request.fact))) {
        try {
          const found = await drain(collector.collect(cluster, requests.filter((request) => request.fact === fact), io));
          facts.push(...found.facts);
          gaps.push(...found.gaps);
        } catch (error) {
          thrown = error;
        }
      }
      return { facts, gaps, thrown, calls: io.calls };
    }

    it("is called like its folder, and its README names each permission", () => {
      expect(collector.name).toBe(basename(folder));
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      expect(readme).toContain("## Least permissions");
      for (const { resource } of examples.flatMap((example) => rightsOf(collector, example))) expect(readme).toContain(`\`${resource}\``);
    });

    it("shows in its examples each kind of fact that it provides", async () => {
      const shown = new Set((await Promise.all(examples.map((example) => replay(example)))).flatMap(({ facts }) => facts.map(({ kind }) => kind)));
      expect([...shown].toSorted()).toEqual([...collector.provides].toSorted());
    });

    it("asks with `--all` for each kind of fact that it provides", () => {
      const asked = collector.everything?.() ?? collector.provides.map((fact) => ({ fact }));
      expect([...new Set(asked.map(({ fact }) => fact))].toSorted()).toEqual([...collector.provides].toSorted());
    });

    for (const example of examples) {
      it(`gives exactly the facts of \`${example.name}\` when that is played again`, async () => {
        const { facts, gaps, thrown } = await replay(example);
        expect(thrown).toBeUndefined();
        expect(JSON.parse(JSON.stringify({ facts, gaps }))).toEqual(example.expected);
      });

      it(`gives each thing of \`${example.name}\` a subject of its own`, async () => {
        const subjects = (await replay(example)).facts.map(({ kind, selector, subject }) => [kind, selector, subject].join("\0"));
        expect(new Set(subjects).size).toBe(subjects.length);
      });

      it(`stops \`${example.name}\` when the run ends`, async () => {
        const reason = new Error("the run ended");
        const { facts, thrown } = await replay(example, {}, AbortSignal.abort(reason));
        expect(thrown).toBe(reason);
        expect(facts).toEqual([]);
      });

      for (const right of rightsOf(collector, example)) {
        const permission = `${right.verb} ${right.resource}`;
        it(`names \`${permission}\` where \`${example.name}\` lacks it, and invents no fact`, async () => {
          const { facts, gaps, thrown } = await replay(example, { forbidden: [permission] });
          const told = JSON.stringify([gaps, facts.map(({ data }) => data), thrown instanceof Error ? { ...thrown, message: thrown.message } : undefined]);
          expect(told).toContain(`may not ${right.verb} \`${right.resource}\``);
          const before = new Set((await replay(example)).facts.map(({ kind, subject }) => `${kind} ${subject}`));
          expect(facts.filter(({ kind, subject }) => !before.has(`${kind} ${subject}`))).toEqual([]);
        });
      }
    }
  });
}

function rightsOf(collector: Collector<FactKind>, { requests, kubernetes }: Example): readonly Permission[] {
  const rights = requests.flatMap((request) => collector.permissions?.(request, kubernetes.probes ?? []) ?? []);
  return [...new Map(rights.map((right) => [JSON.stringify(right), right])).values()];
}

function readExample(folder: string, name: string): Example {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, "examples", name, file), "utf8"));
  const { cluster, requests, kubernetes } = read("exchange.json") as Omit<Example, "name" | "expected">;
  return { name, cluster: clusterOf(cluster.name, cluster), requests, kubernetes, expected: read("facts.json") };
}
