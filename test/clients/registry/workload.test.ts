import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { container, descriptor, imageOf, indexOf, layouts, manifestOf, TYPES, type PushedImage } from "../../support/images.ts";
import { hex, tarOf, wasmModule, type TarEntry } from "../../support/wasm.ts";
import { FaultServer, reaching } from "./server.ts";

const module = wasmModule();
const other = wasmModule({ padding: 7 });

let server: FaultServer;
beforeEach(async () => {
  server = await FaultServer.open();
});
afterEach(() => server.close());

const read = (tag: string, loader: "proxy" | "runtime" = "runtime") => reaching([server.host]).visit().module(`oci://${server.host}/wasm/app:${tag}`, loader);

const START = { Entrypoint: ["/app.wasm"] };

/** A good layer, and one behind it whose gzip ends in its middle. */
function brokenBehind(entries: readonly TarEntry[]): PushedImage {
  const good = gzipSync(tarOf(entries));
  const settings = Buffer.from(JSON.stringify({ config: START }));
  const bad = good.subarray(0, good.length >> 1);
  const type = "application/vnd.oci.image.layer.v1.tar+gzip";
  return manifestOf(TYPES.oci, { schemaVersion: 2, mediaType: TYPES.oci, config: descriptor("application/vnd.oci.image.config.v1+json", settings), layers: [descriptor(type, good), descriptor(type, bad)] }, [settings, good, bad]);
}

const raw = (type: string, ...modules: readonly Buffer[]): PushedImage => imageOf(modules.map((bytes) => ({ type, bytes })), { config: "application/vnd.wasm.config.v0+json" });
const app = (bytes: Buffer, name = "app.wasm"): TarEntry => ({ name, bytes });

describe("a runtime starts of an image", () => {
  const forms: readonly (readonly [form: string, image: PushedImage])[] = [
    ["the file that its entry point names", container([[app(module)]], START)],
    ["the same written with another path", container([[app(module, "./app.wasm")]], { Entrypoint: ["app.wasm", "--serve"] })],
    ["what its command names where there is no entry point", container([[app(module)]], { Entrypoint: null, Cmd: ["/app.wasm"] })],
    ["the file of the last layer that has it", container([[app(other)], [app(module)], [{ name: "etc/hosts", bytes: Buffer.from("x") }]], START)],
    ["a file in layers that are not packed", container([[app(module)]], START, { type: "application/vnd.oci.image.layer.v1.tar", packed: false })],
    ["one of many files", container([[app(other, "lib.wasm"), app(module, "bin/app.wasm")]], { Entrypoint: ["/bin/app.wasm"] })],
    ["its one layer that is a module", raw("application/wasm", module)],
    ["the same as Spin and others call it", raw("application/vnd.wasm.content.layer.v1+wasm", module)],
    ["the same of a component", raw("application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", module)],
    ["what it starts, though a module lies beside it that Istio's agent would load", container([[app(module), app(other, "plugin.wasm")]], START)],
    ["the module of a form that Istio's agent loads as well", layouts.solo(module)],
    ["a path from where images begin", container([[app(module)]], { Entrypoint: ["app.wasm"], WorkingDir: "/" })],
  ];
  for (const [form, image] of forms) {
    it(form, async () => {
      server.put("wasm/app", "v1", image);
      expect(await read("v1")).toMatchObject({ topDigest: image.digest, manifestDigest: image.digest, module: { wasmSha256: hex(module), imports: ["env"] } });
    });
  }

  it("by what names it: its one layer, its entry point, or its command, which words of a pod replace", async () => {
    const named = async (image: PushedImage) => (server.put("wasm/app", image.digest.slice(7, 15), image), (await read(image.digest.slice(7, 15))).namedBy);
    expect(await named(raw("application/wasm", module))).toBe("layer");
    expect(await named(container([[app(module)]], { Entrypoint: ["/app.wasm"], Cmd: ["--serve"] }))).toBe("entrypoint");
    expect(await named(container([[app(module)]], { Entrypoint: [], Cmd: ["/app.wasm"] }))).toBe("command");
    expect(await named(indexOf([[container([[app(module)]], START), "linux/arm64"], [container([[app(module)]], { Cmd: ["/app.wasm"] }), "linux/amd64"]]))).toBe("command");
  });

  it("a file that Istio's agent does not look at, which stays so for a proxy", async () => {
    server.put("wasm/app", "v1", container([[app(module)]], START));
    expect((await read("v1", "proxy")).failure).toMatchObject({ kind: "unsupported", reason: expect.stringContaining("plugin.wasm") });
  });

  it("of an index the module that all of its images hold, whatever their platforms are", async () => {
    const [arm, wasi] = [container([[app(module)]], START), container([[{ name: "README", bytes: Buffer.from("x") }, app(module)]], START)];
    const provenance = imageOf([{ type: "application/vnd.in-toto+json", bytes: Buffer.from("{}") }]);
    const index = indexOf([[arm, "linux/arm64"], [wasi, "wasip1/wasm"], [provenance, "unknown/unknown"]]);
    server.put("wasm/app", "same", index).put("wasm/app", "mixed", indexOf([[arm, "linux/arm64"], [container([[app(other)]], START), "linux/amd64"]]));
    expect(await read("same")).toMatchObject({ topDigest: index.digest, manifestDigest: arm.digest, module: { wasmSha256: hex(module) } });
    expect((await read("mixed")).failure).toMatchObject({ kind: "unsupported", reason: "the index holds different modules for its platforms" });
  });

  const faults: readonly (readonly [what: string, image: PushedImage, words: string])[] = [
    ["no module: it starts a program", container([[{ name: "bin/server", bytes: Buffer.from("\u007fELF") }]], { Entrypoint: ["/bin/server"] }), "which is no module"],
    ["nothing: no entry point", container([[app(module)]], {}), "names no entry point"],
    ["nothing: only what Istio's agent would load", layouts.docker(module), "names no entry point"],
    ["nothing: a path that begins in a folder of its own", container([[app(module)]], { Entrypoint: ["app.wasm"], WorkingDir: "/srv" }), "begins in a folder of its own"],
    ["nothing: its configuration is broken", container([[app(module)]], "{"), "is no JSON"],
    ["nothing: the file is not there", container([[app(module, "main.wasm")]], START), "the archive holds no `app.wasm`"],
    ["nothing: the file is a link", container([[{ name: "app.wasm", type: "2" }]], START), "is a link or a folder"],
    ["nothing: the file is no module", container([[app(Buffer.from("some text"))]], START), "is no module"],
    ["one of several modules", raw("application/wasm", module, other), "the image holds 2 modules"],
    ["nothing: layers of another kind", container([[app(module)]], START, { type: "application/vnd.oci.image.layer.v1.tar+zstd" }), "tar+zstd, which is not read"],
    ["nothing: the last layer is broken, whatever the one before holds", brokenBehind([app(module)]), "no gzip"],
    ["nothing: too many layers", container(Array.from({ length: 21 }, () => [app(module)]), START), "more than 20 layers"],
  ];
  for (const [what, image, words] of faults) {
    it(what, async () => {
      server.put("wasm/app", "v1", image);
      const { failure, module: bytes, manifestDigest } = await read("v1");
      expect([failure?.kind, failure?.reason, bytes, manifestDigest]).toEqual(["unsupported", expect.stringContaining(words), undefined, image.digest]);
    });
  }
});
