import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readContexts } from "../../../clients/kubernetes/index.ts";
import { contextOf, loadKubeconfig } from "../../../clients/kubernetes/kubeconfig.ts";
import { failure, folder } from "./support.ts";

interface Small {
  readonly clusters?: Readonly<Record<string, object>>;
  readonly users?: Readonly<Record<string, object>>;
  readonly contexts?: Readonly<Record<string, object>>;
  readonly current?: string;
}

const named = (entries: Readonly<Record<string, object>> | undefined, field: string) => Object.entries(entries ?? {}).map(([name, value]) => ({ name, [field]: value }));

function config({ clusters, users, contexts, current }: Small): string {
  return JSON.stringify({
    clusters: named(clusters, "cluster"),
    users: named(users, "user"),
    contexts: named(contexts, "context"),
    ...(current === undefined ? {} : { "current-context": current }),
  });
}

async function files(...configs: readonly (Small | string)[]): Promise<{ readonly dir: string; readonly list: readonly string[] }> {
  const dir = await folder();
  const list = configs.map((_, index) => path.join(dir, `${index}`, "config"));
  for (const [index, content] of configs.entries()) {
    await mkdir(path.join(dir, `${index}`));
    await writeFile(path.join(dir, `${index}`, "config"), typeof content === "string" ? content : config(content));
  }
  return { dir, list };
}

const load = (list: readonly string[]) => loadKubeconfig(undefined, { env: { KUBECONFIG: list.join(path.delimiter) }, home: "/nowhere" });

describe("several kubeconfig files", () => {
  it("for each name the first file wins, whole", async () => {
    const { list } = await files(
      { clusters: { c: { server: "https://first" } }, users: { u: { token: "first" } }, contexts: { x: { cluster: "c", user: "u" } } },
      { clusters: { c: { server: "https://second", "proxy-url": "http://p" } }, users: { u: { token: "second", username: "n" } }, contexts: { x: { cluster: "c" }, y: { cluster: "c", user: "u" } } },
    );
    const found = contextOf(await load(list), "y");
    expect(found.cluster).toMatchObject({ server: "https://first", proxyUrl: undefined });
    expect(found.user).toMatchObject({ token: "first", username: undefined });
  });

  it("the first current-context wins, also over files without one", async () => {
    const { list } = await files({ clusters: { c: { server: "https://s" } } }, { contexts: { a: { cluster: "c" } }, current: "a" }, { contexts: { b: { cluster: "c" } }, current: "b" });
    expect(contextOf(await load(list), undefined).name).toBe("a");
  });

  it("missing and empty files are skipped", async () => {
    const { dir, list } = await files("", { clusters: { c: { server: "https://s" } }, contexts: { x: { cluster: "c" } }, current: "x" });
    expect(contextOf(await load([path.join(dir, "none"), "", ...list]), undefined).cluster.server).toBe("https://s");
  });

  it("a context may lead to a cluster and a user of other files", async () => {
    const { list } = await files({ contexts: { x: { cluster: "c", user: "u" } } }, { clusters: { c: { server: "https://s" } } }, { users: { u: { token: "t" } } });
    expect(contextOf(await load(list), "x")).toMatchObject({ cluster: { server: "https://s" }, user: { token: "t" } });
  });

  it("relative paths start at the file that holds them", async () => {
    const { dir, list } = await files(
      { clusters: { c: { server: "https://s", "certificate-authority": "ca.pem" } }, contexts: { x: { cluster: "c", user: "u" } } },
      { users: { u: { "client-certificate": "../u.pem", "client-key": "/abs/u.key", tokenFile: "t", exec: { apiVersion: "v", command: "./login" } } } },
    );
    const { cluster, user } = contextOf(await load(list), "x");
    expect(cluster.ca).toEqual({ file: path.join(dir, "0", "ca.pem") });
    expect(user).toMatchObject({ certificate: { file: path.join(dir, "u.pem") }, key: { file: "/abs/u.key" }, tokenFile: path.join(dir, "1", "t"), exec: { command: path.join(dir, "1", "login") } });
  });

  it("a command without a folder is looked up in PATH, and contents win over a path", async () => {
    const { list } = await files({
      clusters: { c: { server: "https://s", "certificate-authority": "ca.pem", "certificate-authority-data": "QQ==" } },
      users: { u: { exec: { apiVersion: "v", command: "aws" } } },
      contexts: { x: { cluster: "c", user: "u" } },
    });
    const { cluster, user } = contextOf(await load(list), "x");
    expect(cluster.ca).toEqual({ data: "QQ==" });
    expect(user?.exec?.command).toBe("aws");
  });

  it("words mean what they mean to kubectl", async () => {
    const { list } = await files("clusters: [{name: c, cluster: {server: 'https://first', server: 'https://s', insecure-skip-tls-verify: yes}}]\ncontexts: [{name: x, context: {cluster: c}}]\n");
    expect(contextOf(await load(list), "x").cluster).toMatchObject({ server: "https://s", insecure: true });
  });

  it("without KUBECONFIG it is ~/.kube/config", async () => {
    const home = await folder();
    await mkdir(path.join(home, ".kube"));
    await writeFile(path.join(home, ".kube", "config"), config({ contexts: { x: { cluster: "c" } } }));
    expect([...(await loadKubeconfig(undefined, { env: { KUBECONFIG: "" }, home })).contexts.keys()]).toEqual(["x"]);
    expect([...(await loadKubeconfig("~/.kube/config", { env: {}, home })).contexts.keys()]).toEqual(["x"]);
  });
});

