import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileInTar, gunzipped, unboxed, type Wrapping } from "../../../clients/registry/unpack.ts";
import { pax, tarOf, wasmModule, type TarEntry } from "../../support/wasm.ts";

async function* cut(bytes: Uint8Array, size = 100): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(Buffer.from(bytes.subarray(at, at + size)));
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

const plugin = (name: string) => name.split("/").at(-1) === "plugin.wasm";
const found = (entries: readonly TarEntry[]) => all(fileInTar(cut(tarOf(entries)), plugin, "`plugin.wasm`"));
const bytes = (text: string) => Buffer.from(text);

describe("the module in an archive", () => {
  const cases: readonly { readonly name: string; readonly entries: readonly TarEntry[]; readonly expected: string }[] = [
    { name: "stands anywhere in it", entries: [{ name: "a", bytes: bytes("x".repeat(700)) }, { name: "plugin.wasm", bytes: bytes("module") }], expected: "module" },
    { name: "is told by the last part of its name", entries: [{ name: "etc/deep/plugin.wasm", bytes: bytes("module") }], expected: "module" },
    { name: "that would leave its folder is only read", entries: [{ name: "../../plugin.wasm", bytes: bytes("module") }], expected: "module" },
    { name: "is the first of two", entries: [{ name: "plugin.wasm", bytes: bytes("first") }, { name: "plugin.wasm", bytes: bytes("second") }], expected: "first" },
    { name: "may have its name in a PAX header", entries: [{ name: "pax", type: "x", bytes: pax("path", `${"a/".repeat(200)}plugin.wasm`) }, { name: "short", bytes: bytes("module") }], expected: "module" },
    { name: "may have its name in a header of GNU", entries: [{ name: "././@LongLink", type: "L", bytes: bytes(`${"a/".repeat(80)}plugin.wasm\0`) }, { name: "short", bytes: bytes("module") }], expected: "module" },
    { name: "is not what a PAX header calls otherwise", entries: [{ name: "pax", type: "x", bytes: pax("path", "other") }, { name: "plugin.wasm", bytes: bytes("hidden") }, { name: "plugin.wasm", bytes: bytes("module") }], expected: "module" },
    { name: "comes behind folders and links, which have no bytes", entries: [{ name: "d/", type: "5" }, { name: "l", type: "2", size: 4096 }, { name: "plugin.wasm", bytes: bytes("module") }], expected: "module" },
  ];
  for (const { name, entries, expected } of cases) it(name, async () => expect((await found(entries)).toString()).toBe(expected));

  const refused: readonly { readonly name: string; readonly archive: Buffer; readonly words: string }[] = [
    { name: "there is none", archive: tarOf([{ name: "a" }]), words: "holds no `plugin.wasm`" },
    { name: "the archive is empty", archive: Buffer.alloc(0), words: "holds no `plugin.wasm`" },
    { name: "it is a link", archive: tarOf([{ name: "plugin.wasm", type: "2" }]), words: "a link or a folder" },
    { name: "it is a hard link", archive: tarOf([{ name: "plugin.wasm", type: "1" }]), words: "a link or a folder" },
    { name: "it is a device", archive: tarOf([{ name: "plugin.wasm", type: "3" }]), words: "a link or a folder" },
    { name: "its size goes beyond the archive", archive: tarOf([{ name: "plugin.wasm", size: 1 << 20 }]), words: "ends in the middle" },
    { name: "its PAX size goes beyond the archive", archive: tarOf([{ name: "p", type: "x", bytes: pax("size", "999999999") }, { name: "plugin.wasm", bytes: bytes("module") }]), words: "ends in the middle" },
    { name: "its PAX size is no number", archive: tarOf([{ name: "p", type: "x", bytes: pax("size", "-1") }, { name: "plugin.wasm" }]), words: "no number" },
    { name: "a checksum is wrong", archive: Buffer.concat([tarOf([{ name: "a" }]).fill(1, 0, 1)]), words: "checksum is wrong" },
    { name: "a header is cut off", archive: tarOf([{ name: "a" }]).subarray(0, 300), words: "ends in the middle" },
  ];
  for (const { name, archive, words } of refused) it(`is nothing where ${name}`, async () => expect(all(fileInTar(cut(archive), plugin, "`plugin.wasm`"))).rejects.toThrow(words));

  // Whoever packs an archive so that two readers find two files in it: what Go's archive/tar hands to Istio's agent is what counts.
  const good: TarEntry = { name: "plugin.wasm", bytes: bytes("good") };
  const evil: TarEntry = { name: "plugin.wasm", bytes: bytes("evil") };
  const hidden = tarOf([good]).subarray(0, 1024);
  const readings: readonly { readonly name: string; readonly entries: readonly TarEntry[]; readonly expected: string }[] = [
    { name: "an empty path in a PAX header is none", entries: [{ name: "p", type: "x", bytes: pax("path", "") }, evil, good], expected: "evil" },
    { name: "an empty long name is none", entries: [{ name: "././@LongLink", type: "L", bytes: bytes("\0") }, evil, good], expected: "evil" },
    { name: "a long name of GNU counts before a path of PAX, in whatever order", entries: [{ name: "././@LongLink", type: "L", bytes: bytes("plugin.wasm\0") }, { name: "p", type: "x", bytes: pax("path", "other") }, { ...evil, name: "other" }, good], expected: "evil" },
    { name: "of two PAX headers the second counts alone", entries: [{ name: "p", type: "x", bytes: pax("path", "other") }, { name: "p", type: "x", bytes: pax("mtime", "1") }, evil, good], expected: "evil" },
    { name: "a folder in the old form has no bytes", entries: [{ name: "d/", type: "\0", size: 1024 }, evil, good], expected: "evil" },
    { name: "a size behind a zero byte is no size", entries: [{ name: "a", bytes: hidden, fields: { 124: "\x000000002000" } }, evil], expected: "octal" },
    { name: "a size with letters behind a zero byte is no size", entries: [{ name: "a", bytes: hidden, fields: { 124: "2000\x00777777" } }, evil], expected: "octal" },
    { name: "headers for the rest of an archive are not read where they name a file", entries: [{ name: "g", type: "g", bytes: pax("path", "plugin.wasm") }, good], expected: "global header" },
    { name: "a sparse file is not read, wherever it stands", entries: [{ name: "a", type: "S", size: 0 }, good], expected: "sparse" },
    { name: "an archive of star is not read", entries: [{ ...good, fields: { 508: "tar\0" } }], expected: "star" },
  ];
  for (const { name, entries, expected } of readings) {
    it(`is read as Istio's agent reads it: ${name}`, async () => {
      const said = await found(entries).then(String, (error: unknown) => (error instanceof Error ? error.message : ""));
      expect(said).toContain(expected);
    });
  }

  it("may stand behind a header for the rest of the archive that says nothing of it", async () => expect((await found([{ name: "g", type: "g", bytes: pax("comment", "x") }, good])).toString()).toBe("good"));

  it("is a verdict for any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1500 }), async (random) => {
        const error: unknown = await all(fileInTar(cut(random), plugin, "`plugin.wasm`")).catch((thrown: unknown) => thrown);
        expect(Buffer.isBuffer(error) || (error instanceof Error && error.name === "Unreadable")).toBe(true);
      }),
    );
  });

  it("hands on what comes before it is read: all of the stream passes, so that a digest over it can be checked", async () => {
    const archive = tarOf([{ name: "plugin.wasm", bytes: bytes("module") }, { name: "behind", bytes: Buffer.alloc(5000) }]);
    let passed = 0;
    async function* counted() {
      for await (const part of cut(archive)) {
        passed += part.length;
        yield part;
      }
    }
    await all(fileInTar(counted(), plugin, "`plugin.wasm`"));
    expect(passed).toBe(archive.length);
  });
});

