import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EVEN, SKEWED, fleet, LOUD, NOW, shell } from "./shell.ts";

/** What of a JSON report tells why a cluster was not seen. */
function gapsIn(stdout: string): readonly string[] {
  const { results } = JSON.parse(stdout) as { results: { gaps: { cluster: string; reason: string }[] }[] };
  return results.flatMap(({ gaps }) => gaps.map(({ cluster, reason }) => `${cluster}: ${reason}`));
}

const RUN = ["run", "-o", "json", ...NOW];

describe("--untrusted", { timeout: 60_000 }, () => {
  it("changes nothing for files that stay in their folder", async () => {
    await using here = await shell(EVEN);
    expect(await here.assert(...RUN, "--untrusted")).toEqual(await here.assert(...RUN));
  });

  it("a source that only a stranger's file names is a gap, and the rest is judged", async () => {
    await using outside = await shell({ "pods.json": EVEN["clusters/gke/pods.json"] });
    await using here = await shell({
      ...EVEN,
      "assert.yaml": fleet("eks", { name: "elsewhere", kubernetes: { manifests: outside.path } }, { name: "linked", kubernetes: { manifests: "link" } }, { name: "config", kubernetes: { kubeconfig: "~/.kube/config", context: "c" } }, { name: "server", kubernetes: { server: "https://127.0.0.1:1", tokenFile: "/etc/hostname" } }),
    });
    await symlink(outside.path, join(here.path, "link"));
    const { code, stdout, stderr } = await here.assert(...RUN, "--untrusted");
    expect([code, stderr]).toEqual([2, ""]);
    expect(gapsIn(stdout)).toEqual([
      "config: --untrusted: `kubeconfig` is not used, because only the file names it",
      `elsewhere: --untrusted: \`${outside.path}\` leads out of the folder of \`assert.yaml\``,
      "linked: --untrusted: `link` leads out of the folder of `assert.yaml`",
      "server: --untrusted: `server` with `tokenFile` is not used, because only the file names it",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ results: [{ coverage: { judged: 1 } }] });
  });

  it("no program of a kubeconfig is started, whoever named it; without the flag it is", async () => {
    await using here = await shell(EVEN);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "touch", args: [join(here.path, "started")], interactiveMode: "Never" };
    const config = { apiVersion: "v1", kind: "Config", clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }], users: [{ name: "u", user: { exec } }], contexts: [{ name: "prod", context: { cluster: "c", user: "u" } }] };
    await here.write({ "kube.json": JSON.stringify(config) });
    const words = [...RUN, "--kubeconfig", "kube.json", "--context", "prod"];
    const { code, stdout } = await here.assert(...words, "--untrusted");
    expect(code).toBe(2);
    expect(gapsIn(stdout)[0]).toMatch(/^prod: .*`touch`/);
    expect(existsSync(join(here.path, "started"))).toBe(false);

    await here.assert(...words);
    expect(existsSync(join(here.path, "started"))).toBe(true);
  });

  it("no code of the checkout is loaded, not through a link either: 3; from outside it is", async () => {
    await using outside = await shell(LOUD);
    await using here = await shell({ ...EVEN, ...LOUD });
    await symlink(join(here.path, "mine"), join(outside.path, "back"));
    for (const dir of ["mine", "./clusters/../mine", join(outside.path, "back"), "."]) {
      for (const command of [["run"], ["collect", "--out", "saved"], ["doctor"]]) {
        expect(await here.assert(...command, "--plugin", dir, "--untrusted")).toEqual({
          code: 3,
          stdout: "",
          stderr: `error[usage]: --untrusted: \`--plugin ${dir}\` lies in the checkout, and its code would be run\n  help: load plug-ins from a place that the commit cannot change\n`,
        });
      }
    }
    expect((await here.assert("run", "--untrusted", "--plugin", join(outside.path, "mine"))).code).toBe(0);
  });

  it("a fleet or an assertion that is a link out of the checkout is not read: 3", async () => {
    await using outside = await shell({ "secret.yaml": "password: [" });
    for (const name of ["assert.yaml", "assertions/more.yaml"]) {
      await using here = await shell(name === "assert.yaml" ? { "assertions/mesh.yaml": EVEN["assertions/mesh.yaml"] } : EVEN);
      await symlink(join(outside.path, "secret.yaml"), join(here.path, name));
      const { code, stdout, stderr } = await here.assert(...RUN, "--untrusted");
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(/^error\[untrusted\]: --untrusted: `assert/);
      expect(stderr).not.toContain("password");
    }
  });

  it("waivers of a checkout do not count: a `waivers.yaml` beside the fleet accepts nothing", async () => {
    await using here = await shell(SKEWED);
    const report: unknown = JSON.parse((await here.assert(...RUN)).stdout);
    const { results } = report as { readonly results: readonly { readonly findings: readonly { readonly fingerprint: string; readonly outcome: string }[] }[] };
    const faults = results.flatMap(({ findings }) => findings.filter(({ outcome }) => outcome === "fault"));
    const accepted = faults.map(({ fingerprint }) => ({ assertion: "close", fingerprint, reason: "r", owner: "o", expires: "2099-01-01" }));
    await here.write({ "waivers.yaml": JSON.stringify({ apiVersion: "cloud-assert/v1", kind: "Waivers", metadata: { name: "w" }, spec: { waivers: accepted } }) });
    expect((await here.assert(...RUN)).code).toBe(0);
    expect((await here.assert(...RUN, "--untrusted")).code).toBe(1);
  });
});
