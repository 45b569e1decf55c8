import { describe, expect, it } from "vitest";
import { EVEN, fleet, NOW, shell, SKEWED } from "./shell.ts";

/** A place whose weather is bad at some looks; the file counts them. `looks` has a letter for each: `b`ad or `g`ood. */
const weather = (looks: string) => ({
  "mine/weather/collector.js": `
    import { readFileSync, writeFileSync } from "node:fs";
    export default {
      name: "weather", summary: "s", provides: ["weather"],
      async *collect(cluster) {
        const file = new URL("../../looks", import.meta.url);
        const before = readFileSync(file, "utf8");
        writeFileSync(file, before + cluster.name + " ");
        const nth = before.split(" ").filter((name) => name === cluster.name).length;
        const bad = cluster.name === "eks" && ${JSON.stringify(looks)}[nth] === "b";
        yield { type: "fact", kind: "weather", cluster: cluster.name, subject: "sky", data: { bad }, source: { collector: "weather", locator: "/sky" } };
      },
    };`,
  "mine/always-fair/kind.js": `
    export default {
      name: "AlwaysFair", summary: "s", needs: () => [{ fact: "weather" }],
      *judge(spec, world) {
        for (const fact of world.facts("weather")) {
          yield { type: "judged", count: 1 };
          const words = { subject: fact.cluster, cause: "rain", message: "it rains", remedy: "wait", evidence: [{ cluster: fact.cluster, label: "sky", value: "grey", source: fact.source }] };
          if (fact.data.bad) yield { type: "finding", outcome: "fault", ...words };
        }
      },
    };`,
  "mine/always-fair/schema.json": '{"type":"object","additionalProperties":false,"properties":{}}',
  "mine/always-fair/README.md": "# AlwaysFair\n",
  looks: "",
  "assertions/mesh.yaml": "{apiVersion: cloud-assert/v1, kind: AlwaysFair, metadata: {name: fair}}",
  "assert.yaml": fleet("eks", "gke"),
});

const RUN = ["run", "--plugin", "mine", "-o", "json", ...NOW];

describe("--confirm", { timeout: 60_000 }, () => {
  const cases: readonly { readonly claim: string; readonly looks: string; readonly times: number; readonly code: number; readonly says: string | undefined; readonly visits: string }[] = [
    { claim: "without it one look decides", looks: "bg", times: 0, code: 1, says: "it rains", visits: "eks gke " },
    { claim: "what every look shows is violated: 1", looks: "bbb", times: 2, code: 1, says: "it rains", visits: "eks gke eks eks " },
    { claim: "what only the first look shows is information: 0", looks: "bgg", times: 2, code: 0, says: "seen in the first of 3 looks and not since: it rains", visits: "eks gke eks eks " },
    { claim: "what comes and goes is undecided: 2", looks: "bgb", times: 2, code: 2, says: "seen in 2 of 3 looks: it rains", visits: "eks gke eks eks " },
    { claim: "where nothing is wrong nothing is looked at again", looks: "gbb", times: 2, code: 0, says: undefined, visits: "eks gke " },
  ];
  it.each(cases)("$claim", async ({ looks, times, code, says, visits }) => {
    await using here = await shell({ ...EVEN, ...weather(looks) });
    const ended = await here.assert(...RUN, "--confirm", String(times), "--concurrency", "1");
    expect(ended).toMatchObject({ code, stderr: "" });
    const { results } = JSON.parse(ended.stdout) as { results: { findings: { message: string }[] }[] };
    expect(results[0]?.findings.map(({ message }) => message)).toEqual(says === undefined ? [] : [says]);
    expect(await here.read("looks")).toBe(visits);
  });

  it("changes nothing in a report on a fleet that stands still", async () => {
    await using here = await shell(SKEWED);
    expect(await here.assert("run", "-o", "json", "--confirm", "2", ...NOW)).toEqual(await here.assert("run", "-o", "json", ...NOW));
  });
});

describe("--now", { timeout: 60_000 }, () => {
  it.each([
    ["2026-11-20", "2026-11-20T00:00:00Z"],
    ["2026-11-20T23:30:00-05:00", "2026-11-21T04:30:00Z"],
    ["2026-11-20T09:00:00.987Z", "2026-11-20T09:00:00Z"],
  ])("%s is the time of the run, in UTC and whole seconds: %s", async (now, time) => {
    await using here = await shell(EVEN);
    const { stdout } = await here.assert("run", "-o", "json", "--now", now);
    expect((JSON.parse(stdout) as { clusters: { takenAt: string }[] }).clusters.map(({ takenAt }) => takenAt)).toEqual([time, time]);
  });
});
