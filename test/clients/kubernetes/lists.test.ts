import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { answering, failure, namesIn, nodes, openServer, pagesOf, pod, podList, pods, routes, serve, status, type Answers } from "./support.ts";

const path = "/api/v1/pods";
const withPages = (...lists: readonly (readonly string[])[]): Answers => ({
  [path]: (_, url) => {
    const at = Number(url.searchParams.get("continue") ?? 0);
    return [200, podList(lists[at] ?? [], at + 1 < lists.length ? String(at + 1) : undefined)];
  },
});

describe("a list", () => {
  it("is read page by page to its end, over one connection", async () => {
    const server = await serve(answering(withPages(["a", "b"], ["c"], ["d"])));
    const pages = await pagesOf(await openServer(server.url), pods);
    expect(pages.map(({ items }) => items.length)).toEqual([2, 1, 1]);
    expect(server.seen).toEqual([`GET ${path}?limit=500`, `GET ${path}?limit=500&continue=1`, `GET ${path}?limit=500&continue=2`]);
    expect(server.connections).toBe(1);
  });

  it("gives every item its kind, and says where it was read", async () => {
    const server = await serve(answering(withPages(["a"])));
    const [page] = await pagesOf(await openServer(server.url), pods);
    const [item] = page?.items ?? [];
    expect(item).toEqual({ apiVersion: "v1", kind: "Pod", ...pod("a") });
    expect(item && page?.source(item)).toEqual({ locator: "/api/v1/namespaces/a/pods/a", resourceVersion: "7" });
  });

  it("may be packed with gzip, which is asked for", async () => {
    const server = await serve((_, response) => response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(gzipSync(JSON.stringify(podList(["a"])))));
    expect(await namesIn(await openServer(server.url), pods)).toEqual(["a"]);
    expect(server.headers[0]?.["accept-encoding"]).toBe("gzip");
  });

  it("is empty where `items` is null", async () => {
    const server = await serve(answering({ [path]: () => [200, { kind: "PodList", apiVersion: "v1", metadata: {}, items: null }] }));
    expect(await namesIn(await openServer(server.url), pods)).toEqual([]);
  });

  it("is read no further when the reader stops", async () => {
    const server = await serve(answering(withPages(["a"], ["b"], ["c"], ["d"])));
    const api = await openServer(server.url);
    for await (const { items } of api.list(pods)) if (items.length > 0) break;
    expect(await namesIn(api, nodes)).toEqual([]);
    expect(server.seen.length).toBeLessThanOrEqual(3);
  });

  it("asks for no page that nobody will read", async () => {
    const server = await serve(answering(withPages(["a"], ["b"], ["c"])));
    const api = await openServer(server.url);
    for await (const { items } of api.list(pods)) if (items.length > 0) break;
    // Over the same connection: whatever was on its way before has arrived by now.
    await api.serverVersion();
    expect(server.seen).toEqual([`GET ${path}?limit=500`, "GET /version"]);
  });

  it("is asked for in smaller pages where a page is too large", async () => {
    const large = { ...podList([]), items: Array.from({ length: 500 }, (_, index) => pod(`p${index}`, "a", { spec: "x".repeat(100) })) };
    const server = await serve(answering({ [path]: (_, url) => [200, url.searchParams.get("limit") === "500" ? large : podList(["a"])] }));
    expect(await namesIn(await openServer(server.url, { pageBytes: 20_000 }), pods)).toEqual(["a"]);
    expect(server.seen).toEqual([`GET ${path}?limit=500`, `GET ${path}?limit=50`]);
  });

  it("is an error where even five objects are too large, packed or not", async () => {
    const body = gzipSync(JSON.stringify({ ...podList([]), pad: "x".repeat(1_000_000) }));
    const server = await serve((_, response) => response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(body));
    expect((await failure(pagesOf(await openServer(server.url, { pageBytes: 100_000 }), pods))).message).toContain("larger than the limit of 100000 bytes");
  });

  it("ends where a server gives the same page again and again", async () => {
    const server = await serve(answering({ [path]: () => [200, podList(["a"], "again")] }));
    expect((await failure(pagesOf(await openServer(server.url), pods))).message).toContain("again and again");
  });
});

