import { gzipSync } from "node:zlib";
import { Ajv } from "ajv";
import type { Log } from "sarif";
import { describe, expect, it } from "vitest";
import schema from "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json" with { type: "json" };
import type { Report } from "#engine";
import sarif from "../../reports/sarif.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach, OPTIONS, reportWith, resultWith } from "./many.ts";

/** The schema is written in draft 4; what of it means something else today is put into today's words. */
function validator() {
  const { $schema: _, id: __, ...words } = schema as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, unicodeRegExp: false });
  ajv.addFormat("uri", /^[a-z][a-z0-9+.-]*:[!#$&-;=?-[\]_a-z~%]*$/i);
  ajv.addFormat("uri-reference", /^[!#$&-;=?-[\]_a-z~%]*$/i);
  ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT/);
  return ajv.compile(words);
}
const validate = validator();

function logOf(report: Report): Log {
  const log = JSON.parse(sarif.render(report, OPTIONS)) as Log;
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  return log;
}

const resultsOf = (report: Report) => logOf(report).runs[0]?.results ?? [];

describe("SARIF", () => {
  it("is valid by its schema, with one of everything", () => {
    const results = resultsOf(oneOfEach());
    expect(results.map(({ level, properties }) => `${level} ${properties?.["outcome"]} ${properties?.["severity"]} ${properties?.["open"]}`)).toEqual([
      "error fault error true",
      "warning undecided error true",
      "warning gap error true",
      "warning fault warning true",
      "note fault error false",
      "note fault error false",
      "note gap error false",
    ]);
  });

  it.each(HOSTILE)("is valid by its schema with %s", (_, text) => expect(resultsOf(hostile(text))).toHaveLength(4));

  it("an invalid log is noticed: the schema is really asked", () => {
    expect(validate({ version: "2.1.0", runs: [{ results: [] }] })).toBe(false);
    expect(validate({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [{ message: {} }] }] })).toBe(false);
  });

  it("points to the manifest where there is one, else to the assertion", () => {
    const [manifest] = resultsOf(reportWith([resultWith("a", [findingOf(1)])]));
    expect(manifest?.locations?.[0]?.physicalLocation).toEqual({ artifactLocation: { uri: "clusters/aks/pods.yaml", uriBaseId: "%SRCROOT%" }, region: { startLine: 7, startColumn: 1 } });
    expect(manifest?.relatedLocations?.map(({ physicalLocation }) => physicalLocation?.artifactLocation?.uri)).toEqual(["assertions/mesh.yaml"]);
    const [live] = resultsOf(reportWith([resultWith("a", [findingOf(1, { evidence: [] })])]));
    expect(live?.locations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe("assertions/mesh.yaml");
    expect(live?.relatedLocations).toBeUndefined();
  });

  it("names files as addresses", () => {
    const uri = (file: string) => resultsOf(reportWith([resultWith("a", [findingOf(1, { evidence: [] })], { at: { file, line: 1, column: 1 } })]))[0]?.locations?.[0]?.physicalLocation?.artifactLocation;
    expect(uri("a b/ü#?.yaml")).toEqual({ uri: "a%20b/%C3%BC%23%3F.yaml", uriBaseId: "%SRCROOT%" });
    expect(uri("/abs/x.yaml")).toEqual({ uri: "file:///abs/x.yaml" });
  });

  it("keeps the fingerprint of a finding when its words change", () => {
    const [before] = resultsOf(reportWith([resultWith("a", [findingOf(1)])]));
    const [after] = resultsOf(reportWith([resultWith("a", [findingOf(1, { message: "in other words" })])]));
    expect(after?.partialFingerprints).toEqual(before?.partialFingerprints);
    expect(before?.partialFingerprints).toEqual({ "cloudAssert/v1": findingOf(1).fingerprint, primaryLocationLineHash: `${findingOf(1).fingerprint}:1` });
  });

  it("holds 5,000 results at most, the worst, and counts the others", () => {
    const soft = resultWith("soft", [findingOf(9)], { severity: "info" });
    const many = manyFaults(6_000);
    const log = logOf({ ...many, results: [soft, ...many.results] });
    expect(log.runs[0]?.results).toHaveLength(5_000);
    expect(log.runs[0]?.results?.some(({ level }) => level === "note")).toBe(false);
    expect(log.runs[0]?.properties?.["resultsLeftOut"]).toBe(1_001);
    expect(JSON.stringify(log.runs[0]?.invocations)).toContain("1,001 more results left out");
  });

  it("is never larger than 10 MB, packed, and has no more than 20 related places a result", { timeout: 60_000 }, () => {
    // text that packs badly, and another one for every finding
    const noise = Array.from({ length: 20_000 }, (_, at) => String.fromCharCode(35 + ((at * at * 7919 + at * 31) % 57))).join("");
    const source = { collector: "k", locator: "l", file: "f.yaml", line: 1 };
    const evidence = Array.from({ length: 200 }, () => ({ cluster: "c", label: "l", value: "v", source }));
    const report = manyFaults(5_000, (index) => ({ message: noise.slice(index, index + 4_000), evidence }));
    const text = sarif.render(report, OPTIONS);
    expect(gzipSync(text).length).toBeLessThan(10_000_000);
    const run = (JSON.parse(text) as Log).runs[0];
    expect(run?.results?.[0]?.relatedLocations).toHaveLength(20);
    expect((run?.results?.length ?? 0) + Number(run?.properties?.["resultsLeftOut"])).toBe(5_000);
  });
});
