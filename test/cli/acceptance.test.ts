import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { main } from "../../cli/main.ts";
import { fakeTerminal } from "../support/terminal.ts";
import { BLIND, EVEN, shell, SKEWED, skew, type Shell } from "./shell.ts";

/** A run in this process, at a time of its own. */
async function run(here: Shell, words: readonly string[], { now = "2026-11-26T10:00:00Z", cwd = here.path } = {}) {
  const terminal = fakeTerminal({ cwd });
  const code = await main(["run", "--now", now, ...words], terminal);
  return { code, ...terminal.said };
}

async function jsonOf(here: Shell, words: readonly string[], now?: string) {
  const { code, stdout, stderr } = await run(here, [...words, "-o", "json"], now === undefined ? {} : { now });
  return { code, stderr, report: JSON.parse(stdout) as { notes: string[]; waivers?: { state: string }[]; results: { findings: { subject: string; fingerprint: string; waived?: object }[] }[] } };
}

const SUBJECT = "gke/shop/Deployment/old";
const waivers = (list: readonly object[]) => `${JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Waivers", spec: { waivers: list } })}\n`;
const waiver = (parts: object = {}) => ({ assertion: "close", reason: "planned", owner: "mesh", expires: "2026-11-27", ...parts });

async function subjectIn(here: Shell): Promise<{ readonly subject: string; readonly fingerprint: string }> {
  const { report } = await jsonOf(here, []);
  const [finding] = report.results[0]?.findings ?? [];
  if (finding === undefined) throw new Error("the world has no finding");
  return finding;
}

describe("waivers of a run", () => {
  it("a waiver that ends tomorrow is warned of today, and the fault is back the day after", async () => {
    await using here = await shell(SKEWED);
    const { subject } = await subjectIn(here);
    await here.write({ "waivers.yaml": waivers([waiver({ subject })]) });
    const days = await Promise.all(["2026-11-01T00:00:00Z", "2026-11-26T10:00:00Z", "2026-11-27T23:59:59Z", "2026-11-28T00:00:00Z"].map((now) => jsonOf(here, [], now)));
    expect(days.map(({ code }) => code)).toEqual([0, 0, 0, 1]);
    expect(days.map(({ report }) => report.waivers?.[0]?.state)).toEqual(["active", "expiring", "expiring", "expired"]);
    expect(days.map(({ report }) => report.notes.length)).toEqual([0, 1, 1, 1]);
    expect(days[1]?.report.notes[0]).toContain("waivers.yaml:1:");
    expect(days[1]?.report.notes[0]).toContain("expires on 2026-11-27, in 1 day; repair what it accepts before that");
    expect(days[1]?.report.results[0]?.findings[0]?.waived).toEqual({ reason: "planned", owner: "mesh", expires: "2026-11-27" });
    expect(days[3]?.report.results[0]?.findings[0]?.waived).toBeUndefined();
  });

  it("the counterexample is bound: another version of the same workload is a new fault", async () => {
    await using here = await shell(SKEWED);
    const { fingerprint } = await subjectIn(here);
    await here.write({ "waivers.yaml": waivers([waiver({ fingerprint })]) });
    expect((await run(here, [])).code).toBe(0);
    await here.write({ "clusters/gke/pods.json": SKEWED["clusters/gke/pods.json"].replaceAll("1.29.2", "1.29.1") });
    expect((await run(here, [])).code).toBe(1);
  });

  it("a terminal shows what is accepted, by whom and until when", async () => {
    await using here = await shell(SKEWED);
    const { subject } = await subjectIn(here);
    await here.write({ "waivers.yaml": waivers([waiver({ subject })]) });
    expect((await run(here, [])).stdout).toContain("accepted by mesh until 2026-11-27: planned");
  });

  it("--waivers names another file, and the one beside the fleet is not read then", async () => {
    await using here = await shell({ ...SKEWED, "waivers.yaml": "broken: [" });
    const { subject } = await subjectIn(await shell(SKEWED));
    await here.write({ "other.yaml": waivers([waiver({ subject })]) });
    expect((await run(here, ["--waivers", "other.yaml"])).code).toBe(0);
    expect((await run(here, [])).code).toBe(3);
  });
});

