import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubernetesApi, Resource } from "#engine";
import { failure, folder, nameOf, namesIn, nodes, open, pagesOf, pods, routes } from "./support.ts";

type Files = Readonly<Record<string, string>>;

async function written(files: Files): Promise<string> {
  const dir = await folder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return dir;
}

const openDir = (dir: string, complete = false, namespaces?: readonly string[]) => open({ form: "manifests", dir, complete, namespaces });
const opened = async (files: Files, complete = false, namespaces?: readonly string[]) => openDir(await written(files), complete, namespaces);

/** `file:line name` of every item, the file without its folder. */
async function placesIn(api: KubernetesApi, resource: Resource): Promise<string[]> {
  return (await pagesOf(api, resource)).flatMap(({ items, source }) =>
    items.map((item) => {
      const { file = "", line } = source(item);
      return `${path.basename(file)}:${line} ${nameOf(item)}`;
    }),
  );
}

const yaml = (name: string, more = "") => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: a\n${more}`;
const route = (name: string, version = "v1") => `apiVersion: mesh.example/${version}\nkind: Route\nmetadata: {name: ${name}, namespace: a}\n`;

describe("a folder of manifests", () => {
  const forms: readonly { readonly name: string; readonly files: Files; readonly places: readonly string[] }[] = [
    { name: "one document", files: { "a.yaml": yaml("x") }, places: ["a.yaml:1 x"] },
    { name: "several documents, with comments and empty ones between", files: { "a.yml": `# first\n${yaml("x")}---\n---\n# second\n${yaml("z")}` }, places: ["a.yml:2 x", "a.yml:10 z"] },
    { name: "JSON", files: { "a.json": `\n{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "a"}}` }, places: ["a.json:2 x"] },
    { name: "a List, each item at its own line", files: { "a.yaml": `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: x, namespace: a}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: z, namespace: a}\n` }, places: ["a.yaml:4 x", "a.yaml:7 z"] },
    { name: "a PodList, whose items leave out what the list says", files: { "a.yaml": `apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: x, namespace: a}\n` }, places: ["a.yaml:4 x"] },
    { name: "a PodList as JSON", files: { "a.json": `{"apiVersion": "v1", "kind": "PodList", "items": [\n{"metadata": {"name": "x", "namespace": "a"}},\n{"metadata": {"name": "y", "namespace": "a"}}]}` }, places: ["a.json:2 x", "a.json:3 y"] },
    { name: "what `kubectl get -o yaml` prints", files: { "a.yaml": `apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    creationTimestamp: "2026-01-01T00:00:00Z"\n    name: x\n    namespace: a\n    resourceVersion: "7"\n  spec: {}\nkind: List\nmetadata:\n  resourceVersion: ""\n` }, places: ["a.yaml:3 x"] },
    { name: "several JSON objects one after the other", files: { "a.json": `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "a"}}\n{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "z", "namespace": "a"}}` }, places: ["a.json:1 x", "a.json:2 z"] },
    { name: "folders below it, and no other files", files: { "b/c/d.yaml": yaml("x"), "b/notes.txt": yaml("y"), "a.YAML": yaml("z"), ".git/e.yaml": yaml("w") }, places: ["d.yaml:1 x", "a.YAML:1 z"] },
    { name: "what is no Kubernetes object is passed over", files: { "values.yaml": "replicas: 3\nkind: 7\n", "list.yaml": "- a\n- b\n", "text.json": '"x"', "empty.yaml": "", "a.yaml": yaml("x") }, places: ["a.yaml:1 x"] },
    { name: "the same object twice is one", files: { "a.yaml": yaml("x"), "b.yaml": yaml("x") }, places: ["a.yaml:1 x"] },
    { name: "a byte order mark and Windows line ends", files: { "a.yaml": `\uFEFF${yaml("x").replaceAll("\n", "\r\n")}` }, places: ["a.yaml:1 x"] },
  ];
  for (const { name, files, places } of forms) it(`may hold ${name}`, async () => expect(await placesIn(await opened(files), pods)).toEqual(places));

  it("is sorted by namespace and name, whatever the files are called", async () => {
    const named = (name: string, namespace: string) => yaml(name).replace("namespace: a", `namespace: ${namespace}`);
    expect(await namesIn(await opened({ "1.yaml": named("b", "z"), "2.yaml": named("c", "a"), "3.yaml": named("a", "z") }), pods)).toEqual(["c", "a", "b"]);
  });

  it("comes in pages", async () => {
    const api = await opened({ "a.yaml": Array.from({ length: 1001 }, (_, index) => yaml(`p${index}`)).join("---\n") });
    expect((await pagesOf(api, pods)).map(({ items }) => items.length)).toEqual([500, 500, 1]);
  });

  it("says where an object was read, and in which version", async () => {
    const dir = await written({ "b/a.yaml": yaml("x").replace("  namespace", '  resourceVersion: "7"\n  namespace') });
    const [page] = await pagesOf(await openDir(dir), pods);
    const file = path.join(dir, "b", "a.yaml");
    expect(page?.source(page.items[0] ?? {})).toEqual({ locator: file, file, line: 1, resourceVersion: "7" });
  });

  it("may be one file", async () => expect(await namesIn(await openDir(path.join(await written({ "a.manifest": yaml("x") }), "a.manifest")), pods)).toEqual(["x"]));

  it("puts an object without a namespace where kubectl would", async () => {
    const api = await opened({ "a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n" });
    const [page] = await pagesOf(api, pods);
    expect(page?.items[0]?.metadata).toEqual({ name: "x", namespace: "default" });
    expect(await api.get(pods, "default", "x")).toMatchObject({ kind: "Pod" });
  });

  it("gives single objects, and lists only the namespaces that were named", async () => {
    const api = await opened({ "a.yaml": yaml("x"), "b.yaml": yaml("z").replace("namespace: a", "namespace: b"), "n.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: node}\n" }, false, ["b"]);
    expect(await namesIn(api, pods)).toEqual(["z"]);
    expect(await namesIn(api, nodes)).toEqual(["node"]);
    expect(await api.get(pods, "b", "z")).toMatchObject({ metadata: { name: "z" } });
    expect(await api.get(pods, "b", "none")).toBeUndefined();
  });

  it("holds no running things", async () => {
    const api = await opened({});
    expect(await Promise.all([api.serverVersion(), api.whoAmI(), api.may({ verb: "list", group: "", resource: "pods" })])).toEqual([undefined, undefined, true]);
    expect((await failure(api.podGet({ namespace: "a", name: "x" }, 1, "/", 1))).message).toContain("no running pods");
    expect((await failure(api.podExec({ namespace: "a", name: "x" }, "c", [], 1))).message).toContain("no running pods");
  });
});

