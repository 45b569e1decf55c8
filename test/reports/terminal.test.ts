import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import type { RenderOptions } from "../../reports/index.ts";
import terminal from "../../reports/terminal.ts";
import { ACCEPTED, clusterIn, findingIn, fullReport, gapIn, reportIn, resultIn } from "../support/report.ts";

const render = (report: Report, looks: Partial<RenderOptions> = {}) => terminal.render(report, { width: 80, color: false, all: false, exitCode: 0, ...looks });
const first = (report: Report) => render(report).split("\n")[0];
/** The lines about one assertion, without its title. */
const about = (assertion: string, text: string) => (text.split("\n\n").find((block) => block.slice(2).startsWith(assertion)) ?? "").split("\n").slice(2);

describe("the first line", () => {
  const rows: readonly (readonly [claim: string, report: Report, line: string])[] = [
    ["one that holds", reportIn([resultIn("a", "holds")]), "✓ HOLDS  the assertion holds"],
    ["all that hold", reportIn([resultIn("a", "holds"), resultIn("b", "holds")]), "✓ HOLDS  all 2 assertions hold"],
    ["one that is violated", reportIn([resultIn("a", "violated")]), "✗ VIOLATED  the assertion is violated"],
    ["all that are undecided", reportIn([resultIn("a", "undecided"), resultIn("b", "undecided")]), "? UNDECIDED  all 2 assertions are undecided"],
    ["one of each: the worst comes first", reportIn([resultIn("a", "holds"), resultIn("b", "undecided"), resultIn("c", "violated")]), "✗ VIOLATED  1 of 3 assertions is violated, 1 is undecided, 1 holds"],
    ["several of each", reportIn(["holds", "holds", "undecided", "undecided"].map((verdict) => resultIn(verdict, verdict === "holds" ? "holds" : "undecided"))), "? UNDECIDED  2 of 4 assertions are undecided, 2 hold"],
    ["a warning that fails: the run holds, and why", reportIn([resultIn("a", "violated", { severity: "warning" }), resultIn("b", "holds")]), "✓ HOLDS  1 of 2 assertions is violated, 1 holds; none of severity error fails"],
    ["nothing at all", reportIn([]), "✓ HOLDS  nothing was judged"],
  ];
  it.each(rows)("%s", (_, report, line) => expect(first(report)).toBe(line));
});

describe("the last lines", () => {
  it("count the verdicts that there are, and say what the exit code means", () => {
    const lines = (report: Report, exitCode: number) => render(report, { exitCode }).trimEnd().split("\n").slice(-2);
    expect(lines(reportIn([resultIn("a", "holds"), resultIn("b", "violated")]), 1)).toEqual(["2 assertions: 1 violated, 1 holds", "exit code 1: at least one assertion of severity error is violated"]);
    expect(lines(reportIn([resultIn("a", "undecided")]), 2)).toEqual(["1 assertion: 1 undecided", "exit code 2: nothing of severity error is violated, but not everything could be decided"]);
    expect(lines(reportIn([resultIn("a", "holds"), resultIn("b", "holds")]), 0)).toEqual(["2 assertions: 2 hold", "exit code 0: everything of severity error holds"]);
  });
});

describe("the clusters", () => {
  it("are a table; those that were not reached stand first and say so", () => {
    const clusters = [clusterIn("a-long-name"), clusterIn("eks", { cloud: undefined, region: undefined, reachable: false }), { name: "gke", identity: {}, reachable: false }];
    expect(render(reportIn([], { clusters })).split("\n\n")[1]).toBe(
      [
        "3 clusters",
        "  eks          -    -          NOT REACHED 2026-11-20T09:00:00Z",
        "  gke          -    -          not seen: no snapshot",
        "  a-long-name  aws  eu-west-1  seen 2026-11-20T09:00:00Z",
      ].join("\n"),
    );
  });

  it("of a large fleet are not all shown, but all that were not reached, and -v shows the rest", () => {
    const clusters = Array.from({ length: 200 }, (_, index) => clusterIn(`c${index}`, { reachable: index !== 199 }));
    const block = render(reportIn([], { clusters })).split("\n\n")[1]?.split("\n") ?? [];
    expect(block[0]).toBe("200 clusters");
    expect(block[1]).toContain("c199");
    expect(block.at(-1)).toBe("  … and 170 more clusters (-v shows all)");
    expect(render(reportIn([], { clusters }), { all: true }).split("\n\n")[1]?.split("\n")).toHaveLength(201);
  });
});