describe("410 Gone", () => {
  const expiring = (times: number): Answers => {
    let left = times;
    return {
      [path]: (_, url) => {
        if (!url.searchParams.has("continue")) return [200, podList([`first-${left}`], "next")];
        return left-- > 0 ? [410, status(410, "Expired")] : [200, podList(["last"])];
      },
    };
  };

  it("begins the list anew, and the first new page says so", async () => {
    const server = await serve(answering(expiring(1)));
    const pages = await pagesOf(await openServer(server.url), pods);
    expect(pages.map(({ items, restarted }) => [items.length, restarted])).toEqual([[1, undefined], [1, true], [1, undefined]]);
    expect(server.seen.map((line) => line.includes("continue"))).toEqual([false, true, false, true]);
  });

  it("twice is an error, not an endless loop", async () => {
    const server = await serve(answering(expiring(2)));
    expect((await failure(pagesOf(await openServer(server.url), pods))).message).toContain("expired twice");
  });

  it("voids earlier pages also where nothing is left", async () => {
    let calls = 0;
    const server = await serve(answering({ [path]: () => ([[200, podList(["a"], "next")], [410, status(410, "Expired")], [404, status(404, "NotFound")]] as const)[calls++] ?? [404, ""] }));
    const pages = await pagesOf(await openServer(server.url), pods);
    expect(pages.map(({ items, restarted }) => [items.length, restarted])).toEqual([[1, undefined], [0, true]]);
  });
});

