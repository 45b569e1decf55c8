import type { Origin } from "#routes";
import { foreignText } from "#values";

type Path = readonly (string | number)[];

/**
 * Finds the line of a rule in the file that holds its object. A file is read again only when somebody asks: most rules are never named.
 */
export class Lines {
  readonly #textOf: (file: string) => Promise<string>;

  /** @param textOf reads a file by the name that sources give it */
  constructor(textOf: (file: string) => Promise<string>) {
    this.#textOf = textOf;
  }

  /** The origin with the line of the rule itself, where it can still be found. */
  async find(rule: Origin): Promise<Origin> {
    const { file, line } = rule;
    if (file === undefined) return rule;
    const { parseDocuments } = await import("../../clients/documents/index.ts");
    const lineIn = (text: string): number | undefined => {
      for (const { value, positionOf } of parseDocuments(text, file, "kubernetes")) {
        const keys = keysOf(value, rule.object, []);
        if (keys !== undefined) return positionOf([...keys, ...stepsOf(rule.path)]).line;
      }
      return undefined;
    };
    try {
      const text = await this.#textOf(file);
      // Its own document is enough where it has one; an item of a list needs the whole file.
      const before = (line ?? 1) - 1;
      const own = lineIn(documentFrom(text, before));
      const found = own === undefined ? lineIn(text) : own + before;
      return found === undefined ? rule : { ...rule, line: found };
    } catch {
      // the file has changed or gone since: the line of its object stands
      return rule;
    }
  }
}

/** What stands behind so many lines, up to the next document. */
function documentFrom(text: string, before: number): string {
  const lines = text.split("\n").slice(before);
  const end = lines.findIndex((line, index) => index > 0 && /^(---|\.\.\.)(\s|$)/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).join("\n");
}

/** Where in a document the object of this title stands. */
function keysOf(value: unknown, title: string, above: Path): Path | undefined {
  if (!isObject(value)) return undefined;
  const { kind, metadata, items } = value;
  if (isObject(metadata) && title === `${foreignText(kind)} ${foreignText(metadata["namespace"] ?? "default")}/${foreignText(metadata["name"])}`) return above;
  if (!Array.isArray(items)) return undefined;
  for (const [index, item] of items.entries()) {
    // the items of a typed list may leave their kind out
    const own = typeof kind === "string" && kind !== "List" && kind.endsWith("List") ? { kind: kind.slice(0, -4), ...(isObject(item) ? item : {}) } : item;
    const found = keysOf(own, title, [...above, "items", index]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `spec.http[2].match[0]` as keys. */
function stepsOf(path: string): Path {
  return [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => (name === undefined ? Number(index) : name));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
