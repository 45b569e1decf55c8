import { describe, expect, it } from "vitest";
import { compareMarkdown, COMPARE_MARKER } from "../../cli/routes/compare-markdown.ts";
import type { Compared } from "../../cli/routes/compare.ts";
import { HOSTILE } from "../reports/many.ts";
import { RAW } from "../support/escapes.ts";
import { shell } from "./shell.ts";

interface Rule {
  readonly prefix: string;
  readonly to: string;
  readonly timeout?: string;
}

/** A gateway on port 80 with one VirtualService of these rules, as a file of manifests. */
function mesh(rules: readonly Rule[], { host = "shop.example", gateway = "public", name = "shop" } = {}): string {
  const metadata = (own: string) => ({ name: own, namespace: "prod", creationTimestamp: "2026-01-01T00:00:00Z" });
  const services = [...new Set(rules.map(({ to }) => to))].map((to) => ({ apiVersion: "v1", kind: "Service", metadata: metadata(to), spec: { ports: [{ name: "http", port: 80 }] } }));
  const objects = [
    ...services,
    { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata: metadata(gateway), spec: { selector: { istio: "ingress" }, servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] } },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: metadata(name),
      spec: { hosts: host.split(" "), gateways: [gateway], http: rules.map(({ prefix, to, timeout }) => ({ match: [{ uri: { prefix } }], route: [{ destination: { host: to } }], ...(timeout === undefined ? {} : { timeout }) })) },
    },
  ];
  return `${objects.map((object) => JSON.stringify(object)).join("\n---\n")}\n`;
}

const API = { prefix: "/api", to: "api" };
const LEFT = mesh([API, { prefix: "/", to: "web" }]);
const FILES = {
  "left.yaml": LEFT,
  "same.yaml": LEFT.split("---\n").toReversed().join("\n---\n"),
  "moved.yaml": mesh([{ prefix: "/api", to: "web" }, { prefix: "/", to: "web" }, { prefix: "/never", to: "api" }]),
  "slower.yaml": mesh([{ ...API, timeout: "7s" }, { prefix: "/", to: "web" }]),
  "other-host.yaml": mesh([API, { prefix: "/", to: "web" }], { host: "shop.azure.example" }),
  "two-hosts.yaml": mesh([API, { prefix: "/", to: "web" }], { host: "a.example b.example" }),
  "other-gateway.yaml": mesh([API, { prefix: "/", to: "web" }], { gateway: "external" }),
};

interface Comparison {
  readonly verdict: string;
  readonly differences: readonly { readonly request: { readonly method: string; readonly scheme: string; readonly authority: string; readonly path: string }; readonly left: { readonly action: unknown }; readonly right: { readonly action: unknown } }[];
}