describe("a file of waivers is refused before anything is collected", () => {
  const good = { assertion: "close", subject: SUBJECT, reason: "r", owner: "o", expires: "2027-01-31" };
  const entry = (fields: Readonly<Record<string, string>>) => `apiVersion: cloud-assert/v1\nkind: Waivers\nspec:\n  waivers:\n    - ${Object.entries(fields).map(([key, value]) => `${key}: ${value}`).join("\n      ")}\n`;
  const without = (field: keyof typeof good) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== field));
  const cases: readonly (readonly [claim: string, text: string, says: string])[] = [
    ["no reason", entry(without("reason")), "waivers.yaml:5:7"],
    ["no owner", entry(without("owner")), "lacks `owner`"],
    ["no end", entry(without("expires")), 'add it, for example `expires: "2027-01-31"`'],
    ["neither subject nor fingerprint", entry(without("subject")), "names none of `fingerprint`, `subject`"],
    ["both", entry({ ...good, fingerprint: "0123456789abcdef0123456789abcdef" }), "exclude each other"],
    ["a day in local words", entry({ ...good, expires: "31.01.2027" }), "waivers.yaml:9:16"],
    ["a day that no calendar has", entry({ ...good, expires: "2027-02-30" }), "there is no such day"],
    ["a fingerprint cut short", entry({ ...without("subject"), fingerprint: "'0123'" }), "waivers.yaml:9:20"],
    ["an unknown field", entry({ ...good, expiry: "x" }), "did you mean `expires`?"],
    ["another kind", "apiVersion: cloud-assert/v1\nkind: Fleet\n", "waivers.yaml:2:7"],
    ["one thing twice", `${entry(good)}---\n${entry(good)}`, "keep one of them; the first is at waivers.yaml:5:7"],
    ["broken YAML", "a: [", "waivers.yaml:1:"],
  ];
  it.each(cases)("%s", async (_, text, says) => {
    await using here = await shell({ ...EVEN, "waivers.yaml": text });
    const { code, stdout, stderr } = await run(here, []);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain(says);
  });

  it("a file that is not there, when a flag names it", async () => {
    await using here = await shell(EVEN);
    expect(await run(here, ["--waivers", "no.yaml"])).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("`no.yaml`") });
    expect(await run(here, ["--baseline", "no.json"])).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("`no.json`") });
  });
});

