import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import openreports from "../../reports/openreports.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach, OPTIONS, reportWith, resultWith } from "./many.ts";

interface ClusterReport {
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly summary: Readonly<Record<string, number>>;
  readonly results: readonly { readonly policy: string; readonly result: string; readonly properties: Readonly<Record<string, string>> }[];
}

const itemsOf = (report: Report) => (JSON.parse(openreports.render(report, OPTIONS)) as { items: readonly ClusterReport[] }).items;

describe("OpenReports", () => {
  it("is one report of the fleet with every assertion, and one a cluster with what concerns it", () => {
    const [fleet, aks, gke] = itemsOf(oneOfEach());
    expect(fleet?.results.map(({ policy, result }) => `${policy} ${result}`)).toEqual(["skew fail", "unclear error", "soft warn", "fine pass"]);
    expect(aks?.metadata.name).toBe("cloud-assert-aks-prod");
    expect(aks?.summary).toEqual({ pass: 0, fail: 1, warn: 1, error: 2, skip: 3 });
    expect(gke?.summary).toEqual({ pass: 0, fail: 1, warn: 1, error: 1, skip: 2 });
    expect(aks?.results.find(({ result }) => result === "skip")?.properties).toMatchObject({ owner: "mesh", reason: "planned", expires: "2027-01-31" });
  });

  it("cuts what etcd would refuse and counts it, while the summary counts everything", () => {
    for (const report of [manyFaults(5_000), manyFaults(2_000, () => ({ message: "m".repeat(1e5), remedy: "r".repeat(1e5) }))]) {
      const [, aks] = itemsOf(report);
      expect(Buffer.byteLength(JSON.stringify(aks))).toBeLessThan(1_000_000);
      expect((aks?.results.length ?? 0) + Number(aks?.metadata.annotations["cloud-assert/results-left-out"])).toBe(aks?.summary["fail"]);
    }
  });

  it("gives clusters of any name names that the API server takes, and no two the same", () => {
    const names = ["eks", "EKS", "arn:aws:eks:eu-west-1:1:cluster/prod", "arn:aws:eks:eu-west-1:1:cluster-prod", "ü", "-", "x".repeat(300)];
    const clusters = names.map((name) => ({ name, identity: {}, reachable: true }));
    const made = itemsOf(reportWith([], { clusters })).map(({ metadata }) => metadata.name);
    expect(new Set(made).size).toBe(names.length + 1);
    for (const name of made) expect(name).toMatch(/^[a-z0-9](?:[-a-z0-9]{0,240}[a-z0-9])?$/);
  });

  it("puts what belongs to no cluster into the report of the fleet", () => {
    const [fleet] = itemsOf(reportWith([resultWith("a", [findingOf(1, { evidence: [] })])]));
    expect(fleet?.results.map(({ result }) => result)).toEqual(["fail", "fail"]);
  });

  it.each(HOSTILE)("is JSON with %s", (_, text) => expect(itemsOf(hostile(text)).length).toBeGreaterThan(0));
});
