import { EVENT_ID, SCALAR_STYLE, getScalarValue, type Event, type MappingEvent, type ScalarEvent, type SequenceEvent } from "js-yaml";
import { readCore, readKubernetes, type Dialect, type ReadPlain, type Scalar } from "#values";

/** Why a document is refused, and the offset in its text. */
export class Refusal extends Error {
  readonly offset: number;
  readonly remedy: string;

  constructor(message: string, offset: number, remedy: string) {
    super(message);
    this.offset = offset;
    this.remedy = remedy;
  }
}

/** One document as plain JSON, and where its content starts. */
export interface Composed {
  readonly value: unknown;
  readonly offset: number;
}

/** Collections within collections; the deepest custom resource definitions in use have about 60. */
export const MAX_DEPTH = 200;

/** The least limit of js-yaml that lets those through: it counts the document and the innermost word as levels, too. */
export const PARSER_DEPTH = MAX_DEPTH + 2;

/** Aliases may repeat content, but not without end: below this number of nodes nobody minds. */
const HARMLESS_NODES = 100_000;
const MOST_REPETITION = 20;

interface Frame {
  /** Undefined for the document itself. */
  readonly collection: unknown[] | Record<string, unknown> | undefined;
  readonly anchor: Anchor | undefined;
  readonly sizeBefore: number;
  /** Collections below it, counted through aliases. */
  height: number;
  value: unknown;
  key: string | undefined;
  keyIsMerge: boolean;
}

interface Anchor {
  value: unknown;
  size: number;
  height: number;
  open: boolean;
}

const PREFIX = "tag:yaml.org,2002:";

/**
 * Turns js-yaml's events into plain JSON, in the dialect that is asked for.
 *
 * 1. The value survives `JSON.stringify`: string keys, finite numbers, no cycle. `__proto__` is a key like any other.
 * 2. Content that aliases repeat is shared, not copied, and bounded as if it were copied.
 */
export function compose(events: readonly Event[], source: string, dialect: Dialect): readonly Composed[] {
  return new Composer(source, dialect).documents(events);
}

/** Stands where no frame is open. */
const DOCUMENT: Frame = { collection: undefined, anchor: undefined, sizeBefore: 0, height: 0, value: undefined, key: undefined, keyIsMerge: false };

class Composer {
  readonly #source: string;
  readonly #kubernetes: boolean;
  readonly #plain: ReadPlain;
  readonly #frames: Frame[] = [];
  #top: Frame = DOCUMENT;
  #anchors = new Map<string, Anchor>();
  #documentStart = 0;
  /** Nodes written, and nodes as if every alias were written out. */
  #written = 0;
  #size = 0;

  constructor(source: string, dialect: Dialect) {
    this.#source = source;
    this.#kubernetes = dialect === "kubernetes";
    this.#plain = this.#kubernetes ? readKubernetes : readCore;
  }

  documents(events: readonly Event[]): readonly Composed[] {
    const documents: Composed[] = [];
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as Event;
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          if (this.#anchors.size > 0) this.#anchors = new Map();
          this.#open(undefined, undefined);
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.SEQUENCE:
          this.#collection(event, []);
          break;
        case EVENT_ID.MAPPING:
          this.#collection(event, {});
          break;
        case EVENT_ID.ALIAS:
          this.#alias(this.#source.slice(event.anchorStart, event.anchorEnd), event.anchorStart - 1);
          break;
        case EVENT_ID.POP: {
          const frame = this.#top;
          this.#frames.pop();
          this.#top = this.#frames[this.#frames.length - 1] ?? DOCUMENT;
          if (frame.collection === undefined) documents.push({ value: frame.value, offset: this.#documentStart });
          else this.#close(frame);
          break;
        }
      }
    }
    return documents;
  }

  #open(collection: Frame["collection"], anchor: Anchor | undefined): void {
    this.#top = { collection, anchor, sizeBefore: this.#size, height: 0, value: undefined, key: undefined, keyIsMerge: false };
    this.#frames.push(this.#top);
  }

