import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { convert } from "xmlbuilder2";
import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import junit from "../../reports/junit.ts";
import { root } from "../support/room.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach, reportWith, resultWith } from "./many.ts";

const XSD = join(root, "test/reports/junit.xsd");
const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;
if (!hasXmllint && process.env["CI"]) throw new Error("this run may skip nothing, and `xmllint` is missing");

/** What the schema says against it. */
function complaints(text: string): string {
  const { stderr } = spawnSync("xmllint", ["--noout", "--nonet", "--huge", "--schema", XSD, "-"], { input: text, encoding: "utf8" });
  return stderr.trim();
}

const render = (report: Report) => junit.render(report);

interface Suite {
  readonly "@name": string;
  readonly "@tests": string;
  readonly testcase?: object | readonly object[];
}

function suitesOf(report: Report): readonly Suite[] {
  const { testsuites } = convert(render(report), { format: "object" }) as unknown as { testsuites: { testsuite?: Suite | readonly Suite[] } };
  return [testsuites.testsuite ?? []].flat();
}

describe("JUnit", () => {
  it.skipIf(!hasXmllint)("is valid by the schema, with one of everything, with nothing, with much", () => {
    for (const report of [oneOfEach(), reportWith([]), manyFaults(500)]) expect(complaints(render(report))).toBe("- validates");
  });

  it.skipIf(!hasXmllint).each(HOSTILE)("is valid by the schema with %s", (_, text) => expect(complaints(render(hostile(text)))).toBe("- validates"));

  it.skipIf(!hasXmllint)("the schema is really asked", () => {
    expect(complaints('<testsuites><testsuite name="x"/></testsuites>')).toContain("attribute 'tests' is required");
    expect(complaints('<testsuites><testsuite name="x" tests="0" failures="0" errors="0"><case/></testsuite></testsuites>')).toContain("not expected");
  });

  it("a fault fails, what cannot be decided is an error, what is accepted or soft is skipped, what holds passes", () => {
    const endings = suitesOf(oneOfEach()).map((suite) => `${suite["@name"]}: ${[suite.testcase ?? []].flat().map((each) => Object.keys(each).find((key) => !key.startsWith("@")) ?? "passed").join(" ")}`);
    expect(endings).toEqual(["skew: failure skipped skipped", "unclear: error error skipped", "soft: skipped", "fine: passed"]);
    expect(render(oneOfEach())).toContain('<testsuites name="cloud-assert" tests="8" failures="1" errors="2">');
  });

  it("names two findings of one subject apart, in the same way every time", () => {
    const report = reportWith([resultWith("a", [findingOf(1, { subject: "s" }), findingOf(2, { subject: "s" }), findingOf(3, { subject: "t" })])]);
    const [suite] = suitesOf(report);
    expect([suite?.testcase ?? []].flat().map((each) => (each as { "@name": string })["@name"])).toEqual(["s #00000001", "s #00000002", "t"]);
  });

  it("gives back the words of a hostile message, as escapes", () => {
    const report = reportWith([resultWith("a", [findingOf(1, { subject: "<&>\"' \u001b[31m" })])]);
    expect(render(report)).toContain(`name="&lt;&amp;&gt;&quot;' \\x1b[31m"`);
  });
});
