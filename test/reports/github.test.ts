import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import github from "../../reports/github.ts";
import markdown, { MARKER, markdownOf } from "../../reports/markdown.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach, OPTIONS, reportWith, resultWith } from "./many.ts";

/** Reads lines as the runner of GitHub Actions does: a command begins a line, after blanks; its old form stands anywhere. */
function commandsIn(text: string) {
  return text.split(/\r\n|\r|\n/).flatMap((line) => {
    const [, name = "", properties = "", data = ""] = /^\s*::([^\s:]+)(?: (.*?))?::(.*)$/.exec(line) ?? [];
    const decode = (word: string) => word.replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%0A/g, "\n").replace(/%0D/g, "\r").replace(/%25/g, "%");
    if (name === "") return line.includes("##[") ? [{ name: "old form", properties: {}, data: line }] : [];
    return [{ name, properties: Object.fromEntries(properties.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), decode(pair.slice(pair.indexOf("=") + 1))])), data: decode(data) }];
  });
}

const render = (report: Report) => github.render(report);
const summary = (report: Report, room: number) => github.appends.text(report, OPTIONS, room);

describe("annotations", () => {
  it("stand at the manifest, with what is wrong and what to do; what is accepted has none", () => {
    expect(commandsIn(render(oneOfEach()))).toEqual([
      { name: "error", properties: { file: "clusters/aks/pods.yaml", line: "7", col: "1", title: "skew: violated: aks-prod/shop/Deployment/w1" }, data: `${findingOf(1).message}\nhelp: restart \`Deployment/w1\`` },
      { name: "error", properties: { file: "clusters/aks/pods.yaml", line: "7", col: "1", title: "unclear: undecided: aks-prod/shop/Deployment/w5" }, data: `${findingOf(5).message}\nhelp: restart \`Deployment/w5\`` },
      { name: "error", properties: { file: "assertions/mesh.yaml", line: "3", col: "1", title: "unclear: not seen: nodes" }, data: "`nodes` may not be listed\nhelp: grant `list` on `nodes`" },
      { name: "warning", properties: { file: "clusters/aks/pods.yaml", line: "7", col: "1", title: "soft: violated: aks-prod/shop/Deployment/w6" }, data: `${findingOf(6).message}\nhelp: restart \`Deployment/w6\`` },
    ]);
  });

  it("are ten, the worst; the others are counted", () => {
    const soft = resultWith("soft", [findingOf(1)], { severity: "info" });
    const report = manyFaults(47);
    const text = render({ ...report, results: [soft, ...report.results] });
    expect(commandsIn(text).map(({ name }) => name)).toEqual(Array(10).fill("error"));
    expect(text).toContain("cloud-assert: violated; 38 more findings and gaps in the job summary and the other formats\n");
  });

  it.each(HOSTILE)("hold no command but their own with %s", (_, text) => {
    const commands = commandsIn(render(hostile(text)));
    expect(commands.map(({ name }) => name)).toEqual(["error", "error", "error"]);
    for (const { properties } of commands) expect(Object.keys(properties).filter((key) => !["file", "line", "col", "title"].includes(key))).toEqual([]);
  });

  it.each(["/etc/passwd", "../up.yaml", "a/../../b.yaml", "built-in assertions/suite.yaml"])("show no place outside the checkout: %s", (file) => {
    const text = render(reportWith([resultWith("a", [findingOf(1, { evidence: [] })], { at: { file, line: 1, column: 1 } })]));
    expect(text).not.toContain("file=");
  });
});

/** Bytes as platforms count them. */
const bytes = (text: string) => Buffer.byteLength(text);