describe("the version of the API server", () => {
  const kubectl = (version: string) => `clientVersion: {gitVersion: v1.35.0, gitCommit: a}\nserverVersion: {gitVersion: ${version}, gitCommit: b, major: "1"}\n`;
  it("is what kubectl printed, or the server itself, where somebody saved it", async () => {
    expect(await (await opened({ "pods.yaml": yaml("x"), "version.yaml": kubectl("v1.33.4-eks-1") })).serverVersion()).toBe("v1.33.4-eks-1");
    expect(await (await opened({ "version.json": '{"major":"1","minor":"33","gitVersion":"v1.33.6-gke.1","gitCommit":"c"}' })).serverVersion()).toBe("v1.33.6-gke.1");
    expect(await (await opened({ "values.yaml": "serverVersion: 1.33\ngitVersion: v1\n" })).serverVersion()).toBeUndefined();
  });

  it("is not two", async () => {
    const api = await opened({ "a.yaml": kubectl("v1.33.4"), "b.yaml": kubectl("v1.34.0") });
    expect((await failure(api.serverVersion())).message).toMatch(/holds versions of 2 API servers: `v1.33.4` in `.*a.yaml`, `v1.34.0` in `.*b.yaml`/);
  });
});

describe("a kind without an object", () => {
  const definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: routes.mesh.example}\n";
  const cases: readonly { readonly name: string; readonly files: Files; readonly complete: boolean; readonly unseen: boolean; readonly serves: boolean }[] = [
    { name: "is unseen", files: { "a.yaml": yaml("x") }, complete: false, unseen: true, serves: false },
    { name: "is none where the dump is whole", files: { "a.yaml": yaml("x") }, complete: true, unseen: false, serves: false },
    { name: "is served where its definition is there", files: { "a.yaml": definition }, complete: true, unseen: false, serves: true },
    { name: "is one that has an object", files: { "a.yaml": route("x") }, complete: false, unseen: false, serves: true },
    { name: "is not unseen for an object of another namespace", files: { "a.yaml": route("x").replace("namespace: a", "namespace: b") }, complete: false, unseen: false, serves: true },
  ];
  for (const { name, files, complete, unseen, serves } of cases) {
    it(name, async () => {
      const api = await opened(files, complete, ["a"]);
      expect([await api.unseen(routes), await api.serves(routes)]).toEqual([unseen, serves]);
    });
  }

  it("of Kubernetes itself is always served", async () => expect(await (await opened({})).serves(pods)).toBe(true));
});