describe("a server that has too much to do", () => {
  const cases = [
    { name: "429 with seconds", code: 429, headers: { "retry-after": "0" } },
    { name: "429 with a date", code: 429, headers: { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" } },
    { name: "429 without a word", code: 429, headers: {} },
    { name: "503", code: 503, headers: {} },
    { name: "500", code: 500, headers: {} },
    { name: "504 with words that are no time", code: 504, headers: { "retry-after": "soon" } },
  ];
  for (const { name, code, headers } of cases) {
    it(`is asked again: ${name}`, async () => {
      let calls = 0;
      const server = await serve(answering({ [path]: () => (calls++ < 2 ? [code, status(code, "Busy"), headers] : [200, podList(["a"])]) }));
      expect(await namesIn(await openServer(server.url), pods)).toEqual(["a"]);
      expect(server.seen).toHaveLength(3);
    });
  }

  it("is left alone after a few times, and costs only this list", async () => {
    const server = await serve(answering({ [path]: () => [503, status(503, "ServiceUnavailable")] }));
    const error = await failure(pagesOf(await openServer(server.url, { retries: 2 }), pods));
    expect(error.message).toContain("failed to answer `/api/v1/pods` (503, ServiceUnavailable)");
    expect(error.unreachable).toBe(false);
    expect(server.seen).toHaveLength(3);
  });
});

describe("a permission that is missing", () => {
  it("is told with verb, resource, group and the rule to add", async () => {
    const server = await serve(answering({ "/apis/mesh.example": group, "/apis/mesh.example/v1": () => [200, resources("routes")], "/apis/mesh.example/v1/routes": () => [403, status(403, "Forbidden")] }));
    const error = await failure(pagesOf(await openServer(server.url), routes));
    expect(error.message).toBe("the kubeconfig user `u` may not list `routes` of API group `mesh.example` in all namespaces");
    expect(error.remedy).toContain('{ apiGroups: ["mesh.example"], resources: ["routes"], verbs: ["list"] }');
    expect(error.unreachable).toBe(false);
  });

  it("for discovery names the role that gives it", async () => {
    const server = await serve(answering({ "/apis/mesh.example": () => [403, status(403, "Forbidden")] }));
    expect((await failure(pagesOf(await openServer(server.url), routes))).remedy).toContain("system:discovery");
  });

  it("is not believed where Kubernetes did not say it", async () => {
    const server = await serve(answering({ [path]: () => [403, "<h1>blocked</h1>", { "content-type": "text/html" }] }));
    expect((await failure(pagesOf(await openServer(server.url), pods))).message).toContain("answered 403 with text/html");
  });
});

const group = () => [200, { kind: "APIGroup", versions: [{ version: "v1beta1" }, { version: "v1" }, { version: "v9" }] }] as const;
const resources = (...names: readonly string[]) => ({ kind: "APIResourceList", resources: names.map((name) => ({ name })) });
const routeList = () => [200, { kind: "RouteList", apiVersion: "mesh.example/v1", metadata: {}, items: [] }] as const;

describe("the version of a resource", () => {
  it("is the first of ours that the server serves it in", async () => {
    const server = await serve(answering({ "/apis/mesh.example": group, "/apis/mesh.example/v1": () => [200, resources("others")], "/apis/mesh.example/v1beta1": () => [200, resources("routes")], "/apis/mesh.example/v1beta1/routes": routeList }));
    const api = await openServer(server.url);
    await pagesOf(api, routes);
    await pagesOf(api, routes);
    expect(server.seen).toEqual(["/apis/mesh.example", "/apis/mesh.example/v1", "/apis/mesh.example/v1beta1", ...Array<string>(2).fill("/apis/mesh.example/v1beta1/routes?limit=500")].map((line) => `GET ${line}`));
  });

  it("none: the list is empty, and the resource not served", async () => {
    const server = await serve(answering({}));
    const api = await openServer(server.url);
    expect(await api.serves(routes)).toBe(false);
    expect(await pagesOf(api, routes)).toEqual([]);
    expect(await api.get(routes, "a", "b")).toBeUndefined();
  });

  it("none, as an API server says it for a group it does not know", async () => {
    const server = await serve(answering({ "/apis/mesh.example": () => [404, "404 page not found\n", { "content-type": "text/plain; charset=utf-8" }] }));
    expect(await (await openServer(server.url)).serves(routes)).toBe(false);
  });

  it("a 404 that is not from Kubernetes is no answer", async () => {
    const server = await serve(answering({ "/apis/mesh.example": () => [404, "<h1>not found</h1>", { "content-type": "text/html" }] }));
    expect((await failure((await openServer(server.url)).serves(routes))).message).toContain("answered 404 with text/html");
  });

  it("only one that we do not know: an error, for that is not the same as none", async () => {
    const server = await serve(answering({ "/apis/mesh.example": group, "/apis/mesh.example/v9": () => [200, resources("routes")] }));
    expect((await failure(pagesOf(await openServer(server.url), routes))).message).toContain("in version `v9` only");
  });

  it("an aggregated API that is down costs only those who ask for it", async () => {
    const server = await serve(answering({ "/apis/mesh.example": () => [503, "service unavailable", { "content-type": "text/plain" }], [path]: () => [200, podList(["a"])] }));
    const api = await openServer(server.url, { retries: 1 });
    const error = await failure(pagesOf(api, routes));
    expect(error.unreachable).toBe(false);
    expect(error.remedy).toContain("kubectl get apiservices");
    expect(await namesIn(api, pods)).toEqual(["a"]);
  });
});

describe("with `namespaces`", () => {
  const inNamespaces = (...names: readonly string[]): Answers =>
    Object.fromEntries(names.flatMap((name) => [[`/api/v1/namespaces/${name}`, () => [200, { kind: "Namespace" }]], [`/api/v1/namespaces/${name}/pods`, () => [200, podList([`pod-${name}`])]]]));

  it("each is listed, and no more; cluster-scoped resources as usual", async () => {
    const server = await serve(answering({ ...inNamespaces("a", "b"), "/api/v1/nodes": () => [200, { kind: "NodeList", apiVersion: "v1", metadata: {}, items: [pod("n")] }] }));
    const api = await openServer(server.url, {}, ["a", "b", "a"]);
    expect(await namesIn(api, pods)).toEqual(["pod-a", "pod-b"]);
    expect(await namesIn(api, nodes)).toEqual(["n"]);
  });

  it("one that does not exist is told: the server itself would say `none`", async () => {
    const server = await serve(answering({ ...inNamespaces("a"), "/api/v1/namespaces/slip/pods": () => [200, podList([])] }));
    expect((await failure(pagesOf(await openServer(server.url, {}, ["a", "slip"]), pods))).message).toContain("`slip` of `namespaces` does not exist");
  });

  it("one that may not be listed does not hide the others, and a namespace need not be readable itself", async () => {
    const forbidden = () => [403, status(403, "Forbidden")] as const;
    const server = await serve(answering({ ...inNamespaces("a", "b"), "/api/v1/namespaces/a": forbidden, "/api/v1/namespaces/c": forbidden, "/api/v1/namespaces/c/pods": forbidden }));
    const api = await openServer(server.url, {}, ["c", "a", "b"]);
    const names: number[] = [];
    const error = await failure((async () => {
      for await (const { items } of api.list(pods)) names.push(items.length);
    })());
    expect(names).toEqual([1, 1]);
    expect(error.message).toBe('the kubeconfig user `u` may not list `pods` of API group `""` in namespace `c`');
  });
});

describe("single questions", () => {
  it("get gives the object, or undefined where there is none", async () => {
    const server = await serve(answering({ "/api/v1/namespaces/a/pods/x": () => [200, { kind: "Pod", ...pod("x") }] }));
    const api = await openServer(server.url);
    expect(await api.get(pods, "a", "x")).toMatchObject({ metadata: { name: "x" } });
    expect(await api.get(pods, "a", "y")).toBeUndefined();
  });

  it("serverVersion is gitVersion", async () => {
    const server = await serve(answering({ "/version": () => [200, { gitVersion: "v1.35.4-eks-3cfe0ce" }] }));
    expect(await (await openServer(server.url)).serverVersion()).toBe("v1.35.4-eks-3cfe0ce");
  });

  it("whoAmI is the name that the server knows, undefined where it does not tell", async () => {
    const server = await serve(answering({ "/apis/authentication.k8s.io/v1/selfsubjectreviews": () => [201, { kind: "SelfSubjectReview", status: { userInfo: { username: "jane" } } }] }));
    const older = await serve(answering({}));
    expect(await (await openServer(server.url)).whoAmI()).toBe("jane");
    expect(await (await openServer(older.url)).whoAmI()).toBeUndefined();
  });

  it("whoAmI is undefined also where the server forbids the question, and an error where it is dead", async () => {
    const shy = await serve(answering({ "/apis/authentication.k8s.io/v1/selfsubjectreviews": () => [403, status(403, "Forbidden")] }));
    expect(await (await openServer(shy.url)).whoAmI()).toBeUndefined();
    expect((await failure((await openServer("https://127.0.0.1:1")).whoAmI())).unreachable).toBe(true);
  });

  it("may asks the server, with the subresource apart", async () => {
    const asked: unknown[] = [];
    const server = await serve((request, response) => {
      let text = "";
      request.on("data", (chunk) => (text += String(chunk)));
      request.on("end", () => {
        const review = JSON.parse(text) as { spec: { resourceAttributes: { subresource?: string } } };
        asked.push(review.spec.resourceAttributes);
        response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ kind: "SelfSubjectAccessReview", status: { allowed: review.spec.resourceAttributes.subresource === "proxy" } }));
      });
    });
    const api = await openServer(server.url);
    expect(await api.may({ verb: "get", group: "", resource: "pods/proxy", namespace: "a" })).toBe(true);
    expect(await api.may({ verb: "list", group: "apps", resource: "deployments" })).toBe(false);
    expect(asked).toEqual([{ verb: "get", group: "", resource: "pods", subresource: "proxy", namespace: "a" }, { verb: "list", group: "apps", resource: "deployments" }]);
    expect(server.seen[0]).toBe("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  });
});
