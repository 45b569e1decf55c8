import { describe, expect, it } from "vitest";
import { main } from "../../cli/main.ts";
import { fakeTerminal } from "../support/terminal.ts";
import { BLIND, EVEN, fleet, NOW, pods, shell, SKEWED, skew } from "./shell.ts";

const lagging = { "shop/cart": "1.29.5", "shop/old": "1.29.2" };

describe("the exit code is the verdict over the assertions of severity error, whatever the output", { timeout: 60_000 }, () => {
  const worlds: readonly { readonly claim: string; readonly files: Readonly<Record<string, string>>; readonly code: number; readonly verdict: string }[] = [
    { claim: "everything holds: 0", files: EVEN, code: 0, verdict: "holds" },
    { claim: "one is violated: 1", files: SKEWED, code: 1, verdict: "violated" },
    { claim: "one is undecided: 2", files: BLIND, code: 2, verdict: "undecided" },
    {
      claim: "one is violated and another undecided: 1",
      files: {
        ...EVEN,
        "assertions/mesh.yaml": `${skew("close")}---\n${skew("elsewhere", { clusters: { names: ["eks"] }, components: ["waypoint"] })}`,
        "clusters/gke/pods.json": pods(lagging),
      },
      code: 1,
      verdict: "violated",
    },
    { claim: "a violated warning changes nothing: 0", files: { ...SKEWED, "assertions/mesh.yaml": skew("close", { severity: "warning" }) }, code: 0, verdict: "holds" },
    { claim: "an undecided information changes nothing: 0", files: { ...BLIND, "assertions/mesh.yaml": skew("close", { severity: "info" }) }, code: 0, verdict: "holds" },
    {
      claim: "a violated warning hides no undecided error: 2",
      files: { ...SKEWED, "assertions/mesh.yaml": `${skew("close", { severity: "warning" })}---\n${skew("none", { components: ["waypoint"] })}` },
      code: 2,
      verdict: "undecided",
    },
    { claim: "nothing to judge is no pass: 2", files: { ...EVEN, "assertions/mesh.yaml": skew("none", { components: ["waypoint"] }) }, code: 2, verdict: "undecided" },
    { claim: "nothing to judge, and that is allowed: 0", files: { ...EVEN, "assertions/mesh.yaml": skew("none", { components: ["waypoint"], allowEmpty: true }) }, code: 0, verdict: "holds" },
    { claim: "an assertion that selects no cluster is no pass: 2", files: { ...EVEN, "assertions/mesh.yaml": skew("none", { clusters: { matchLabels: { tier: "no" } } }) }, code: 2, verdict: "undecided" },
    { claim: "a cluster of which nothing can be read: 2", files: { ...EVEN, "assert.yaml": fleet("eks", { name: "gke" }) }, code: 2, verdict: "undecided" },
    { claim: "a folder of manifests that is not there is a gap of its cluster: 2", files: { ...EVEN, "assert.yaml": fleet("eks", "nowhere") }, code: 2, verdict: "undecided" },
  ];

  it.each(worlds)("$claim", async ({ files, code, verdict }) => {
    await using here = await shell(files);
    const terminal = await here.assert("run", ...NOW);
    expect(terminal).toMatchObject({ code, stderr: "" });
    expect(terminal.stdout).toContain(`exit code ${code}: `);
    expect(terminal.stdout).toContain(verdict.toUpperCase());

    const json = await here.assert("run", "-o", "json", ...NOW);
    expect(json).toMatchObject({ code, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "cloud-assert/report/v1", verdict });
  });
});

describe("what could not run ends with 3, says why on stderr and prints nothing", { timeout: 60_000 }, () => {
  it("no cluster is named anywhere: the contexts at hand and `assert init` are the way out", async () => {
    const context = (name: string) => ({ name, context: { cluster: "c", user: "u" } });
    const kubeconfig = { apiVersion: "v1", kind: "Config", clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }], users: [{ name: "u", user: {} }], contexts: [context("eks-prod"), context("gke-prod")] };
    await using here = await shell({ ".kube/config": JSON.stringify(kubeconfig) });
    expect(await here.assert("run")).toEqual({
      code: 3,
      stdout: "",
      stderr: "error[nothing-to-run]: no cluster is named, and there is no `assert.yaml` here\n  help: name clusters with --context (found: `eks-prod`, `gke-prod`), or let `assert init` write a first fleet file\n",
    });
  });

  it("no cluster is named, and there is no kubeconfig either", async () => {
    await using here = await shell();
    for (const command of ["run", "collect --out x", "doctor"]) {
      const { code, stdout, stderr } = await here.assert(...command.split(" "));
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(/^error\[nothing-to-run\]: no cluster is named, there is no `assert\.yaml` here, and no kubeconfig/);
      expect(stderr).toContain("`assert init`");
    }
  });

  it("a plug-in that breaks is named, and its stack is shown only with -v", async () => {
    const plugin = {
      "mine/broken/kind.js": "export default { name: 'Broken', summary: 's', needs: () => [], *judge() { throw new Error('inside') } };",
      "mine/broken/schema.json": '{"type":"object","additionalProperties":false,"properties":{}}',
      "mine/broken/README.md": "# Broken\n",
      "assertions/mesh.yaml": skew("x").replace("EnvoyVersionSkew", "Broken"),
    };
    await using here = await shell({ ...EVEN, ...plugin });
    const { code, stdout, stderr } = await here.assert("run", "--plugin", "mine");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^error\[plugin\]: the kind `Broken` failed: inside\n {2}help: /);
    expect(stderr).not.toContain("    at ");
  });

  it("a fault of our own is said to be one, with the stack for who asks for it", async () => {
    await using here = await shell(EVEN);
    const broken = () => {
      throw new TypeError("ours\u001b[31m\nand more");
    };
    const run = async (...words: readonly string[]) => {
      const terminal = fakeTerminal({ cwd: here.path, now: broken });
      return { code: await main(["run", ...words], terminal), ...terminal.said };
    };
    expect(await run()).toEqual({
      code: 3,
      stdout: "",
      stderr: "internal error: TypeError: ours\\x1b[31m\n  help: this is a fault of cloud-assert, not yours: run again with -v and report what it prints\n",
    });
    const { code, stderr } = await run("-v");
    expect(code).toBe(3);
    expect(stderr).toMatch(/^internal error: TypeError: ours\\x1b\[31m\n(?:.*\n)* {4}at .*exits\.test\.ts/);
  });
});