describe("a folder that cannot be used is told:", () => {
  const faults: readonly { readonly name: string; readonly files: Files; readonly says: readonly string[]; readonly resource?: Resource }[] = [
    { name: "a file that is not YAML", files: { "a.yaml": yaml("x"), "b.yaml": "apiVersion: v1\nkind: {Pod\n" }, says: ["b.yaml:3:1`: not valid YAML"] },
    { name: "a template", files: { "t.yaml": "{{- if .Values.x }}\nkind: Pod\n{{- end }}\n" }, says: ["t.yaml:1:"] },
    { name: "a tab", files: { "t.yaml": "kind:\n\tPod\n" }, says: ["t.yaml:2:"] },
    { name: "half a JSON file", files: { "t.json": '{"kind":\n "Pod",' }, says: ["t.json:2:"] },
    { name: "one object twice, with both places", files: { "a.yaml": yaml("x"), "b.yaml": `# other\n${yaml("x", "spec: {a: 1}\n")}` }, says: ["Pod `a/x` is there twice", "a.yaml:1`", "b.yaml:2`"] },
    { name: "one object in two versions", files: { "a.yaml": route("x"), "b.yaml": route("x", "v1beta1") }, says: ["Route `a/x` is there twice"], resource: routes },
    { name: "a version that nobody knows", files: { "a.yaml": route("x", "v7") }, says: ["a.yaml:1", "version `v7`"], resource: routes },
    { name: "a name that YAML reads as a truth", files: { "a.yaml": yaml("y") }, says: ["a.yaml:1", "metadata.name that is not text"] },
    { name: "a namespace that is a number", files: { "a.yaml": yaml("x").replace("namespace: a", "namespace: 7") }, says: ["a.yaml:1", "metadata.namespace that is not text"] },
    { name: "an item of a List that has no kind", files: { "a.yaml": "apiVersion: v1\nkind: List\nitems:\n- metadata: {name: x}\n" }, says: ["a.yaml:4:3", "an item of a List is no Kubernetes object"] },
    { name: "an item that is no object", files: { "a.json": '{"apiVersion": "v1", "kind": "PodList",\n"items": [7]}' }, says: ["a.json:2:", "an item of a List"] },
    { name: "an alias bomb", files: { "a.yaml": `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefgh".split("").map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[index]}`).join()}]`).join("\n")}\n` }, says: ["a.yaml:"] },
    { name: "bytes that are no text", files: { "a.yaml": "\0\0\0" }, says: ["a.yaml:1:"] },
    { name: "an object without a name", files: { "a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n" }, says: ["a.yaml:1", "no metadata.name"] },
  ];
  for (const { name, files, says, resource = pods } of faults) {
    it(name, async () => {
      const error = await failure(pagesOf(await opened(files), resource));
      for (const words of says) expect(error.message).toContain(words);
      expect(error.remedy).not.toBe("");
    });
  }

  it("trouble with a kind that nobody asks for does no harm", async () => {
    expect(await namesIn(await opened({ "a.yaml": yaml("x"), "b.yaml": `${route("r")}---\n${route("r", "v7")}` }), pods)).toEqual(["x"]);
  });

  it("a folder that does not exist", async () => expect((await failure(pagesOf(await openDir("/nowhere/x"), pods))).message).toContain("`/nowhere/x` does not exist"));

  it("the end of the run", async () => {
    const ending = new AbortController();
    const api = await open({ form: "manifests", dir: await written({ "a.yaml": yaml("x") }), complete: false }, { signal: ending.signal });
    ending.abort();
    expect((await failure(pagesOf(api, pods))).message).toContain("the run ended");
  });
});

describe("links", () => {
  it("out of the folder are an error, to a file or to a folder", async () => {
    const outside = await written({ "secret.yaml": yaml("hidden") });
    for (const target of [outside, path.join(outside, "secret.yaml")]) {
      const dir = await written({});
      await symlink(target, path.join(dir, "link.yaml"));
      expect((await failure(pagesOf(await openDir(dir), pods))).message).toContain("link.yaml` is a link out of the folder");
    }
  });

  it("inside it are read once, as in a mounted ConfigMap; loops and broken ones do no harm", async () => {
    const dir = await written({ "..2026/a.yaml": yaml("x") });
    await symlink("..2026", path.join(dir, "..data"));
    await symlink("..data/a.yaml", path.join(dir, "a.yaml"));
    await symlink(".", path.join(dir, "loop"));
    await symlink("nothing", path.join(dir, "broken.yaml"));
    expect(await namesIn(await openDir(dir), pods)).toEqual(["x"]);
  });

  it("that give a file the name of a manifest are followed", async () => {
    const dir = await written({ "data/x": yaml("x") });
    await symlink("data/x", path.join(dir, "a.yaml"));
    expect(await placesIn(await openDir(dir), pods)).toEqual(["a.yaml:1 x"]);
  });

  it("to the folder itself is followed", async () => {
    const dir = await written({ "real/a.yaml": yaml("x") });
    await symlink("real", path.join(dir, "link"));
    expect(await namesIn(await openDir(path.join(dir, "link")), pods)).toEqual(["x"]);
  });
});

describe("laws", () => {
  it("objects are the same however they are spread over files and lists", async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(names, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), async (all, isListed) => {
        const objects = all.map((name) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "a" } }));
        const files = Object.fromEntries(objects.map((object, index) => [`${index}.json`, JSON.stringify(isListed[index] ? { apiVersion: "v1", kind: "List", items: [object] } : object)]));
        expect(await namesIn(await opened(files), pods)).toEqual([...all].sort());
      }),
      { numRuns: 15 },
    );
  });
});
