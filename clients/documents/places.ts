import { EVENT_ID, SCALAR_STYLE, getScalarValue, parseEvents, type Event } from "js-yaml";
import type { Position } from "#engine";
import { PARSER_DEPTH, offsetOf } from "./compose.ts";
import { readKubernetes, type Dialect } from "#values";

export type Path = readonly (string | number)[];

/** Event numbers of a key (the item itself in a list) and of its value. */
interface Child {
  readonly key: number;
  readonly value: number;
}

/** Lines and columns of one text. */
export class Lines {
  readonly #file: string;
  readonly #text: string;
  #starts: readonly number[] | undefined;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  at(offset: number): Position {
    this.#starts ??= lineStarts(this.#text);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.#file, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/**
 * Finds the place of a value by its path. Reading a text keeps no places: they are worked out by parsing it again when somebody asks,
 * once for all documents of it, and then each answer costs the length of its path.
 */
export class Places {
  readonly #text: string;
  readonly #dialect: Dialect;
  #events: readonly Event[] | undefined;
  #after: Int32Array = new Int32Array();
  readonly #roots: number[] = [];
  readonly #children = new Map<number, ReadonlyMap<string | number, Child>>();

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
  }

  /** Offset of the value at the path in the nth document, else of the nearest ancestor there is; undefined where the text has no places. */
  find(document: number, path: Path, what: "key" | "value"): number | undefined {
    this.#events ??= this.#read();
    let node = this.#roots[document];
    if (node === undefined) return undefined;
    let child: Child = { key: node, value: node };
    for (const step of path) {
      const next = this.#childrenOf(node).get(step);
      if (next === undefined) return this.#offset(child.value) ?? this.#offset(child.key);
      child = next;
      node = next.value;
    }
    return (what === "value" ? this.#offset(child.value) : undefined) ?? this.#offset(child.key);
  }

  #read(): readonly Event[] {
    const events = eventsOrNone(this.#text);
    this.#after = new Int32Array(events.length);
    const open: number[] = [];
    for (const [index, event] of events.entries()) {
      if (event.type === EVENT_ID.DOCUMENT) this.#roots.push(index + 1);
      if (event.type === EVENT_ID.POP) this.#after[open.pop() ?? 0] = index + 1;
      else if (event.type === EVENT_ID.SCALAR || event.type === EVENT_ID.ALIAS) this.#after[index] = index + 1;
      else open.push(index);
    }
    return events;
  }

  #childrenOf(node: number): ReadonlyMap<string | number, Child> {
    const known = this.#children.get(node);
    if (known) return known;
    const children = new Map<string | number, Child>();
    const container = this.#events?.[node];
    if (container?.type === EVENT_ID.MAPPING) {
      for (let key = node + 1; this.#isNode(key); ) {
        const value = this.#after[key] ?? 0;
        children.set(this.#keyAt(key), { key, value });
        key = this.#after[value] ?? 0;
      }
    } else if (container?.type === EVENT_ID.SEQUENCE) {
      for (let item = node + 1; this.#isNode(item); item = this.#after[item] ?? 0) {
        children.set(children.size, { key: item, value: item });
      }
    }
    this.#children.set(node, children);
    return children;
  }

  #isNode(index: number): boolean {
    const event = this.#events?.[index];
    return event !== undefined && event.type !== EVENT_ID.POP;
  }

  #keyAt(index: number): string {
    const event = this.#events?.[index];
    if (event?.type !== EVENT_ID.SCALAR) return "";
    const text = getScalarValue(this.#text, event);
    return this.#dialect === "kubernetes" && event.style === SCALAR_STYLE.PLAIN ? String(readKubernetes(text)) : text;
  }

  #offset(index: number): number | undefined {
    const event = this.#events?.[index];
    if (event === undefined || event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return undefined;
    if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
    if (event.type === EVENT_ID.SCALAR && event.valueStart < 0) return undefined;
    return offsetOf(event);
  }
}

/** JSON that is no YAML has no places; that is no reason to refuse it. */
function eventsOrNone(text: string): readonly Event[] {
  try {
    return parseEvents(text, { maxDepth: PARSER_DEPTH });
  } catch {
    return [];
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  const lonely = text.includes("\r") && /\r(?!\n)/.test(text);
  if (lonely) {
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
    return starts;
  }
  for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1)) starts.push(index + 1);
  return starts;
}
