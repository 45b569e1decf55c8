import { describe, expect, it } from "vitest";
import { EVEN, NOW, shell, skew } from "./shell.ts";

const SEE_HELP = "see `assert --help`, or `assert COMMAND --help`";

/** What the command says on stderr where it refuses to run: one line for what is wrong, one for the way out. */
const refusals: readonly (readonly [claim: string, words: readonly string[], error: string, help: string])[] = [
  ["an unknown command, with the nearest", ["rnu"], "usage]: unknown command `rnu`", "did you mean `run`?"],
  ["a command that resembles nothing", ["frobnicate"], "usage]: unknown command `frobnicate`", SEE_HELP],
  ["an unknown flag, with the nearest", ["run", "--snapshot", "x"], "usage]: unknown option `--snapshot`", "did you mean `--snapshots`?"],
  ["a flag of another command", ["run", "--force"], "usage]: unknown option `--force`", SEE_HELP],
  ["a flag without its value", ["run", "--fleet"], "usage]: option `--fleet <FILE>` lacks its value", SEE_HELP],
  ["too many words", ["kinds", "a", "b"], "usage]: too many arguments for `kinds`, which takes 0 and got 2: a, b", SEE_HELP],
  ["a missing word", ["explain"], "usage]: missing required argument `KIND`", SEE_HELP],
  ["an unknown format, with the nearest", ["run", "-o", "jsno"], "usage]: unknown output format `jsno`", "did you mean `json`?"],
  ["a format that resembles nothing", ["run", "-o", "pdf"], "usage]: unknown output format `pdf`", "use one of terminal, json, sarif, junit, github, markdown, html, prometheus, openreports"],
  ["a property of every object as a format", ["run", "-o", "constructor"], "usage]: unknown output format `constructor`", "use one of terminal, json, sarif, junit, github, markdown, html, prometheus, openreports"],
  ["a format with an empty file", ["run", "-o", "json="], "usage]: `-o json=` names no file", "write `-o json=report.txt`"],
  ["two formats on stdout", ["run", "-o", "json", "-o", "terminal"], "usage]: two formats go to `stdout`", "give one of them a file of its own: `-o json=report.json`"],
  ["two formats in one file, however it is written", ["run", "-o", "json=r", "-o", "terminal=./r"], "usage]: two formats go to `./r`", "give one of them a file of its own: `-o json=report.json`"],
  ["a folder that a variable was to name", ["collect", "--out", ""], "usage]: --out is empty", "give it a value; in a script, see that the variable behind it is set"],
  ["the same of a flag that may be repeated", ["run", "--only", "close", "--only="], "usage]: --only is empty", "give it a value; in a script, see that the variable behind it is set"],
  ["the same of a flag of two words", ["run", "--cluster-timeout", ""], "usage]: --cluster-timeout is empty", "give it a value; in a script, see that the variable behind it is set"],
  ["a file that a variable was to name", ["run", ""], "usage]: a file or folder that is named is empty text", "in a script, see that the variable behind it is set"],
  ["an unknown probe, with the nearest", ["run", "--probe", "metric"], "usage]: --probe does not know `metric`", "did you mean `metrics`? it takes metrics, admin, nodes"],
  ["a colour choice that is none", ["run", "--color", "sometimes"], "usage]: --color does not know `sometimes`", "use one of auto, always, never"],
  ["a number below the least", ["run", "--concurrency", "0"], "usage]: --concurrency is `0`; it takes a whole number from 1 to 10000", "write `--concurrency 4`"],
  ["a number above the most", ["run", "--confirm", "101"], "usage]: --confirm is `101`; it takes a whole number from 0 to 100", "write `--confirm 4`"],
  ["a broken number", ["run", "--confirm", "1.5"], "usage]: --confirm is `1.5`; it takes a whole number from 0 to 100", "write `--confirm 4`"],
  ["a time without unit", ["run", "--timeout", "90"], "usage]: --timeout is `90`; it takes a time with its unit, up to 500h", "write `--timeout 90s` or `--timeout 10m`"],
  ["no time at all", ["run", "--cluster-timeout", "0s"], "usage]: --cluster-timeout is `0s`; it takes a time with its unit, up to 500h", "write `--cluster-timeout 90s` or `--cluster-timeout 10m`"],
  ["a time at which a timer would fire at once", ["run", "--timeout", "999999h"], "usage]: --timeout is `999999h`; it takes a time with its unit, up to 500h", "write `--timeout 90s` or `--timeout 10m`"],
  ["a now that is no time", ["run", "--now", "yesterday"], "usage]: --now is `yesterday`; it takes a date or a time with its zone", "write `--now 2026-11-23T10:00:00Z`"],
  ["a now without zone", ["run", "--now", "2026-11-23T10:00:00"], "usage]: --now is `2026-11-23T10:00:00`; it takes a date or a time with its zone", "write `--now 2026-11-23T10:00:00Z`"],
  ["a day that no calendar has", ["run", "--now", "2026-02-30T10:00:00Z"], "usage]: --now is `2026-02-30T10:00:00Z`; it takes a date or a time with its zone", "write `--now 2026-11-23T10:00:00Z`"],
  ["an assertion that is not there, with the nearest", ["run", "--only", "clos"], "usage]: --only names `clos`, and there is no such assertion", "did you mean `close`?"],
  ["an assertion that resembles none", ["run", "--only", "routes"], "usage]: --only names `routes`, and there is no such assertion", "use one of close, other"],
  ["a document to explain, with the nearest", ["explain", "HalProfil"], "usage]: unknown kind `HalProfil`", "did you mean `HalProfile`?"],
  ["a kind to explain, with the nearest", ["explain", "EnvoyVersonSkew"], "usage]: unknown kind `EnvoyVersonSkew`", "did you mean `EnvoyVersionSkew`?"],
  ["a shell without completion", ["completion", "fihs"], "usage]: no completion for the shell `fihs`", "did you mean `fish`?"],
  ["a fleet named in two ways", ["run", "--fleet", "assert.yaml", "--context", "x"], "usage]: --fleet and --context or --cluster both name the clusters", "use one of the two ways"],
  ["a cluster spelled wrong", ["run", "--cluster", "eks"], "usage]: `--cluster eks` lacks a name and `=`", "write NAME=KUBECONFIG:CONTEXT, as in `--cluster eks-prod=~/.kube/config:arn:aws:eks:eu-west-1:1234:cluster/prod`"],
  ["a format for what is no report", ["kinds", "-o", "json"], "usage]: `assert kinds` writes no report, so there is nothing to write as `json`", "leave -o out"],
  ["a file for what is no report", ["collect", "--out", "x", "-o", "terminal=r.txt"], "usage]: `assert collect` writes no report, so there is nothing to write as `terminal=r.txt`", "leave -o out"],
  ["snapshots without a folder to write to", ["collect"], "usage]: `assert collect` does not know where to write", "name a folder: `assert collect --out snapshots`"],
  ["collecting from snapshots", ["collect", "--out", "x", "--snapshots", "y"], "usage]: --snapshots contacts no cluster, and `assert collect` does nothing else", "leave --snapshots out"],
  ["permissions of snapshots", ["doctor", "--snapshots", "y"], "usage]: --snapshots contacts no cluster, so there are no permissions to look at", "leave --snapshots out; judging saved snapshots needs no permission"],
  ["a first fleet file out of another", ["init", "--fleet", "x"], "usage]: `assert init` writes a fleet file and reads none", "leave --fleet and --snapshots out"],
];

