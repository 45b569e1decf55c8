import { createHash, type Hash } from "node:crypto";
import type { WasmBytes } from "#engine";
import { Bytes, Malformed, readExports, readImports, readProducers } from "./wasm-sections.ts";
import { Unreadable } from "./unreadable.ts";

/** Of a section no more than this is kept to be read; no module has a list of names that is longer. */
const MOST_LIST_BYTES = 8 << 20;
/** Of custom sections: a name, and what compilers say of themselves. */
const MOST_CUSTOM_BYTES = 64 << 10;
/** Modules have a dozen; whoever writes millions of empty ones wants somebody to wait. */
const MOST_SECTIONS = 10_000;
const CUSTOM = 0;
const IMPORT = 2;
const EXPORT = 7;

interface Section {
  readonly id: number;
  /** Bytes still to come. */
  left: number;
  readonly kept: Buffer[];
  room: number;
}

/**
 * Reads a module while it passes by: its digest, and what its sections say.
 *
 * 1. Nothing is compiled, and nothing kept but lists of names: memory does not grow with the module.
 * 2. What ends in the middle, or is no module, is an Unreadable from {@link end}.
 */
export class WasmReading {
  readonly #hash: Hash = createHash("sha256");
  readonly #imports = new Set<string>();
  #size = 0;
  #sections = 0;
  #head = Buffer.alloc(0);
  #section: Section | undefined;
  #fault: string | undefined;
  #model: WasmBytes["model"] | undefined;
  #abi: string | undefined;
  #language: string | undefined;
  #precompiled = false;

  push(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#fault === undefined && this.#model !== "component") this.#read(chunk);
  }

  /** What was read, once all bytes have passed. */
  end(): WasmBytes {
    if (this.#fault === undefined && this.#model === undefined) this.#fault = "is no module: it ends in the first 8 bytes";
    if (this.#fault === undefined && (this.#section !== undefined || this.#head.length > 0)) this.#fault = "ends in the middle of a section";
    if (this.#fault !== undefined) throw new Unreadable("unsupported", `what was read ${this.#fault}`, "push a WebAssembly module");
    return {
      wasmSha256: this.#hash.digest("hex"),
      size: this.#size,
      ...(this.#abi === undefined ? {} : { abi: this.#abi }),
      model: this.#model ?? "core",
      imports: [...this.#imports].toSorted(),
      ...(this.#language === undefined ? {} : { language: this.#language }),
      ...(this.#precompiled ? { precompiled: true } : {}),
    };
  }

  #read(chunk: Uint8Array): void {
    let rest = this.#head.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([this.#head, chunk]);
    this.#head = Buffer.alloc(0);
    while (rest.length > 0 && this.#fault === undefined && this.#model !== "component") {
      if (this.#section !== undefined) rest = this.#fill(this.#section, rest);
      else {
        const used = this.#model === undefined ? this.#preamble(rest) : this.#open(rest);
        if (used === 0) break;
        rest = rest.subarray(used);
      }
    }
    // Never more than a few bytes: a preamble, or a section's number and length.
    if (this.#section === undefined && this.#fault === undefined && this.#model !== "component") this.#head = Buffer.from(rest);
  }

  #preamble(bytes: Buffer): number {
    if (bytes.length < 8) return 0;
    if (bytes.readUInt32BE(0) !== 0x0061736d) this.#fault = "is no module: it does not begin with `\\0asm`";
    else if (bytes.readUInt16LE(6) === 1) this.#model = "component";
    else if (bytes.readUInt32LE(4) === 1) this.#model = "core";
    else this.#fault = "is a module of a version that is not known";
    return 8;
  }

  /** How many bytes number and length of the next section take; 0: they are not all there yet. */
  #open(bytes: Buffer): number {
    const id = bytes[0] ?? 0;
    let size = 0;
    for (let at = 1; at <= 5; at += 1) {
      const byte = bytes[at];
      if (byte === undefined) return 0;
      size += (byte & 0x7f) * 2 ** (7 * (at - 1));
      if (byte < 0x80) {
        const room = id === CUSTOM ? MOST_CUSTOM_BYTES : id === IMPORT || id === EXPORT ? MOST_LIST_BYTES : 0;
        if (id !== CUSTOM && size > room && room > 0) this.#fault = `has a list of ${id === IMPORT ? "imports" : "exports"} that is too long`;
        this.#section = { id, left: size, kept: [], room };
        this.#sections += 1;
        if (this.#sections > MOST_SECTIONS) this.#fault = `has more than ${MOST_SECTIONS} sections`;
        this.#closeIfFull(this.#section);
        return at + 1;
      }
    }
    this.#fault = "has a section whose length is no number";
    return 1;
  }

  #fill(section: Section, bytes: Buffer): Buffer {
    const taken = bytes.subarray(0, section.left);
    if (section.room > 0) {
      const kept = Buffer.from(taken.subarray(0, section.room));
      section.kept.push(kept);
      section.room -= kept.length;
    }
    section.left -= taken.length;
    this.#closeIfFull(section);
    return bytes.subarray(taken.length);
  }

  #closeIfFull(section: Section): void {
    if (section.left > 0) return;
    this.#section = undefined;
    try {
      this.#close(section.id, new Bytes(Buffer.concat(section.kept)));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      // A custom section cannot make a module wrong.
      if (section.id !== CUSTOM) this.#fault = `has a list of ${section.id === IMPORT ? "imports" : "exports"} that cannot be read`;
    }
  }

  #close(id: number, bytes: Bytes): void {
    if (id === IMPORT) for (const name of readImports(bytes)) this.#imports.add(name);
    if (id === EXPORT) this.#abi ??= readExports(bytes);
    if (id !== CUSTOM) return;
    const name = bytes.name();
    if (name === "producers") this.#language ??= readProducers(bytes);
    if (name.startsWith("precompiled_")) this.#precompiled = true;
  }
}

/** Digest and sections of the module that passes by. */
export async function readModule(bytes: AsyncIterable<Buffer>): Promise<WasmBytes> {
  const reading = new WasmReading();
  for await (const chunk of bytes) reading.push(chunk);
  return reading.end();
}
