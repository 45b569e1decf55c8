import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "#engine";
import { root } from "../support/room.ts";
import { fleet, NOW, shell } from "./shell.ts";

/** Blocks of YAML in a page that hold assertions, as a reader would copy them. */
async function blocksOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(root, page), "utf8");
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = ""]) => block).filter((block) => block.includes("apiVersion: cloud-assert/v1"));
}

const object = (apiVersion: string, kind: string, name: string, namespace: string, more: object) => ({ apiVersion, kind, metadata: { name, namespace, labels: { app: name, exposure: "public" } }, ...more });
const deployment = (name: string, namespace: string, spec: object) => object("apps/v1", "Deployment", name, namespace, { spec });
const gateway = (name: string, ...hosts: readonly string[]) => object("networking.istio.io/v1", "Gateway", "public", "istio-ingress", { spec: { servers: [{ name, hosts, port: { number: 443, name: "https", protocol: "HTTPS" } }] } });
const mesh = (mode: string) => object("v1", "ConfigMap", "istio", "istio-system", { data: { mesh: `accessLogFile: /dev/stdout\noutboundTrafficPolicy:\n  mode: ${mode}\n` } });
const release = (tag: string) => deployment("cart", "shop", { template: { spec: { containers: [{ name: "app", image: `shop/cart:${tag}` }] } } });
const budget = (app: string) => object("policy/v1", "PodDisruptionBudget", app, "shop", { spec: { selector: { matchLabels: { app } } } });
const mtls = (mode: string) => object("security.istio.io/v1", "PeerAuthentication", "default", "istio-system", { spec: { mtls: { mode } } });

/** For each rule of the pages: what the second of two clusters holds where it is true, and where it is not. The first always holds the former. */
const PAGES: Readonly<Record<string, Readonly<Record<string, readonly [good: readonly object[], bad: readonly object[]]>>>> = {
  "docs/rules-of-your-own.md": {
    "mutual-tls": [[mtls("STRICT")], [mtls("PERMISSIVE")]],
    "public-gateways": [[gateway("a", "a.example", "b.example")], [gateway("a", "a.example")]],
    "gateways-have-replicas": [[deployment("public", "istio-ingress", { replicas: 2 })], [deployment("public", "istio-ingress", { replicas: 1 })]],
    "outbound-traffic-is-registered": [[mesh("REGISTRY_ONLY")], [mesh("ALLOW_ANY")]],
    "one-release-of-the-shop": [[release("7")], [release("8")]],
    "budgets-for-disruptions": [[release("7"), budget("cart")], [release("7"), budget("web")]],
  },
  "kinds/expression/README.md": { "strict-mtls": [[mtls("STRICT")], [mtls("PERMISSIVE")]] },
  "kinds/objects-agree/README.md": { "mutual-tls": [[mtls("STRICT")], [mtls("DISABLE")]] },
};

describe("rules of one's own, as the pages show them", { timeout: 60_000 }, () => {
  for (const [page, rules] of Object.entries(PAGES)) {
    it(`are all tried here: ${page}`, async () => {
      const names = [...(await blocksOf(page)).join("\n").matchAll(/^metadata: \{ name: ([\w-]+) \}$/gm)].map(([, name]) => name);
      expect(names).toEqual(Object.keys(rules));
    });

    for (const [name, [good, bad]] of Object.entries(rules)) {
      it(`${page}: \`${name}\` holds where it should, and is violated where it should be`, async () => {
        const list = (items: readonly object[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });
        const block = (await blocksOf(page)).find((each) => each.includes(`name: ${name} }`)) ?? "";
        await using here = await shell({ "assert.yaml": fleet("eks", "gke"), "assertions/mine.yaml": block, "clusters/eks/objects.json": list(good), "clusters/gke/objects.json": list(good) });
        const verdict = async () => {
          const { stdout, stderr } = await here.assert("run", "--only", name, "-o", "json", ...NOW);
          expect(stderr).toBe("");
          return (JSON.parse(stdout) as Report).results.map((result) => [result.assertion, result.verdict]);
        };
        expect(await verdict()).toEqual([[name, "holds"]]);
        await here.write({ "clusters/gke/objects.json": list(bad) });
        expect(await verdict()).toEqual([[name, "violated"]]);
      });
    }
  }

  it("say mutual TLS parity in six lines, which do in the worlds of the library what is expected there", async () => {
    const [block = ""] = await blocksOf("docs/rules-of-your-own.md");
    expect(block.trimEnd().split("\n")).toHaveLength(6);
    const library = await readFile(join(root, "assertions/library/mutual-tls.yaml"), "utf8");
    expect(library.trimEnd().split("\n")).toHaveLength(6);
    await using here = await shell({ "mutual-tls.yaml": block });
    for (const verdict of ["holds", "violated"]) {
      const world = join(root, "fixtures/library/mutual-tls", verdict);
      const fleetOf = fleet(...["aks", "eks", "gke"].map((name) => ({ name, kubernetes: { manifests: join(world, "clusters", name), complete: true } })));
      await here.write({ "assert.yaml": fleetOf });
      const { stdout } = await here.assert("run", "mutual-tls.yaml", "-o", "json", ...NOW);
      expect((JSON.parse(stdout) as Report).results.map((result) => result.verdict)).toEqual([verdict]);
    }
  });

  it("are tested as the page says", async () => {
    const page = await readFile(join(root, "docs/rules-of-your-own.md"), "utf8");
    const [expected = ""] = [...page.matchAll(/```yaml\n(uses:[\s\S]*?)```/g)].map(([, block = ""]) => block);
    const block = (await blocksOf("docs/rules-of-your-own.md")).find((each) => each.includes("name: gateways-have-replicas }")) ?? "";
    const world = (replicas: number) => JSON.stringify(deployment("public", "istio-ingress", { replicas }));
    await using here = await shell({ "assertions/gateways-have-replicas.yaml": block, "worlds/replicas/expected.yaml": expected, "worlds/replicas/clusters/eks/deployments.yaml": world(2), "worlds/replicas/clusters/gke/deployments.yaml": world(1) });
    expect(await here.assert("test", "worlds")).toMatchObject({ code: 0, stdout: expect.stringContaining("1 world: 1 as expected, 0 not") as string });
  });
});
