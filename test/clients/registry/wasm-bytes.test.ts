import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WasmReading } from "../../../clients/registry/wasm-bytes.ts";
import { hex, section, wasmModule } from "../../support/wasm.ts";

function read(bytes: Uint8Array, cuts: readonly number[] = []) {
  const reading = new WasmReading();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reading.push(bytes.subarray(from, cut));
    from = cut;
  }
  return reading.end();
}

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

describe("what a module says of itself", () => {
  it("is its digest, size, interface and imports", () => {
    const bytes = wasmModule({ imports: ["wasi_snapshot_preview1.fd_write", "env.proxy_log", "env.proxy_get"], exports: ["memory", "proxy_abi_version_0_2_0"] });
    expect(read(bytes)).toEqual({ wasmSha256: hex(bytes), size: bytes.length, abi: "0.2.0", model: "core", imports: ["env", "wasi_snapshot_preview1"] });
  });

  const abis = [
    { name: "the first export that names a known interface counts", exports: ["proxy_abi_version_0_2_1", "proxy_abi_version_0_1_0"], abi: "0.2.1" },
    { name: "an interface that no host serves is none", exports: ["proxy_abi_version_0_3_0"], abi: undefined },
    { name: "a longer name is none", exports: ["proxy_abi_version_0_2_1_x"], abi: undefined },
    { name: "no such export is none", exports: ["main"], abi: undefined },
  ];
  for (const { name, exports, abi } of abis) it(name, () => expect(read(wasmModule({ exports })).abi).toBe(abi));

  it("tells the language that it claims, in one clean line", () => {
    const producers = { language: [["Rust\n`x`", ""]], "processed-by": [["rustc", "1.80.0"]] } as const;
    expect(read(wasmModule({ producers })).language).toBe("Rust 'x' (rustc 1.80.0)");
    expect(read(wasmModule({ producers: { "processed-by": [["TinyGo", "0.33"]] } })).language).toBe("TinyGo 0.33");
  });

  it("tells machine code inside, and a component", () => {
    expect(read(wasmModule({ custom: { precompiled_v8_x: "code" } })).precompiled).toBe(true);
    expect(read(Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 9, 9, 9])).model).toBe("component");
  });

  it("does not mind a custom section that is broken", () => {
    expect(read(Buffer.concat([wasmModule(), Buffer.from(section(0, [50, 1]))])).abi).toBe("0.2.1");
  });

  const refused = [
    { name: "nothing", bytes: [], words: "ends in the first 8 bytes" },
    { name: "a text", bytes: [...Buffer.from("<!doctype html>")], words: "does not begin with" },
    { name: "another version", bytes: [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], words: "version" },
    { name: "a section that goes on behind the end", bytes: [...HEADER, 10, 100, 1], words: "middle of a section" },
    { name: "a length that never ends", bytes: [...HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 1], words: "length is no number" },
    { name: "more exports than bytes", bytes: [...HEADER, ...section(7, [0xff, 0xff, 0xff, 0xff, 0x0f])], words: "exports that cannot be read" },
    { name: "an import of a kind that does not exist", bytes: [...HEADER, ...section(2, [1, 1, 0x61, 1, 0x62, 9, 0])], words: "imports that cannot be read" },
    { name: "a million empty sections", bytes: [...HEADER, ...Buffer.alloc(1 << 20)], words: "more than 10000 sections" },
    { name: "an import section of gigabytes", bytes: [...HEADER, 2, 0xff, 0xff, 0xff, 0xff, 0x0f], words: "too long" },
  ];
  for (const { name, bytes, words } of refused) it(`is nothing where the bytes are ${name}`, () => expect(() => read(Buffer.from(bytes))).toThrow(words));

  it("is the same however the bytes arrive", () => {
    const bytes = wasmModule({ padding: 300, producers: { language: [["Rust", "2021"]] } });
    fc.assert(fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      expect(read(bytes, cuts.toSorted((a, b) => a - b))).toEqual(read(bytes));
    }));
  });

  it("is a verdict for any bytes: never a crash, never an endless loop", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        try {
          expect(read(Buffer.from([...HEADER, ...tail])).size).toBe(8 + tail.length);
        } catch (error) {
          expect(error).toMatchObject({ name: "Unreadable", failure: { kind: "unsupported" } });
        }
      }),
    );
  });
});
