import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, type TestContext } from "vitest";
import type { Report } from "#engine";
import github from "../../reports/github.ts";
import markdown, { MARKER } from "../../reports/markdown.ts";
import prometheus from "../../reports/prometheus.ts";
import { needs } from "../cli/shell.ts";
import { runWorkflow } from "../parts/act.ts";
import { freePorts, scratchFolder, start, until } from "../parts/process.ts";
import { hostile, HOSTILE, manyFaults, oneOfEach, OPTIONS } from "../reports/many.ts";
import { programs } from "./ground.ts";

const run = promisify(execFile);

/** Texts that a cluster could hold, short enough to be read by a person when a test fails, and the long ones. */
const REPORTS: readonly (readonly [what: string, report: Report])[] = [["one of everything", oneOfEach()], ...HOSTILE.map(([what, text]) => [what, hostile(text)] as const)];

describe("metrics, as the text file collector of node_exporter reads them", { timeout: 120_000 }, () => {
  /** What a scrape gives out of a folder that holds this file. */
  async function scraped(text: string, context: TestContext): Promise<string> {
    const { "node-exporter": program } = await programs(["node-exporter"], context);
    const folder = await scratchFolder("exporter");
    await mkdir(path.join(folder, "text"));
    await writeFile(path.join(folder, "text/cloud_assert.prom"), text);
    const [port = 0] = await freePorts(1);
    const server = await start(program, ["--collector.disable-defaults", "--collector.textfile", `--collector.textfile.directory=${folder}/text`, "--web.disable-exporter-metrics", `--web.listen-address=127.0.0.1:${port}`], { logFile: path.join(folder, "log") });
    try {
      const ask = () => fetch(`http://127.0.0.1:${port}/metrics`).then((answer) => answer.text(), () => "");
      await until("node_exporter answers", async () => (await ask()) !== "", () => (server.ended() ? server.log() : undefined));
      return await ask();
    } finally {
      await server.stop();
    }
  }

  it.for(REPORTS)("every metric is taken over with %s", async ([, report], context) => {
    const text = await prometheus.render(report, OPTIONS);
    const taken = await scraped(text, context);
    expect(taken).toContain("\nnode_textfile_scrape_error 0\n");
    const names = (of: string) => new Set(of.split("\n").flatMap((line) => /^(assert_\w+)/.exec(line)?.[1] ?? []));
    expect(names(taken)).toEqual(names(text));
    const samples = (of: string) => of.split("\n").filter((line) => line.startsWith("assert_")).length;
    expect(samples(taken)).toBe(samples(text));
  });
});

describe("a comment, as GitHub's own Markdown reads it", { timeout: 120_000 }, () => {
  interface Node {
    readonly name: string;
    readonly text: string;
  }

  /** Every node in the order of the text: what stands around words and code, and these by themselves. */
  async function nodesOf(report: Report, context: TestContext): Promise<readonly Node[]> {
    await needs("cmark-gfm", ["--version"], context);
    const file = path.join(await scratchFolder("comment"), "comment.md");
    await writeFile(file, markdown.render(report));
    const extensions = ["table", "autolink", "strikethrough", "tasklist", "footnotes"].flatMap((name) => ["--extension", name]);
    const { stdout } = await run("cmark-gfm", ["--to", "xml", ...extensions, file], { maxBuffer: 16 << 20 });
    const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
    return [...stdout.matchAll(/<([a-z_]+|<unknown>)(?: [^>]*)?>(?:([^<]*)<\/\1>)?/g)].map(([, name = "", text = ""]) => ({ name, text: unescaped(text) }));
  }

  const WORDS = new Set(["text", "code", "softbreak"]);
  const shapeOf = (nodes: readonly Node[]) => nodes.map(({ name }) => name).filter((name) => !WORDS.has(name));

  it.for(HOSTILE.filter(([, text]) => text !== ""))("has the same parts as with a plain word with %s", async ([, text], context) => {
    const nodes = await nodesOf(hostile(text), context);
    expect(shapeOf(nodes)).toEqual(shapeOf(await nodesOf(hostile("word"), context)));
    expect(nodes.filter(({ name }) => name === "html_block").map((node) => node.text.trim())).toEqual([MARKER]);
    expect(new Set(nodes.filter(({ name }) => name === "html_inline").map((node) => node.text))).toEqual(new Set(["<sub>", "</sub>"]));
    // what GitHub itself makes of words when the Markdown has been read
    for (const node of nodes) if (node.name === "text") expect(node.text).not.toMatch(/@\w|#\d|GH-\d/);
  });

  it("names each finding once, and has one table", async (context) => {
    const nodes = await nodesOf(manyFaults(20), context);
    expect(nodes.filter(({ name, text }) => name === "code" && text.startsWith("aks-prod/shop/Deployment/w"))).toHaveLength(20);
    expect(nodes.filter(({ name }) => name === "table")).toHaveLength(1);
  });
});

describe("annotations and the job summary, as a runner of workflows reads them", { timeout: 120_000 }, () => {
  it("are at most ten commands of their own, whatever the text", async (context) => {
    const { act } = await programs(["act"], context);
    const checkout = await scratchFolder("annotations");
    const cases: readonly (readonly [what: string, report: Report])[] = [...REPORTS, ["many", manyFaults(40)]];
    await mkdir(path.join(checkout, ".github/workflows"), { recursive: true });
    for (const [index, [, report]] of cases.entries()) await writeFile(path.join(checkout, `${index}.txt`), github.render(report));
    await writeFile(path.join(checkout, "summary.md"), github.appends.text(oneOfEach(), OPTIONS, 1024 * 1024));
    const steps = [{ uses: "actions/checkout@v5" }, ...cases.map(([name], index) => ({ name, run: `cat ${index}.txt` })), { run: 'cat summary.md >> "$GITHUB_STEP_SUMMARY"' }];
    await writeFile(path.join(checkout, ".github/workflows/annotations.yml"), JSON.stringify({ on: "push", jobs: { annotate: { "runs-on": "ubuntu-24.04", steps } } }));
    await run("git", ["init", "-q", "-b", "main"], { cwd: checkout });

    const { result, commands, summary } = await runWorkflow(act, { checkout, name: "annotations.yml", event: "push" });
    expect(result).toBe("success");
    const of = (what: string) => commands.filter(({ step }) => step === what);
    for (const [what] of HOSTILE) {
      expect(of(what).map(({ name }) => name), what).toEqual(["error", "error", "error"]);
      for (const { properties } of of(what)) expect(Object.keys(properties).filter((key) => !["file", "line", "col", "title"].includes(key))).toEqual([]);
    }
    expect(of("many").map(({ name }) => name)).toEqual(Array(10).fill("error"));
    expect(of("one of everything").map(({ name, properties, data }) => [name, properties["file"], properties["line"], properties["title"], data.split("\n")[1]])).toEqual([
      ["error", "clusters/aks/pods.yaml", "7", "skew: violated: aks-prod/shop/Deployment/w1", "help: restart `Deployment/w1`"],
      ["error", "clusters/aks/pods.yaml", "7", "unclear: undecided: aks-prod/shop/Deployment/w5", "help: restart `Deployment/w5`"],
      ["error", "assertions/mesh.yaml", "3", "unclear: not seen: nodes", "help: grant `list` on `nodes`"],
      ["warning", "clusters/aks/pods.yaml", "7", "soft: violated: aks-prod/shop/Deployment/w6", "help: restart `Deployment/w6`"],
    ]);
    expect(summary).toBe(await readFile(path.join(checkout, "summary.md"), "utf8"));
  });
});