describe("one assertion", () => {
  it("is told whole: the claim, what was judged, what is wrong, what was not seen, what is accepted, what is assumed", () => {
    expect(render(fullReport(), { width: 100, exitCode: 1 })).toBe(`✗ VIOLATED  1 of 3 assertions is violated, 1 is undecided, 1 holds

note: the built-in suite was used

3 clusters
  gke  aws  eu-west-1  NOT REACHED 2026-11-20T09:00:00Z
  aks  -    -          not seen: no snapshot
  eks  aws  eu-west-1  seen 2026-11-20T09:00:00Z

✗ close-together  violated
  EnvoyVersionSkew, assertions/mesh.yaml:3; 11 proxies judged in 2 clusters
  ✗ one proxy lags
      eks  this one  value of one proxy lags  /api/v1/pods
      help: repair one proxy lags
  ~ another proxy lags
      accepted by mesh-team until 2027-01-31: known since spring
      eks  this one  value of another proxy lags  /api/v1/pods
  ? one proxy is odd
      eks  this one  value of one proxy is odd  /api/v1/pods
      help: repair one proxy is odd
  ? not seen in eks: pods are hidden
      help: see pods are hidden
  ~ not seen in eks, nodes: nodes are hidden
      accepted by mesh-team until 2027-01-31: known since spring
  ? no cluster is selected
      help: see no cluster is selected
  i two builds count as equal
  assumes: the build carries its upstream release (\`eks\`)

? open-question  undecided (warning: never fails the run)
  EnvoyVersionSkew, assertions/mesh.yaml:3; 11 proxies judged in 2 clusters
  ? not seen in eks: the server is silent
      help: see the server is silent

✓ quiet-claim  holds (info: never fails the run)
  EnvoyVersionSkew, assertions/mesh.yaml:3; 11 proxies judged in 2 clusters
  1 more observation (-v shows it)

3 assertions: 1 violated, 1 undecided, 1 holds
exit code 1: at least one assertion of severity error is violated
`);
  });

  it("stands before those that are less urgent: violated, undecided, holds; in each errors before warnings before information", () => {
    const verdicts = ["holds", "undecided", "violated"] as const;
    const severities = ["info", "warning", "error"] as const;
    const results = verdicts.flatMap((verdict) => severities.map((severity) => resultIn(`${verdict}-${severity}`, verdict, { severity })));
    const titles = render(reportIn(results)).match(/^[✓✗?] \S+-\S+/gm)?.map((title) => title.slice(2));
    expect(titles).toEqual(verdicts.toReversed().flatMap((verdict) => severities.toReversed().map((severity) => `${verdict}-${severity}`)));
  });

  it("says what was judged in the words of its kind, large numbers as people read them", () => {
    const coverage = { clusters: 1, facts: 3, judged: 12_345, of: "routes" };
    expect(render(reportIn([resultIn("a", "holds", { coverage })]))).toContain("; 12,345 routes judged in 1 cluster\n");
  });

  it("does not repeat the cluster where the subject of a gap begins with it", () => {
    const gaps = [gapIn("x", { subject: "eks/images without a release" })];
    expect(about("a", render(reportIn([resultIn("a", "undecided", { gaps })])))[0]).toBe("  ? not seen in eks: x");
  });

  it("keeps the cluster and the subject of a gap where they say different things, a name that only begins alike too", () => {
    const gaps = [gapIn("x", { subject: "eks-2/pods" })];
    expect(about("a", render(reportIn([resultIn("a", "undecided", { gaps })])))[0]).toBe("  ? not seen in eks, eks-2/pods: x");
  });

  it("shows with -v what a waiver needs, and the evidence of what is only worth knowing", () => {
    const findings = [findingIn("fault", "bad"), findingIn("info", "odd")];
    expect(about("a", render(reportIn([resultIn("a", "violated", { findings, gaps: [gapIn("dark")] })]), { all: true }))).toEqual([
      "  ✗ bad",
      "      eks  this one  value of bad  /api/v1/pods",
      "      help: repair bad",
      "      subject: eks/bad",
      "      fingerprint: 0123456789abcdef0123456789abcdef",
      "  ? not seen in eks: dark",
      "      help: see dark",
      "      subject: eks",
      "      fingerprint: fedcba9876543210fedcba9876543210",
      "  i odd",
      "      eks  this one  value of odd  /api/v1/pods",
      "      help: repair odd",
      "      subject: eks/odd",
      "      fingerprint: 0123456789abcdef0123456789abcdef",
    ]);
  });

  it("cuts long lists, says how much is left and how to see it; one line more is not worth a cut", () => {
    const findings = (number: number) => Array.from({ length: number }, (_, index) => findingIn("fault", `f${index}`, { evidence: [] }));
    const shown = (number: number, all = false) => about("a", render(reportIn([resultIn("a", "violated", { findings: findings(number) })]), { all })).filter((line) => /^ {2}[✗…]/.test(line));
    expect(shown(11)).toEqual(Array.from({ length: 11 }, (_, index) => `  ✗ f${index}`));
    expect(shown(12)).toHaveLength(11);
    expect(shown(12).at(-1)).toBe("  … and 2 more findings (-v shows all)");
    expect(shown(12, true)).toHaveLength(12);
    expect(shown(1012).at(-1)).toBe("  … and 1,002 more findings (-v shows all)");
  });

  it("cuts the evidence of one finding in the same way", () => {
    const evidence = Array.from({ length: 9 }, (_, index) => ({ cluster: "eks", label: "pod", value: `p${index}`, source: { collector: "k", locator: "/x" } }));
    const lines = about("a", render(reportIn([resultIn("a", "violated", { findings: [findingIn("fault", "bad", { evidence })] })])));
    expect(lines.filter((line) => line.includes("  pod  "))).toHaveLength(6);
    expect(lines).toContain("      … and 3 more pieces of evidence (-v shows all)");
  });

  it("puts the source below the evidence where the line would be too long, and file and line before the locator", () => {
    const evidence = (value: string) => [{ cluster: "eks", label: "pod", value, source: { collector: "k", locator: "/x", file: "dumps/pods.yaml", line: 12 } }];
    const lines = (value: string) => about("a", render(reportIn([resultIn("a", "violated", { findings: [findingIn("fault", "bad", { evidence: evidence(value) })] })])));
    const room = 80 - "      eks  pod  ".length - "  dumps/pods.yaml:12".length;
    expect(lines("v".repeat(room))[1]).toBe(`      eks  pod  ${"v".repeat(room)}  dumps/pods.yaml:12`);
    expect(lines("v".repeat(room + 1)).slice(1, 3)).toEqual([`      eks  pod  ${"v".repeat(room + 1)}`, "        dumps/pods.yaml:12"]);
  });

  it("shows an accepted finding as accepted: by whom, until when, why, and without a remedy", () => {
    const lines = about("a", render(reportIn([resultIn("a", "holds", { findings: [findingIn("fault", "bad", { waived: ACCEPTED, evidence: [] })] })])));
    expect(lines).toEqual(["  ~ bad", "      accepted by mesh-team until 2027-01-31: known since spring"]);
  });
});