describe("assert compare", { timeout: 60_000 }, () => {
  const rows: readonly (readonly [claim: string, words: readonly string[], code: number, verdict: string])[] = [
    ["a place and itself are equivalent: 0", ["left.yaml", "left.yaml"], 0, "equivalent"],
    ["objects in another order are equivalent: 0", ["left.yaml", "same.yaml"], 0, "equivalent"],
    ["a rule that leads elsewhere is different: 1", ["left.yaml", "moved.yaml"], 1, "different"],
    ["another timeout is different: 1", ["left.yaml", "slower.yaml"], 1, "different"],
    ["another timeout is equivalent where timeouts may differ: 0", ["left.yaml", "slower.yaml", "--ignore", "timeout"], 0, "equivalent"],
    ["another host is different: 1", ["left.yaml", "other-host.yaml"], 1, "different"],
    ["another host is equivalent where it is mapped: 0", ["left.yaml", "other-host.yaml", "--map-host", ".azure.example=.example"], 0, "equivalent"],
    ["the only gateway of a port is the same view under another name: 0", ["left.yaml", "other-gateway.yaml"], 0, "equivalent"],
    ["what differs for no host that is asked for is equivalent: 0", ["left.yaml", "moved.yaml", "--hosts", "other.example"], 0, "equivalent"],
    ["a cluster that cannot be read is undecided: 2", ["left.yaml", "context:nowhere"], 2, "undecided"],
  ];
  it.each(rows)("%s", async (_, words, code, verdict) => {
    await using here = await shell(FILES);
    const json = await here.assert("compare", ...words, "-o", "json");
    expect(json).toMatchObject({ code, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "cloud-assert/compare/v1", verdict });
    const text = await here.assert("compare", ...words);
    expect(text).toMatchObject({ code, stderr: "" });
    expect(text.stdout).toMatch(new RegExp(`^[✓✗?] ${verdict.toUpperCase()} `));
  });

  it("shows a request on which they differ, and `assert route` sends it there at each place", async () => {
    await using here = await shell(FILES);
    const { differences } = JSON.parse((await here.assert("compare", "left.yaml", "moved.yaml", "-o", "json")).stdout) as Comparison;
    expect(differences).toHaveLength(1);
    const { request, left, right } = differences[0] ?? {};
    const words = `${request?.method} ${request?.scheme}://${request?.authority}${request?.path}`;
    const actionAt = async (place: string) => (JSON.parse((await here.assert("route", "--at", place, words, "-o", "json")).stdout) as { action: unknown }).action;
    expect(await actionAt("left.yaml")).toEqual(left?.action);
    expect(await actionAt("moved.yaml")).toEqual(right?.action);
    expect(left?.action).not.toEqual(right?.action);
  });

  it("reads folders and commits as it reads files", async () => {
    await using here = await shell({ ...FILES, "folder/mesh.yaml": LEFT });
    const git = `git init -q . && git -c user.name=n -c user.email=e@example.org -c commit.gpgsign=false commit -q --allow-empty -m x && git add left.yaml && git -c user.name=n -c user.email=e@example.org -c commit.gpgsign=false commit -qm y`;
    const { stdout } = await here.program("sh", ["-c", `${git}; for place in folder git:HEAD:left.yaml; do $ASSERT compare $place left.yaml > out; echo $?; done; $ASSERT compare git:HEAD~1:left.yaml left.yaml 2> err; echo $?`]).ended;
    expect(stdout).toBe("0\n0\n3\n");
  });

  const refusals: readonly (readonly [claim: string, words: readonly string[], error: RegExp])[] = [
    ["one place only", ["left.yaml"], /^error\[usage\]: missing required argument `RIGHT`/],
    ["a place that is not there", ["left.yaml", "nowhere.yaml"], /^error\[usage\]: `nowhere\.yaml` is no place/],
    ["a part of an action that is none", ["left.yaml", "same.yaml", "--ignore", "timeuot"], /^error\[usage\]: --ignore does not know `timeuot`\n {2}help: did you mean `timeout`\?/],
    ["a view that is none", ["left.yaml", "same.yaml", "--views", "gateway"], /^error\[usage\]: --views does not know `gateway`\n {2}help: did you mean `gateways`\?/],
    ["a mapping without its target", ["left.yaml", "same.yaml", "--map-host", "a.example"], /^error\[usage\]: .*`a\.example`/],
    ["two hosts of one place that become one", ["left.yaml", "two-hosts.yaml", "--map-host", "a.example=shop.example", "--map-host", "b.example=shop.example"], /^error\[usage\]: .*`a\.example`.*`b\.example`/],
    ["a format of findings", ["left.yaml", "same.yaml", "-o", "sarif"], /^error\[usage\]: this command has no report of assertions for `-o sarif`\n {2}help: use one of terminal, json/],
  ];
  it.each(refusals)("refuses %s: 3", async (_, words, error) => {
    await using here = await shell(FILES);
    const { code, stdout, stderr } = await here.assert("compare", ...words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(error);
  });
});

describe("a comparison as a comment", { timeout: 60_000 }, () => {
  it("says which requests change, with both rules and a command", async () => {
    await using here = await shell(FILES);
    const { code, stdout, stderr } = await here.assert("compare", "left.yaml", "moved.yaml", "-o", "markdown");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout.split("\n").slice(0, 4)).toEqual([COMPARE_MARKER, "## ❌ routes: different", "", "`left.yaml` and `moved.yaml` route 1 kind of request differently"]);
    expect(stdout).toContain("- in `left.yaml` it goes to `api.prod.svc.cluster.local:80`, by rule `VirtualService prod/shop`");
    expect(stdout).toContain("- in `moved.yaml` it goes to `web.prod.svc.cluster.local:80`, by rule `VirtualService prod/shop`");
    expect(stdout).toContain("```sh\ncurl -sv --path-as-is --connect-to \"::$GATEWAY:80\" 'http://shop.example/api'\n```");
  });

  const compared = (text: string, times = 1): Compared => {
    const rule = { object: text, path: text, file: text, line: 1 };
    const side = (place: string, status: number) => ({ place, effect: { type: "respond" as const, status, body: text }, rule, unmodelled: [] });
    const one = { host: text, view: { gateway: text, port: 80, tls: false }, request: { method: "GET", scheme: "http" as const, authority: text, path: text, headers: [[text, text]] as const }, answers: [side(text, 200), side("right", 404)], missing: [], alsoFor: [text], alsoIn: [] };
    return { verdict: "different", places: [text, "right"], differences: Array.from({ length: times }, () => one), undecided: [{ reason: text, where: { object: text, path: text }, host: text }], assumptions: [{ text, where: text }], size: { views: 1, hosts: 1, classes: 1 } };
  };

  it.each(HOSTILE)("lets nothing out of %s", (_, text) => {
    const written = compareMarkdown(compared(text));
    expect(/(?!\n)\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u.exec(written)?.[0]).toBeUndefined();
    expect(Buffer.byteLength(written)).toBeLessThan(64_001);
    expect(written.split("<!--")).toHaveLength(2);
  });

  it("has room for many differences, and counts those for which there is none", () => {
    const written = compareMarkdown(compared("shop.example", 5_000));
    expect(Buffer.byteLength(written)).toBeLessThan(64_001);
    const shown = written.split("### ").length - 1;
    expect(shown).toBeGreaterThan(50);
    expect(written).toContain(`${(5_000 - shown).toLocaleString("en")} differences`);
  });
});