describe("readContexts", () => {
  it("lists contexts sorted by name, without anything secret", async () => {
    const { list } = await files({
      clusters: { c: { server: "https://user:hunter2@s.example:6443/k8s" } },
      users: { u: { token: "hunter2" } },
      contexts: { b: { cluster: "c", user: "u", namespace: "shop" }, a: { cluster: "gone" } },
      current: "b",
    });
    const found = await readContexts(list[0], { env: {}, home: "/nowhere" });
    expect(found).toEqual([
      { name: "a", cluster: "gone", user: undefined, namespace: undefined, server: undefined, file: list[0], current: false },
      { name: "b", cluster: "c", user: "u", namespace: "shop", server: "https://s.example:6443/k8s", file: list[0], current: true },
    ]);
  });
});

const whole = { clusters: { c: { server: "https://s" } }, users: { u: {} }, contexts: { x: { cluster: "c", user: "u" } } };
const broken: readonly { readonly name: string; readonly content: Small | string; readonly context?: string; readonly says: string }[] = [
  { name: "an unknown context, with those there are", content: whole, context: "y", says: "unknown context `y`" },
  { name: "no current-context", content: whole, says: "no current-context" },
  { name: "a context whose user is nowhere", content: { ...whole, users: {} }, context: "x", says: "names the user `u`, which no kubeconfig defines" },
  { name: "a context whose cluster is nowhere", content: { ...whole, clusters: {} }, context: "x", says: "names the cluster `c`, which no kubeconfig defines" },
  { name: "a context without a cluster", content: { contexts: { x: {} } }, context: "x", says: "names no cluster" },
  { name: "a cluster without a server", content: { ...whole, clusters: { c: {} } }, context: "x", says: "a cluster `c` without `server`" },
  { name: "a token that YAML reads as a number", content: { ...whole, users: { u: { token: 12345 } } }, context: "x", says: "`token` that is not text" },
  { name: "an exec without a command", content: { ...whole, users: { u: { exec: { apiVersion: "v" } } } }, context: "x", says: "without `command`" },
  { name: "text that is not YAML, by its place alone", content: "users:\n- token: {hunter2\n", says: "not valid YAML at line" },
  { name: "a list where a mapping belongs", content: "- a\n", says: "not a kubeconfig" },
  { name: "a word where a list belongs", content: "users: hunter2\n", says: "`users` that is not a list" },
  { name: "groups to impersonate without a user", content: { ...whole, users: { u: { "as-groups": ["hunter2"] } } }, context: "x", says: "without a user (`as`)" },
  { name: "an alias bomb", content: `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefgh".split("").map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[index]}`).join()}]`).join("\n")}\n`, says: "not valid YAML at line" },
  { name: "one name twice", content: "users: [{name: a, user: {}}, {name: a, user: {}}]", says: "names `a` twice" },
  { name: "an entry without a name", content: "users: [{user: {token: hunter2}}]", says: "no name for entry 1 of `users`" },
];

describe("a kubeconfig that cannot be used is told:", () => {
  for (const { name, content, context, says } of broken) {
    it(name, async () => {
      const { list } = await files(content);
      const error = await failure(load(list).then((found) => contextOf(found, context)));
      expect(error.message).toContain(says);
      expect(error.remedy).not.toBe("");
      expect(error.unreachable).toBe(true);
      expect(`${error.message} ${error.remedy}`).not.toContain("hunter2");
    });
  }

  it("no file at all, with the files that were looked for", async () => {
    const error = await failure(load(["/nowhere/a", "/nowhere/b"]));
    expect(error.message).toContain("`/nowhere/a`, `/nowhere/b`");
  });

  it("a folder where a file is expected", async () => {
    expect((await failure(load([await folder()]))).message).toContain("is a folder, not a file");
  });

  it("a file that cannot be read", async () => {
    const loop = path.join(await folder(), "loop");
    await symlink(loop, loop);
    expect((await failure(load([loop]))).message).toContain("cannot be read (ELOOP)");
  });
});