const FILES = { ...EVEN, "assertions/mesh.yaml": `${skew("close")}---\n${skew("other")}` };

describe("the command line refuses, with 3 and nothing on stdout", { timeout: 60_000 }, () => {
  it.each(refusals)("%s", async (_, words, error, help) => {
    await using here = await shell(FILES);
    expect(await here.assert(...words)).toEqual({ code: 3, stdout: "", stderr: `error[${error}\n  help: ${help}\n` });
  });

  it("no words at all: the help, on stderr", async () => {
    await using here = await shell();
    const { code, stdout, stderr } = await here.assert();
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^Usage: assert /);
    expect(stderr).toContain("Exit codes: 0 everything holds");
  });
});

describe("the command line answers on stdout, with 0", { timeout: 60_000 }, () => {
  const answers: readonly (readonly [claim: string, words: readonly string[], says: RegExp])[] = [
    ["its release", ["--version"], /^\d+\.\d+\.\d+\n$/],
    ["its release, asked of a command", ["run", "--version"], /^\d+\.\d+\.\d+\n$/],
    ["its help, which names every command and exit code", ["--help"], /^Usage: assert (?:.*\n)* {2}run (?:.*\n)* {2}collect (?:.*\n)* {2}compare (?:.*\n)* {2}route (?:.*\n)* {2}doctor (?:.*\n)* {2}init (?:.*\n)* {2}kinds (?:.*\n)* {2}explain (?:.*\n)* {2}completion (?:.*\n)*Exit codes: 0 everything holds, 1 violated, 2 undecided, 3 could not run, 130 interrupted\n/],
    ["the help of a command, which names its own flags", ["collect", "--help"], /^Usage: assert collect (?:.*\n)* {2}--out <DIR>/],
    ["the same, asked the other way round", ["help", "collect"], /^Usage: assert collect /],
    ["the kinds", ["kinds"], /^EnvoyVersionSkew +every Envoy proxy .*\n(?:\w+ +[^\n]+\n)*RoutesEquivalent +every request /],
    ["what a kind claims, by its name", ["explain", "EnvoyVersionSkew"], /^EnvoyVersionSkew: every Envoy proxy (?:.*\n)* {2}maxPatchSkew {2}\(integer, from 0, default 1\)\n/],
    ["every field of a document that a kind owns, however deep", ["explain", "HalProfile"], /^HalProfile: What nodes (?:.*\n)* {2}node\.kernel\.equivalents\[\]\.match {2}\(string, required\)\n(?:.*\n)* {2}fallbacks\.<key>\.node {2}\(object\)\n {6}As `node`\.\n(?:.*\n)* {4}kind: HalProfile\n/],
    ["the same by the name of its folder", ["explain", "envoy-version-skew"], /^EnvoyVersionSkew: /],
  ];
  it.each(answers)("%s", async (_, words, says) => {
    await using here = await shell();
    const ended = await here.assert(...words);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(says);
  });

  it("`--only` picks assertions: the others are neither judged nor reported", async () => {
    await using here = await shell({ ...FILES, "assertions/mesh.yaml": `${skew("close")}---\n${skew("other")}---\n${skew("third")}` });
    const { code, stdout } = await here.assert("run", "-o", "json", "--only", "third", "--only", "close", ...NOW);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { results: { assertion: string }[] }).results.map(({ assertion }) => assertion)).toEqual(["close", "third"]);
  });

  it("without assertion files the built-in suite runs, and the report says so", async () => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": "", "elsewhere/assert.yaml": "" });
    await here.write({ "alone/assert.yaml": EVEN["assert.yaml"].replaceAll("clusters/", "../clusters/") });
    const { code, stdout } = await here.program("sh", ["-c", `cd alone && $ASSERT run -o json ${NOW.join(" ")}`]).ended;
    // Its routes stay open: these clusters hold proxies and nothing that routes.
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      notes: ["no assertion files were named and there is no `assertions/` here: the built-in suite was used", "no cluster of the fleet names a Terraform state: `terraform-agrees` of the built-in suite is not in the run"],
      results: [{ assertion: "envoy-patch-skew", verdict: "holds", at: { file: "built-in assertions/suite.yaml" } }, { assertion: "routes-alike", verdict: "undecided" }, { assertion: "wasm-identical", verdict: "holds" }],
    });
  });

  it("a subfolder of `assertions/` is read only when it is named", async () => {
    await using here = await shell({ ...EVEN, "assertions/canary/mesh.yaml": skew("canary") });
    const names = async (...words: readonly string[]) => (JSON.parse((await here.assert("run", "-o", "json", ...words)).stdout) as { results: { assertion: string }[] }).results.map(({ assertion }) => assertion);
    expect(await names()).toEqual(["close"]);
    expect(await names("assertions", "assertions/canary")).toEqual(["canary", "close"]);
  });
});