describe("assert route", { timeout: 60_000 }, () => {
  it("says where a request goes and which rule decides: 0", async () => {
    await using here = await shell(FILES);
    const { code, stdout, stderr } = await here.assert("route", "--at", "left.yaml", "GET http://shop.example/api/x", "-o", "json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "cloud-assert/route/v1",
      view: { gateway: "prod/public", port: 80, tls: false },
      request: { method: "GET", authority: "shop.example", path: "/api/x" },
      action: { type: "forward", destinations: [{ host: "api.prod.svc.cluster.local", port: 80 }] },
      rule: { object: "VirtualService prod/shop", path: "spec.http[0].match[0]", file: "left.yaml" },
    });
  });

  it("answers a file of requests in its order, one object a line", async () => {
    const requests = ["/api", "/", "/api/y"].map((path) => JSON.stringify({ authority: "shop.example", path }));
    await using here = await shell({ ...FILES, "requests.jsonl": `${requests.join("\n")}\n` });
    const { code, stdout } = await here.assert("route", "--at", "left.yaml", "--requests", "requests.jsonl", "-o", "json");
    expect(code).toBe(0);
    const answers = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { request: { path: string }; action: { destinations: { host: string }[] } });
    expect(answers.map(({ request, action }) => `${request.path} ${action.destinations[0]?.host.split(".")[0]}`)).toEqual(["/api api", "/ web", "/api/y api"]);
  });

  it("at a place that cannot be read is undecided: 2, with the reason", async () => {
    await using here = await shell(FILES);
    const { code, stdout } = await here.assert("route", "--at", "context:nowhere", "GET http://shop.example/", "-o", "json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ action: { type: "undecided", reason: expect.stringContaining("kubeconfig") }, rule: null });
  });

  const refusals: readonly (readonly [claim: string, words: readonly string[], error: RegExp])[] = [
    ["no place", ["GET http://shop.example/"], /^error\[usage\]: `assert route` needs a place/],
    ["no request", ["--at", "left.yaml"], /^error\[usage\]: `assert route` needs a request/],
    ["half a request", ["--at", "left.yaml", "GET /api"], /^error\[usage\]: /],
    ["a request twice", ["--at", "left.yaml", "--requests", "left.yaml", "GET http://shop.example/"], /^error\[usage\]: --requests names a file of requests, and the command line has one too/],
    ["a file of requests that is none", ["--at", "left.yaml", "--requests", "other-host.yaml"], /^error\[/],
    ["a file of requests that is not there", ["--at", "left.yaml", "--requests", "nowhere.jsonl"], /^error\[file\]: `nowhere\.jsonl` does not exist/],
  ];
  it.each(refusals)("refuses %s: 3", async (_, words, error) => {
    await using here = await shell(FILES);
    const { code, stdout, stderr } = await here.assert("route", ...words);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(error);
    expect(stderr).not.toContain(here.path);
  });
});

describe("what routing objects say", { timeout: 60_000 }, () => {
  it("cannot move the cursor, in no command and in no format", async () => {
    const evil = "ev\u001b[2J\u202e\u0085il";
    const hostile = (to: string) => mesh([{ prefix: `/${evil}`, to }, { prefix: "/", to: "web" }], { name: evil });
    await using here = await shell({ "a.yaml": hostile(`api${evil}`), "b.yaml": hostile("web") });
    for (const words of [["compare", "a.yaml", "b.yaml"], ["compare", "a.yaml", "b.yaml", "-o", "json"], ["route", "--at", "a.yaml", `GET http://shop.example/${evil}`], ["compare", evil, "b.yaml"], ["route", "--at", evil, "GET http://shop.example/"]]) {
      const { stdout, stderr } = await here.assert(...words);
      expect(stdout + stderr).not.toBe("");
      expect(stdout + stderr).not.toMatch(RAW);
    }
  });
});
