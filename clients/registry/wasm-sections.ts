import { cleaned } from "./unreadable.ts";

/** Bytes that are not what they should be. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** A cursor over one section. Every step is bounded by its end. */
export class Bytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Malformed();
    this.#at += 1;
    return byte;
  }

  /** LEB128 without a sign, of at most ten bytes; more than 2^53 is never a count here. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed();
  }

  /** How many things follow, each of at least one byte. */
  count(): number {
    const count = this.number();
    if (count > this.#bytes.length - this.#at) throw new Malformed();
    return count;
  }

  name(): string {
    const length = this.number();
    if (length > this.#bytes.length - this.#at) throw new Malformed();
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}

const MOST_NAMES = 100;

/** The modules that a module imports from. */
export function readImports(bytes: Bytes): ReadonlySet<string> {
  const modules = new Set<string>();
  for (let left = bytes.count(); left > 0; left -= 1) {
    const module = cleaned(bytes.name(), 100);
    if (modules.size < MOST_NAMES) modules.add(module);
    bytes.name();
    skipKind(bytes);
  }
  return modules;
}

/** Core specification 3.0, 5.5.5: function, table, memory, global, tag. */
function skipKind(bytes: Bytes): void {
  switch (bytes.byte()) {
    case 0:
      bytes.number();
      return;
    case 1:
      skipType(bytes);
      skipLimits(bytes);
      return;
    case 2:
      skipLimits(bytes);
      return;
    case 3:
      skipType(bytes);
      bytes.byte();
      return;
    case 4:
      bytes.byte();
      bytes.number();
      return;
    default:
      throw new Malformed();
  }
}

/** A type of one byte, or a reference (0x63, 0x64) to a type by its number. */
function skipType(bytes: Bytes): void {
  const type = bytes.byte();
  if (type === 0x63 || type === 0x64) bytes.number();
}

function skipLimits(bytes: Bytes): void {
  const flags = bytes.byte();
  if (flags > 0x0f) throw new Malformed();
  bytes.number();
  if ((flags & 1) !== 0) bytes.number();
  if ((flags & 8) !== 0) bytes.number();
}

const ABI = /^proxy_abi_version_([0-9]+)_([0-9]+)_([0-9]+)$/;
const SERVED: ReadonlySet<string> = new Set(["0.1.0", "0.2.0", "0.2.1"]);

/** The version of proxy-wasm by which the host runs the module: that of the first exported function with such a name. proxy-wasm-cpp-host: src/bytecode_util.cc. */
export function readExports(bytes: Bytes): string | undefined {
  let abi: string | undefined;
  for (let left = bytes.count(); left > 0; left -= 1) {
    const found = ABI.exec(bytes.name());
    const isFunction = bytes.byte() === 0;
    bytes.number();
    const version = found === null ? "" : `${found[1]}.${found[2]}.${found[3]}`;
    if (isFunction && abi === undefined && SERVED.has(version)) abi = version;
  }
  return abi;
}

/** Language and compiler as the module claims them: `Rust (rustc 1.80.0)`. Tool conventions: ProducersSection.md. */
export function readProducers(bytes: Bytes): string | undefined {
  const said = new Map<string, string>();
  for (let left = bytes.count(); left > 0; left -= 1) {
    const field = bytes.name();
    for (let values = bytes.count(); values > 0; values -= 1) {
      const text = [bytes.name(), bytes.name()].map((part) => cleaned(part, 60)).filter((part) => part !== "").join(" ");
      if (text !== "" && !said.has(field)) said.set(field, text);
    }
  }
  const [language, compiler] = [said.get("language"), said.get("processed-by") ?? said.get("sdk")];
  if (language === undefined) return compiler;
  return compiler === undefined ? language : `${language} (${compiler})`;
}
