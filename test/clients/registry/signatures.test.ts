import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleFor, descriptor, imageOf, indexOf, layouts, legacySignature, manifestOf, TYPES, type PushedImage } from "../../support/images.ts";
import { hex, wasmModule } from "../../support/wasm.ts";
import { FaultServer, reaching } from "./server.ts";

const image = layouts.oci(wasmModule());
const tag = image.digest.replace(":", "-");
const REFERRERS = `/v2/wasm/auth/referrers/${image.digest}`;

let server: FaultServer;
beforeEach(async () => {
  server = await FaultServer.open();
  server.put("wasm/auth", "v1", image);
});
afterEach(() => server.close());

const signed = { reference: "", manifestDigest: image.digest, topDigest: image.digest };
const read = (more: Partial<typeof signed> = {}, repository?: string, limits = {}) =>
  reaching([server.host], { limits })
    .visit()
    .signatures({ ...signed, reference: `oci://${server.host}/wasm/auth:v1`, ...more }, repository);
const texts = async (...asked: Parameters<typeof read>) => (await read(...asked)).artifacts.map(({ on, form, bytes }) => `${on} ${form} ${Buffer.from(bytes).toString()}`);

function listed(...children: readonly PushedImage[]): string {
  for (const child of children) server.put("wasm/auth", child.digest, child);
  return indexOf(children.map((child) => [child])).bytes.toString();
}

function api(body: string, headers: Readonly<Record<string, string>> = {}) {
  server.on(REFERRERS, (_, response) => void response.writeHead(200, { "content-type": TYPES.index, ...headers }).end(body));
}