describe("gzip", () => {
  it("stops at its limit: a few bytes may stand for gigabytes", async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(all(gunzipped(cut(bomb, 4096), 1 << 20))).rejects.toMatchObject({ failure: { kind: "too-large" } });
  });

  for (const [name, broken] of [["a text", bytes("no gzip at all")], ["a cut", gzipSync(bytes("module")).subarray(0, 15)], ["a wrong sum", Buffer.from(gzipSync(bytes("module"))).fill(0, 20, 24)]] as const) {
    it(`is refused that is ${name}`, async () => expect(all(gunzipped(cut(broken), 1000))).rejects.toMatchObject({ failure: { kind: "unsupported" } }));
  }

  it("passes on what its source says went wrong", async () => {
    async function* failing() {
      yield gzipSync(bytes("module")).subarray(0, 5);
      throw await Promise.resolve(new TypeError("the source broke"));
    }
    await expect(all(gunzipped(failing(), 1000))).rejects.toThrow("the source broke");
  });
});

describe("what comes by HTTP", () => {
  const module = wasmModule({ padding: 600 });
  const cases: readonly { readonly name: string; readonly sent: Buffer; readonly wrapping: Wrapping }[] = [
    { name: "a module as it is", sent: module, wrapping: [] },
    { name: "a module in gzip", sent: gzipSync(module), wrapping: ["gzip"] },
    { name: "the first file of a tar, whatever its name", sent: tarOf([{ name: "filter", bytes: module }, { name: "plugin.wasm" }]), wrapping: ["tar"] },
    { name: "one in the other", sent: gzipSync(tarOf([{ name: "filter", bytes: gzipSync(module) }])), wrapping: ["gzip", "tar", "gzip"] },
  ];
  for (const { name, sent, wrapping } of cases) {
    it(`unpacks ${name}`, async () => {
      const told: Wrapping = [];
      expect((await all(unboxed(cut(sent), 1 << 20, told))).equals(module)).toBe(true);
      expect(told).toEqual(wrapping);
    });
  }

  it("is not unpacked for ever", async () => {
    let packed: Buffer = module;
    for (let times = 0; times < 6; times += 1) packed = gzipSync(packed);
    await expect(all(unboxed(cut(packed), 1 << 20, []))).rejects.toMatchObject({ failure: { kind: "unsupported" } });
  });
});