describe("a comment", () => {
  const render = (report: Report) => markdown.render(report);

  it("begins with the marker, and says verdict, findings, what to do, what is accepted", () => {
    const text = render(oneOfEach());
    expect(text.startsWith(`${MARKER}\n## ❌ cloud-assert: violated\n`)).toBe(true);
    expect(text).toContain("**fault** `aks-prod/shop/Deployment/w1`: 3 proxies of `w1` run Envoy 1\\.37\\.1, 4 patch releases behind 1\\.37\\.5");
    expect(text).toContain("_help:_ restart `Deployment/w1`");
    expect(text).toContain("_accepted by_ mesh until 2027-01-31");
    expect(text).toContain("**not seen** `nodes`");
    expect(text).toContain("- assumes: tags are honest");
  });

  it("shows a request that can be repeated in a block of its own", () => {
    const curl = "curl -sS -H 'x-canary: 1' 'http://shop.example/api/x?debug=1'";
    const source = { collector: "k", locator: "l" };
    const text = render(reportWith([resultWith("a", [findingOf(1, { evidence: [{ cluster: "gke", label: "request", value: curl, source }, { cluster: "eks", label: "request", value: curl, source }] })])]));
    expect(text).toContain(`\`\`\`sh\n${curl}\n\`\`\``);
  });

  it.each([0, 1, 50, 5_000, 100_000])("of %i findings is under 64 kB and counts what it leaves out", { timeout: 60_000 }, (number) => {
    const text = render(manyFaults(number));
    expect(bytes(text)).toBeLessThan(64_000);
    const shown = text.match(/^\*\*fault\*\*/gm)?.length ?? 0;
    const left = Number(/Not shown here for want of room: (?:.*, )?([\d,]+) findings?/.exec(text)?.[1]?.replaceAll(",", "") ?? 0);
    expect(shown + left).toBe(number);
  });

  it("of findings as long as can be stays under 64 kB", () => {
    expect(bytes(render(manyFaults(200, () => ({ subject: "ü".repeat(1e4), message: "`@".repeat(1e4), remedy: "#".repeat(1e4) }))))).toBeLessThan(64_000);
  });

  it.each(HOSTILE)("has one marker and nothing that acts with %s", (_, text) => {
    const written = render(hostile(text));
    expect(written.split(MARKER)).toHaveLength(2);
    const outside = withoutCode(written.slice(MARKER.length)).replaceAll("&#8203;", "\u200b");
    expect(outside).not.toMatch(/<(?!\/?sub>)[a-z!/]/i);
    expect(outside).not.toMatch(/(?<!\\)\]\(|(?<!\\)!\[|@\w|#\d|GH-\d|https?:\/\/|www\.(?=\w)/);
  });
});

describe("the job summary", () => {
  it("fits into what is left of 1 MiB, or is nothing", { timeout: 60_000 }, () => {
    const report = manyFaults(20_000);
    for (const room of [1024 * 1024, 100_000, 3_000]) expect(bytes(summary(report, room))).toBeLessThanOrEqual(room);
  });

  it("has more of the report than a comment", () => {
    const report = manyFaults(1_000);
    expect(bytes(summary(report, 1024 * 1024))).toBeGreaterThan(bytes(markdownOf(report, 64_000)));
  });
});

/** Markdown without fenced blocks and code spans, as the specification reads them. */
function withoutCode(text: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of text.split("\n")) {
    const [, run] = /^ {0,3}(`{3,})/.exec(line) ?? [];
    if (fence !== undefined) {
      if (/^ {0,3}`{3,}\s*$/.test(line) && (run?.length ?? 0) >= fence.length) fence = undefined;
    } else if (run !== undefined && !line.slice(line.indexOf(run) + run.length).includes("`")) fence = run;
    else lines.push(withoutSpans(line));
  }
  if (fence !== undefined) throw new Error("a fence is left open");
  return lines.join("\n");
}

function withoutSpans(line: string): string {
  let rest = "";
  for (let at = 0; at < line.length; ) {
    if (line[at] === "\\") {
      rest += line.slice(at, at + 2);
      at += 2;
      continue;
    }
    const [run = ""] = /^`+/.exec(line.slice(at)) ?? [];
    if (run === "") {
      rest += line[at++];
      continue;
    }
    const end = [...line.slice(at + run.length).matchAll(/`+/g)].find(([other]) => other.length === run.length);
    if (end === undefined) rest += run;
    at += run.length + (end === undefined ? 0 : end.index + run.length);
  }
  return rest;
}