describe("what may sign an image", () => {
  it("is nothing where no tag, no list and no API has anything: not an error", async () => {
    expect(await read()).toEqual({ manifestDigest: image.digest, artifacts: [], unread: [] });
  });

  it("is found by the API, at the fallback tag and at the tags of Cosign 1 and 2", async () => {
    const [first, second] = [bundleFor(image, "by the API"), bundleFor(image, "by the tag")];
    api(listed(first));
    listed(second);
    server.put("wasm/auth", tag, indexOf([[first], [second]])).put("wasm/auth", `${tag}.sig`, legacySignature(["old", "older"])).put("wasm/auth", `${tag}.att`, imageOf([{ type: "application/vnd.dsse.envelope.v1+json", bytes: Buffer.from("attested") }]));
    expect(await texts()).toEqual(["manifest bundle by the API", "manifest bundle by the tag", "manifest legacy old", "manifest legacy older", "manifest legacy attested"]);
    const { artifacts } = await read();
    expect(artifacts[0]).toMatchObject({ digest: first.digest, mediaType: TYPES.bundle });
    expect(artifacts[2]?.annotations).toEqual({ "dev.cosignproject.cosign/signature": "c2ln0" });
  });

  it("is looked for at the index and at the manifest, and told apart", async () => {
    const index = indexOf([[image]]);
    server.put("wasm/auth", "v2", index).put("wasm/auth", `${index.digest.replace(":", "-")}.sig`, legacySignature(["of the index"])).put("wasm/auth", `${tag}.sig`, legacySignature(["of the manifest"]));
    expect(await texts({ topDigest: index.digest })).toEqual(["index legacy of the index", "manifest legacy of the manifest"]);
    expect((await read({ topDigest: index.digest })).indexDigest).toBe(index.digest);
  });

  it("is looked for in another repository where the policy says so", async () => {
    server.put("signatures", `${tag}.sig`, legacySignature(["elsewhere"]));
    expect(await texts({}, `${server.host}/signatures`)).toEqual(["manifest legacy elsewhere"]);
    expect((await read({}, "not a repository")).unread).toMatchObject([{ kind: "invalid" }]);
  });

  it("is what its own manifest says, not what a list says of it", async () => {
    const bundle = bundleFor(image, "a bundle");
    const sbom = imageOf([{ type: "application/spdx+json", bytes: Buffer.from("sbom") }], { artifactType: "application/spdx+json", subject: descriptor(image.type, image.bytes) });
    server.put("wasm/auth", bundle.digest, bundle).put("wasm/auth", sbom.digest, sbom);
    api(manifestOf(TYPES.index, { mediaType: TYPES.index, manifests: [descriptor(TYPES.oci, bundle.bytes, { artifactType: "application/vnd.oci.empty.v1+json" }), descriptor(TYPES.oci, sbom.bytes, { artifactType: TYPES.bundle })] }).bytes.toString());
    expect(await texts()).toEqual(["manifest bundle a bundle"]);
  });

  it("is no bundle that refers to another image", async () => {
    server.put("wasm/auth", tag, indexOf([[bundleFor(layouts.oci(wasmModule({ padding: 1 })), "another's")]]));
    expect(await read()).toMatchObject({ artifacts: [], unread: [] });
  });

  it("is not the image itself, which some tools put at its fallback tag", async () => {
    server.put("wasm/auth", tag, image);
    expect(await read()).toMatchObject({ artifacts: [], unread: [] });
  });

  it("is read page by page, on the registry's own origin only", async () => {
    api(listed(bundleFor(image, "one")), { link: `<${REFERRERS}?page=2>; rel="next"` });
    server.on(`${REFERRERS}?page=2`, (_, response) => void response.writeHead(200, { "content-type": TYPES.index }).end(listed(bundleFor(image, "two"))));
    expect(await texts()).toEqual(["manifest bundle one", "manifest bundle two"]);
    api(listed(bundleFor(image, "one")), { link: '<https://evil.example/>; rel="next"' });
    expect((await read()).unread).toMatchObject([{ kind: "refused", reason: expect.stringContaining("another host") }]);
  });

  it("is cut at a limit, and that is told: what lies beyond is not unsigned", async () => {
    api(listed(bundleFor(image, "one")), { link: `<${REFERRERS}>; rel="next"` });
    expect((await read({}, undefined, { pages: 3 })).unread).toMatchObject([{ kind: "too-large", reason: expect.stringContaining("3 pages") }]);
    api(listed(...Array.from({ length: 12 }, (_, index) => bundleFor(image, `${index}`))));
    const many = await read({}, undefined, { referrers: 10 });
    expect([many.artifacts.length, many.unread[0]?.reason]).toEqual([10, expect.stringContaining("12 artifacts refer")]);
    server.put("wasm/auth", `${tag}.sig`, legacySignature(Array.from({ length: 1000 }, (_, index) => `${index}`)));
    const layered = await read({}, undefined, { referrers: 0 });
    expect([layered.artifacts.length, layered.unread.some(({ reason }) => reason.includes("1000 signatures"))]).toEqual([100, true]);
  });

  for (const status of [400, 404, 405, 501]) {
    it(`has no API where the registry answers ${status}, and the tag counts`, async () => {
      server.on(REFERRERS, (_, response) => void response.writeHead(status).end()).put("wasm/auth", `${tag}.sig`, legacySignature(["old"]));
      expect(await read()).toMatchObject({ artifacts: [{ form: "legacy" }], unread: [] });
    });
  }

  const faults = [
    { name: "throttled", status: 429, type: "text/plain", kind: "throttled" },
    { name: "not allowed", status: 401, type: "text/plain", kind: "unauthorized" },
    { name: "forbidden", status: 403, type: "text/plain", kind: "unauthorized" },
    { name: "broken", status: 500, type: "text/plain", kind: "unreachable" },
    { name: "a web page", status: 200, type: "text/html", kind: "unreachable" },
  ];
  for (const { name, status, type, kind } of faults) {
    for (const path of [REFERRERS, `/v2/wasm/auth/manifests/${tag}`, `/v2/wasm/auth/manifests/${tag}.sig`]) {
      it(`is unread, never unsigned, where ${path.slice(0, 30)}… is ${name}`, async () => {
        server.on(path, (_, response) => void response.writeHead(status, { "content-type": type }).end("<html>"));
        expect((await read()).unread).toMatchObject([{ kind }]);
      });
    }
  }

  it("that is not there, or was changed, is unread; the others count", async () => {
    const [gone, changed, good] = ["gone", "changed", "good"].map((text) => bundleFor(image, text));
    if (gone === undefined || changed === undefined || good === undefined) throw new Error("no bundles");
    api(listed(gone, changed, good));
    server.on(`/v2/wasm/auth/manifests/${gone.digest}`, (_, response) => void response.writeHead(404).end());
    server.on(`/v2/wasm/auth/blobs/sha256:${hex(Buffer.from("changed"))}`, (_, response) => void response.end("CHANGED"));
    const { artifacts, unread } = await read();
    expect([artifacts.map(({ bytes }) => Buffer.from(bytes).toString()), unread.map(({ kind }) => kind)]).toEqual([["good"], ["not-found", "wrong-digest"]]);
  });

  it("of two layers is unread: a bundle has one", async () => {
    const odd = imageOf([{ type: TYPES.bundle, bytes: Buffer.from("a") }, { type: TYPES.bundle, bytes: Buffer.from("b") }], { artifactType: TYPES.bundle, subject: descriptor(image.type, image.bytes) });
    api(listed(odd));
    expect(await read()).toMatchObject({ artifacts: [], unread: [{ kind: "unsupported" }] });
  });
});