describe("the baseline of a run", () => {
  it("is written with the findings of now; afterwards only what is new fails", async () => {
    await using here = await shell(SKEWED);
    expect((await run(here, ["--write-baseline", "baseline.json"])).code).toBe(1);
    const known = await run(here, ["--baseline", "baseline.json"]);
    expect(known.code).toBe(0);
    expect(known.stdout).toContain("1 finding is accepted, because the baseline `baseline.json` knows it");
    await here.write({ "clusters/gke/pods.json": SKEWED["clusters/gke/pods.json"].replaceAll("1.29.2", "1.29.1") });
    expect((await run(here, ["--baseline", "baseline.json"])).code).toBe(1);
  });

  it("gets smaller by itself, and refuses to grow: the file stays as it was", async () => {
    await using here = await shell(SKEWED);
    await run(here, ["--write-baseline", "baseline.json"]);
    const before = await here.read("baseline.json");
    await here.write({ "clusters/gke/pods.json": SKEWED["clusters/gke/pods.json"].replaceAll("1.29.2", "1.29.1") });
    const grown = await run(here, ["--write-baseline", "baseline.json"]);
    expect(grown.code).toBe(3);
    expect(grown.stderr).toMatch(/^error\[baseline-growth\]: the baseline `baseline\.json` would grow by 1 finding \(`close`: /);
    expect(grown.stdout).toContain("VIOLATED");
    expect(await here.read("baseline.json")).toBe(before);
    await here.write({ "clusters/gke/pods.json": EVEN["clusters/gke/pods.json"] });
    expect((await run(here, ["--write-baseline", "baseline.json"])).code).toBe(0);
    expect(await here.read("baseline.json")).toBe('{\n  "schema": "cloud-assert/baseline/v1",\n  "findings": []\n}\n');
  });

  it("accepts no gap", async () => {
    await using here = await shell(BLIND);
    expect((await run(here, ["--write-baseline", "baseline.json"])).code).toBe(2);
    expect((await run(here, ["--baseline", "baseline.json"])).code).toBe(2);
  });

  const wrong: readonly (readonly [claim: string, text: string, says: string])[] = [
    ["no JSON", "{", "baseline.json:1:"],
    ["another format", '{"schema":"x","findings":[]}', "it can only be `cloud-assert/baseline/v1`"],
    ["an entry without fingerprint", '{"schema":"cloud-assert/baseline/v1","findings":[{"assertion":"a","subject":"s","outcome":"fault"}]}', "lacks `fingerprint`"],
    ["an outcome that is none", '{"schema":"cloud-assert/baseline/v1","findings":[{"assertion":"a","subject":"s","fingerprint":"0123456789abcdef0123456789abcdef","outcome":"info"}]}', "it is one of `fault`, `undecided`"],
    ["nothing", "", "holds nothing"],
  ];
  it.each(wrong)("refuses a file that is none: %s", async (_, text, says) => {
    await using here = await shell({ ...EVEN, "baseline.json": text });
    const { code, stderr } = await run(here, ["--baseline", "baseline.json"]);
    expect(code).toBe(3);
    expect(stderr).toContain(says);
  });
});

describe("under --untrusted a commit accepts none of its own faults", () => {
  async function checkout() {
    const here = await shell({ ...Object.fromEntries(Object.entries(SKEWED).map(([file, text]) => [`checkout/${file}`, text])) });
    return { here, cwd: join(here.path, "checkout") };
  }

  it("waivers beside the fleet do not count, and the report says so", async () => {
    const { here, cwd } = await checkout();
    await here.write({ "checkout/waivers.yaml": "broken: [" });
    const { code, stdout } = await run(here, ["--untrusted"], { cwd });
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toContain("--untrusted: `waivers.yaml` does not count; name waivers outside the checkout with --waivers");
    await here[Symbol.asyncDispose]();
  });

  it.each(["--waivers", "--baseline", "--write-baseline"])("%s is refused for a file in the checkout, for a link out of it and for one into it", async (flag) => {
    const { here, cwd } = await checkout();
    await here.write({ "base/accepted.yaml": waivers([]), "checkout/inside.yaml": waivers([]) });
    await mkdir(join(here.path, "links"));
    await symlink("../base/accepted.yaml", join(cwd, "out.yaml"));
    await symlink("../checkout/inside.yaml", join(here.path, "links/in.yaml"));
    for (const file of ["inside.yaml", "./inside.yaml", "not-there.yaml", "out.yaml", "../links/in.yaml", "../checkout/inside.yaml"]) {
      const { code, stdout, stderr } = await run(here, ["--untrusted", flag, file], { cwd });
      expect([code, stdout, stderr.split("\n")[0]]).toEqual([3, "", `error[usage]: --untrusted: \`${flag} ${file}\` lies in the checkout, where a commit could accept its own faults`]);
    }
    await here[Symbol.asyncDispose]();
  });

  it("files outside the checkout that a flag names count", async () => {
    const { here, cwd } = await checkout();
    await here.write({ "base/waivers.yaml": waivers([waiver({ subject: (await subjectIn(await shell(SKEWED))).subject })]) });
    expect((await run(here, ["--untrusted", "--waivers", "../base/waivers.yaml"], { cwd })).code).toBe(0);
    expect((await run(here, ["--untrusted", "--write-baseline", "../base/baseline.json"], { cwd })).code).toBe(1);
    expect((await run(here, ["--untrusted", "--baseline", "../base/baseline.json"], { cwd })).code).toBe(0);
    await here[Symbol.asyncDispose]();
  });

  it("a folder whose name starts with two dots is no way out", async () => {
    await using here = await shell({ ...SKEWED, "..hidden/w.yaml": waivers([]), "assertions/more.yaml": skew("more") });
    expect((await run(here, ["--untrusted", "--waivers", "..hidden/w.yaml"])).code).toBe(3);
  });
});