  #close(frame: Frame): void {
    if (frame.anchor) {
      frame.anchor.open = false;
      frame.anchor.size = this.#size - frame.sizeBefore;
      frame.anchor.height = frame.height + 1;
    }
    this.#add(frame.collection, frame.height + 1, -1);
  }

  #collection(event: SequenceEvent | MappingEvent, collection: unknown[] | Record<string, unknown>): void {
    const frame = this.#top;
    if (frame.collection === undefined) this.#documentStart = offsetOf(event);
    else if (!Array.isArray(frame.collection) && frame.key === undefined) {
      throw new Refusal("a key is a list or a map; keys are text", offsetOf(event), "write the key as one word, or in quotes");
    }
    // The document's own frame stands for one level.
    if (this.#frames.length > MAX_DEPTH) throw tooDeep(offsetOf(event));
    if (!this.#kubernetes) this.#checkTag(event, Array.isArray(collection) ? "seq" : "map");
    this.#open(collection, this.#anchor(event, collection, true));
    this.#count(1);
  }

  #scalar(event: ScalarEvent): void {
    const frame = this.#top;
    const text = getScalarValue(this.#source, event);
    if (frame.collection !== undefined && !Array.isArray(frame.collection) && frame.key === undefined) {
      this.#key(frame, event, text);
      return;
    }
    if (frame.collection === undefined) this.#documentStart = offsetOf(event);
    const value = this.#read(event, text);
    this.#count(1);
    this.#anchor(event, value, false);
    this.#add(value, 0, offsetOf(event));
  }

  #key(frame: Frame, event: ScalarEvent, text: string): void {
    const offset = offsetOf(event);
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    if (isPlain && text === "<<" && event.tagStart < 0) {
      if (!this.#kubernetes) {
        throw new Refusal("merge keys (`<<`) are not part of YAML 1.2", offset, "write the fields out; `&name` and `*name` for whole values do work");
      }
      frame.key = text;
      frame.keyIsMerge = true;
      return;
    }
    const key = this.#kubernetes ? this.#read(event, text) : text;
    if (key === null || (isPlain && text === "")) throw new Refusal("a key is empty", offset, "write a key before the `:`, or put it in quotes");
    frame.key = String(key);
    frame.keyIsMerge = false;
    this.#anchor(event, key, false);
    if (!this.#kubernetes && Object.hasOwn(frame.collection as object, frame.key)) {
      throw new Refusal(`the key \`${shown(frame.key)}\` is written twice`, offset, "keep one of the two");
    }
  }

  #alias(name: string, offset: number): void {
    const frame = this.#top;
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) throw new Refusal(`\`*${shown(name)}\` refers to nothing`, offset, `write \`&${shown(name)}\` before the value that is meant`);
    if (anchor.open) throw new Refusal(`\`*${shown(name)}\` stands inside the value that it refers to`, offset, "a value cannot contain itself: write it out");
    if (this.#frames.length - 1 + anchor.height > MAX_DEPTH) throw tooDeep(offset);
    if (frame.collection !== undefined && !Array.isArray(frame.collection) && frame.key === undefined) {
      if (anchor.value === null || typeof anchor.value === "object") {
        throw new Refusal("a key is no text", offset, "write the key as one word, or in quotes");
      }
      frame.key = String(anchor.value);
      frame.keyIsMerge = false;
      return;
    }
    if (frame.collection === undefined) this.#documentStart = offset;
    this.#count(anchor.size, offset);
    this.#add(anchor.value, anchor.height, offset);
  }

  #anchor(event: ScalarEvent | SequenceEvent | MappingEvent, value: unknown, open: boolean): Anchor | undefined {
    if (event.anchorStart < 0) return undefined;
    const anchor: Anchor = { value, size: 1, height: 0, open };
    this.#anchors.set(this.#source.slice(event.anchorStart, event.anchorEnd), anchor);
    return anchor;
  }

  #count(size: number, offset = 0): void {
    this.#written += 1;
    this.#size += size;
    if (this.#size > HARMLESS_NODES && this.#size > MOST_REPETITION * this.#written) {
      throw new Refusal(
        `aliases repeat content until it is more than ${MOST_REPETITION} times as large as what is written`,
        offset,
        "write less of it by alias, or split the file",
      );
    }
  }

  #add(value: unknown, height: number, offset: number): void {
    const frame = this.#top;
    if (height > frame.height) frame.height = height;
    const { collection } = frame;
    if (collection === undefined) frame.value = value;
    else if (Array.isArray(collection)) collection.push(value);
    else if (frame.keyIsMerge) merge(collection, value, offset < 0 ? this.#documentStart : offset);
    else setOwn(collection, frame.key as string, value);
    frame.key = undefined;
    frame.keyIsMerge = false;
  }

  #read(event: ScalarEvent, text: string): Scalar {
    const value = event.tagStart < 0 ? (event.style === SCALAR_STYLE.PLAIN ? this.#plain(text) : text) : this.#tagged(event, text);
    if (Number.isNaN(value)) throw new Refusal(`\`${shown(text)}\` is not a finite number`, offsetOf(event), "write a number, or put the word in quotes");
    return value;
  }

  /** An explicit tag: Kubernetes ignores those it does not know, our own documents refuse them. */
  #tagged(event: ScalarEvent, text: string): Scalar {
    const tag = this.#tag(event);
    if (tag === "!" || tag === "str") return text;
    if (tag === "binary" && this.#kubernetes) return fromBase64(text, offsetOf(event));
    const fits = FITS.get(tag);
    if (fits === undefined) {
      if (this.#kubernetes) return text;
      throw unknownTag(this.#source.slice(event.tagStart, event.tagEnd), event.tagStart);
    }
    const value = this.#plain(text);
    if (tag === "timestamp" && this.#kubernetes) return text;
    if (!fits(value)) {
      throw new Refusal(`\`${shown(text)}\` does not fit the tag \`!!${tag}\``, offsetOf(event), "correct the value, or leave the tag out");
    }
    return value;
  }

  #checkTag(event: SequenceEvent | MappingEvent, expected: "seq" | "map"): void {
    if (event.tagStart < 0) return;
    const tag = this.#tag(event);
    if (tag !== "!" && tag !== expected) throw unknownTag(this.#source.slice(event.tagStart, event.tagEnd), event.tagStart);
  }

  /** `!`, the short name of a YAML tag, or the tag as it is written. */
  #tag(event: { readonly tagStart: number; readonly tagEnd: number }): string {
    const written = this.#source.slice(event.tagStart, event.tagEnd);
    if (written.startsWith("!!")) return written.slice(2);
    if (written.startsWith(`!<${PREFIX}`)) return written.slice(2 + PREFIX.length, -1);
    return written;
  }
}

const FITS: ReadonlyMap<string, (value: Scalar) => boolean> = new Map<string, (value: Scalar) => boolean>([
  ["int", (value) => typeof value === "number" && Number.isInteger(value)],
  ["float", (value) => typeof value === "number"],
  ["bool", (value) => typeof value === "boolean"],
  ["null", (value) => value === null],
  ["timestamp", () => true],
]);

/**
 * Copies what `<<` names. As in kubectl's parser, keys written before the `<<` are overwritten too, and of a list the first map wins.
 */
function merge(target: Record<string, unknown>, value: unknown, offset: number): void {
  const sources = Array.isArray(value) ? value.toReversed() : [value];
  for (const source of sources) {
    if (source === null || typeof source !== "object" || Array.isArray(source)) {
      throw new Refusal("`<<` takes a map or a list of maps", offset, "name a map, or put the key in quotes");
    }
    for (const [key, field] of Object.entries(source)) setOwn(target, key, field);
  }
}

function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

function fromBase64(text: string, offset: number): string {
  const packed = text.replace(/\s/g, "");
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) {
    throw new Refusal("the value of `!!binary` is not base64", offset, "correct the value, or leave the tag out");
  }
  return Buffer.from(packed, "base64").toString("utf8");
}

export function tooDeep(offset: number): Refusal {
  return new Refusal(`lists and maps are nested more than ${MAX_DEPTH} deep`, offset, "make the document flatter");
}

function unknownTag(tag: string, offset: number): Refusal {
  return new Refusal(`unknown tag \`${shown(tag)}\``, offset, "leave the tag out");
}

/** Where a node begins for a reader: at its quotes or its text, after anchor and tag. */
export function offsetOf(event: ScalarEvent | SequenceEvent | MappingEvent): number {
  if (!("valueStart" in event)) return event.start;
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  if (event.valueStart < 0) return Math.max(event.tagEnd, event.anchorEnd, 0);
  return quoted ? event.valueStart - 1 : event.valueStart;
}

/** At most a line's worth of what a stranger wrote. */
function shown(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
