import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { codeOf } from "../kubernetes/faults.ts";
import { sizeText, Unreadable, unreadableIn } from "./unreadable.ts";

type Source = AsyncIterable<Buffer>;

const FEW = 4;

/** What gzip unpacks to, as it comes, and never more than `limit`: a few bytes may stand for terabytes. */
export async function* gunzipped(source: Source, limit: number): AsyncGenerator<Buffer> {
  const input = Readable.from(source, { objectMode: false });
  const gunzip = createGunzip({ chunkSize: 256 << 10 });
  input.on("error", (error) => gunzip.destroy(error));
  let size = 0;
  try {
    for await (const chunk of input.pipe(gunzip) as Source) {
      size += chunk.length;
      if (size > limit) throw new Unreadable("too-large", `it unpacks to more than ${sizeText(limit)}`, "push a module of the size that Istio loads");
      yield chunk;
    }
  } catch (error) {
    const code = codeOf(error);
    if (unreadableIn(error) !== undefined || !(code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE")) throw error;
    throw new Unreadable("unsupported", "it is no gzip, or ends in its middle", "push the module again");
  } finally {
    input.destroy();
    gunzip.destroy();
  }
}

/** A whole archive, and the file is not in it. */
export class NotInArchive extends Unreadable {
  constructor(what: string) {
    super("unsupported", `the archive holds no ${what}`, "push the module under that name");
  }
}

/** Entries of a tar, by their kind. */
interface Entry {
  readonly name: string;
  readonly size: number;
  readonly isFile: boolean;
}

/**
 * Finds one file in a tar and hands its bytes on; then reads to the end, so that whoever checks a digest sees everything. Nothing is written anywhere.
 *
 * The first entry that is `wanted` counts, and must be a plain file. Headers are read as Go's archive/tar reads them (Istio's agent is written in Go): of two
 * PAX headers the last one counts alone, a long name of GNU counts before a path of PAX, and empty ones say nothing. What is rarer than that is refused.
 * Throws Unreadable where there is none, or where the archive is broken before it.
 */
export async function* fileInTar(source: Source, wanted: (name: string) => boolean, what: string): AsyncGenerator<Buffer> {
  const reader = new BlockReader(source);
  let found = false;
  let pax: Pax = {};
  let long = "";
  for (;;) {
    const header = await reader.exactly(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) break;
    const type = String.fromCharCode(header[156] ?? 0);
    const size = checkedSize(header);
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      if (size > MOST_HEADER_BYTES) throw broken("holds a header that is too long");
      const text = await reader.padded(size);
      if (type === "x") pax = paxOf(text);
      if (type === "L") long = text.toString("utf8").replace(/\0.*$/s, "");
      if (type !== "g") continue;
      const { name, size: length } = paxOf(text);
      if (name !== undefined || length !== undefined || wanted(nameOf(header))) throw broken("holds a global header that names a file");
      pax = {};
      long = "";
      continue;
    }
    const name = long === "" ? (pax.name ?? nameOf(header)) : long;
    // Older tars have no type for folders.
    const isFolder = type === "\0" && name.endsWith("/");
    const entry: Entry = { name, size: isFolder ? 0 : (pax.size ?? size), isFile: type === "0" || type === "7" || (type === "\0" && !isFolder) };
    pax = {};
    long = "";
    const held = holdsData(type) ? entry.size : 0;
    if (!wanted(entry.name)) {
      await reader.skip(paddedTo(held));
      continue;
    }
    if (!entry.isFile) throw new Unreadable("unsupported", `${what} is a link or a folder in the archive`, "push the module as a plain file");
    yield* reader.some(held);
    found = true;
    break;
  }
  await reader.drain();
  if (!found) throw new NotInArchive(what);
}

interface Pax {
  readonly name?: string | undefined;
  readonly size?: number | undefined;
}

const BLOCK = 512;
const MOST_HEADER_BYTES = 1 << 20;

/** Links, devices and folders have no bytes, whatever their size says. */
function holdsData(type: string): boolean {
  return !["1", "2", "3", "4", "5", "6"].includes(type);
}

function paddedTo(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function broken(what: string): Unreadable {
  return new Unreadable("unsupported", `the archive ${what}`, "push the module again");
}

function checkedSize(header: Buffer): number {
  let sum = 8 * 32;
  for (let at = 0; at < BLOCK; at += 1) if (at < 148 || at >= 156) sum += header[at] ?? 0;
  if (octal(header, 148, 8) !== sum) throw broken("holds a header whose checksum is wrong");
  if (header[156] === 0x53) throw broken("holds a sparse file");
  // Its names end elsewhere.
  if (header.toString("latin1", 508, 512) === "tar\0") throw broken("is one of star, a form that is not read");
  if (((header[124] ?? 0) & 0x80) === 0) return octal(header, 124, 12);
  // Base 256, which tars write for sizes beyond 8 GiB: larger than any limit here, and often negative.
  throw broken("holds an entry whose size is no number in octal");
}

function octal(header: Buffer, from: number, length: number): number {
  const text = header.toString("latin1", from, from + length);
  // Something behind or before a zero byte: some readers end there, some begin.
  const digits = /^ *([0-7]*)[ \0]*$/.exec(text)?.[1];
  if (digits === undefined) throw broken("holds a header with what is no number in octal");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function nameOf(header: Buffer): string {
  const field = (from: number, length: number) => header.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  const prefix = header.toString("latin1", 257, 262) === "ustar" && header[262] === 0 ? field(345, 155) : "";
  return prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
}

/** Records of the form `LENGTH KEY=VALUE\n`, lengths in bytes. */
function paxOf(text: Buffer): Pax {
  const found: { name?: string; size?: number } = {};
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(text.toString("latin1", at, space));
    if (!(length > 0) || at + length > text.length) throw broken("holds a PAX header that is none");
    const record = text.toString("utf8", space + 1, at + length - 1);
    const [key, value] = [record.slice(0, record.indexOf("=")), record.slice(record.indexOf("=") + 1)];
    if (key === "path") {
      if (value === "") delete found.name;
      else found.name = value;
    }
    if (key === "size") {
      if (!/^\d{1,15}$/.test(value)) throw broken("holds an entry whose size is no number");
      found.size = Number(value);
    }
    if (key.startsWith("GNU.sparse.")) throw broken("holds a sparse file");
    at += length;
  }
  return found;
}

/** Takes a stream apart by numbers of bytes, and keeps no more of it than one chunk. */
class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: Source) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Undefined at the very end. */
  async exactly(size: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = size;
    for await (const part of this.some(size, true)) {
      parts.push(part);
      missing -= part.length;
    }
    if (missing === size && size > 0) return undefined;
    if (missing > 0) throw broken("ends in the middle of an entry");
    return Buffer.concat(parts);
  }

  async padded(size: number): Promise<Buffer> {
    const bytes = (await this.exactly(paddedTo(size))) ?? Buffer.alloc(0);
    if (bytes.length < size) throw broken("ends in the middle of an entry");
    return bytes.subarray(0, size);
  }

  async *some(size: number, mayEnd = false): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#next())) {
        if (mayEnd) return;
        throw broken("ends in the middle of an entry");
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async skip(size: number): Promise<void> {
    for await (const _part of this.some(size)) continue;
  }

  async drain(): Promise<void> {
    while (await this.#next()) continue;
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    this.#rest = done === true ? Buffer.alloc(0) : value;
    return done !== true;
  }
}

/** What a module was unpacked from, the outermost first; filled while the bytes pass. */
export type Wrapping = ("gzip" | "tar")[];

/**
 * Unpacks as Istio's agent does what it gets by HTTP (pkg/wasm/httpfetcher.go): gzip and the first entry of a tar, one in the other, until a module comes out.
 * What is neither is handed on as it is.
 */
export async function* unboxed(source: Source, limit: number, wrapping: Wrapping): AsyncGenerator<Buffer> {
  const { head, whole } = await peeked(source, 263);
  const isModule = head.length >= 8 && head.readUInt32BE(0) === 0x0061736d;
  const isGzip = head.length > 2 && head.readUInt16BE(0) === 0x1f8b;
  const isTar = head.length > 262 && head.toString("latin1", 257, 262) === "ustar";
  if (isModule || (!isGzip && !isTar)) return void (yield* whole);
  if (wrapping.length >= FEW) throw new Unreadable("unsupported", `it is packed more than ${FEW} times`, "publish the module itself");
  wrapping.push(isGzip ? "gzip" : "tar");
  yield* unboxed(isGzip ? gunzipped(whole, limit) : fileInTar(whole, () => true, "file"), limit, wrapping);
}

/** The first bytes of a stream, and all of it. */
async function peeked(source: Source, size: number): Promise<{ readonly head: Buffer; readonly whole: AsyncGenerator<Buffer> }> {
  const chunks = source[Symbol.asyncIterator]();
  const parts: Buffer[] = [];
  let length = 0;
  while (length < size) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    parts.push(value);
    length += value.length;
  }
  const head = Buffer.concat(parts);
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const { done, value } = await chunks.next();
        if (done === true) return;
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
  }
  return { head, whole: whole() };
}
