import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** Digest of bytes, hex. */
export function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))];
}

function name(text: string): number[] {
  const bytes = [...Buffer.from(text)];
  return [...leb(bytes.length), ...bytes];
}

/** A section by its number. */
export function section(id: number, body: readonly number[]): number[] {
  return [id, ...leb(body.length), ...body];
}

interface ModuleParts {
  /** As `module.field`; all are functions. */
  readonly imports?: readonly string[];
  /** Names of exported functions. */
  readonly exports?: readonly string[];
  readonly producers?: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly custom?: Readonly<Record<string, string>>;
  /** Bytes of padding in a data section, so that modules differ. */
  readonly padding?: number;
}

/** A module of a function that does nothing, put together byte by byte. */
export function wasmModule({ imports = ["env.proxy_log"], exports = ["proxy_abi_version_0_2_1"], producers, custom = {}, padding = 0 }: ModuleParts = {}): Buffer {
  const functions = imports.length;
  const sections = [
    section(1, [1, 0x60, 0, 0]),
    section(2, [...leb(imports.length), ...imports.flatMap((each) => [...name(each.split(".")[0] ?? ""), ...name(each.split(".")[1] ?? ""), 0, 0])]),
    section(3, [1, 0]),
    section(7, [...leb(exports.length), ...exports.flatMap((each) => [...name(each), 0, ...leb(functions)])]),
    section(10, [1, 2, 0, 0x0b]),
    ...(padding === 0 ? [] : [section(0, [...name("padding"), ...Array.from({ length: padding }, () => 7)])]),
    ...Object.entries(custom).map(([title, text]) => section(0, [...name(title), ...Buffer.from(text)])),
    ...(producers === undefined
      ? []
      : [section(0, [...name("producers"), ...leb(Object.keys(producers).length), ...Object.entries(producers).flatMap(([field, values]) => [...name(field), ...leb(values.length), ...values.flatMap(([tool, version]) => [...name(tool), ...name(version)])])])]),
  ];
  return Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

/** One entry of a tar. */
export interface TarEntry {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** `0` a file, `2` a link, `5` a folder, `x` a PAX header … */
  readonly type?: string;
  /** What its header says, where that is not the length of the bytes. */
  readonly size?: number;
  /** Fields of its header in place of the right ones: by where they begin. */
  readonly fields?: Readonly<Record<number, string>>;
}

/** A tar in the form ustar. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), Buffer.alloc(1024)]);
}

function entryOf(entry: TarEntry): Buffer {
  const { bytes = new Uint8Array() } = entry;
  const padded = Buffer.alloc(Math.ceil(bytes.length / 512) * 512);
  padded.set(bytes);
  return Buffer.concat([tarHeader(entry), padded]);
}

/** The header of an entry alone: its bytes may be made up while they are sent. */
export function tarHeader({ name: title, bytes = new Uint8Array(), type = "0", size = bytes.length, fields = {} }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  header.write(title, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  for (const [at, text] of Object.entries(fields)) header.write(text, Number(at), "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** One record of a PAX header. */
export function pax(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = body.length;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.from(`${length}${body}`);
}

/** A module in the archive that Istio's agent looks for; another `level` gives other bytes of the same content. */
export function archiveOf(module: Uint8Array, level = 9): Buffer {
  return gzipSync(tarOf([{ name: "./" , type: "5" }, { name: "./plugin.wasm", bytes: module }]), { level });
}

/** The least that Envoy loads: memory, an allocator, and the version of its interface. Another `mark` gives other bytes. */
export function loadableModule(mark = "1"): Buffer {
  const memory = [1, 0, 1];
  const exported = [...name("memory"), 2, 0, ...name("proxy_abi_version_0_2_1"), 0, 0, ...name("proxy_on_memory_allocate"), 0, 1];
  const sections = [
    section(1, [2, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f]),
    section(3, [2, 0, 1]),
    section(5, memory),
    section(7, [3, ...exported]),
    section(10, [2, 2, 0, 0x0b, 5, 0, 0x41, ...[0x80, 0x08], 0x0b]),
    section(0, [...name("mark"), ...Buffer.from(mark)]),
  ];
  return Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}
