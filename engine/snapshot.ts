import { SnapshotError } from "./errors.ts";
import { byText, canonical, digestOf, sha256 } from "./json.ts";
import type { Fact, Gap, Snapshot } from "./model.ts";

const SCHEMA = "cloud-assert/snapshot/v1";

/** Sorts, digests and seals what was collected. The order in which facts arrived does not matter. */
export function seal(parts: Omit<Snapshot, "schema" | "sha256" | "seal">): Snapshot {
  const facts = sorted(parts.facts);
  const gaps = sorted(parts.gaps);
  const asked = sorted(parts.asked);
  const content = { ...parts, schema: SCHEMA, asked, facts, gaps, sha256: stateDigest({ asked, facts, gaps }) } as const;
  return { ...content, seal: digestOf(content) };
}

/** The file form: canonical JSON (RFC 8785) and a line end. */
export function snapshotText(snapshot: Snapshot): string {
  return `${canonical(snapshot)}\n`;
}

/**
 * Reads what {@link snapshotText} wrote. Throws {@link SnapshotError} for anything else: other JSON, another version,
 * one changed byte.
 */
export function parseSnapshot(text: string, file: string): Snapshot {
  const value = parseJson(text, file);
  const schema = value["schema"];
  if (schema !== SCHEMA) throw foreign(file, schema);
  if (!isWhole(text.trimEnd(), value["seal"])) {
    throw new SnapshotError("the snapshot was changed after it was written: its digest does not fit", {
      at: { file, line: 1, column: 1 },
      remedy: "collect it again with `assert collect`; snapshots are evidence and cannot be edited",
    });
  }
  return value as unknown as Snapshot;
}

/**
 * The seal is taken of the canonical text without it, so the file's own text is what must fit: that costs one digest,
 * and an edit that keeps the value but not its bytes is refused too.
 */
function isWhole(text: string, found: unknown): boolean {
  const member = `"seal":${JSON.stringify(found)},`;
  const at = text.indexOf(member);
  return at > 0 && found === sha256(text.slice(0, at), text.slice(at + member.length));
}

function stateDigest(state: Pick<Snapshot, "asked" | "facts" | "gaps">): string {
  const facts = state.facts.map((fact) => ({ ...fact, source: { ...fact.source, resourceVersion: undefined } }));
  return digestOf({ ...state, facts: sorted(facts) });
}

function sorted<T extends Fact | Gap | object>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: canonical(item) }))
    .sort((left, right) => byText(left.key, right.key))
    .map(({ item }) => item);
}

function parseJson(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // told below: the parser's words would quote the file's content
  }
  throw new SnapshotError("not a snapshot: the file holds no complete JSON object", {
    at: { file, line: 1, column: 1 },
    remedy: "collect it again with `assert collect`",
  });
}

function foreign(file: string, schema: unknown): SnapshotError {
  const named = typeof schema === "string" ? ` (its schema is \`${schema.slice(0, 80)}\`)` : "";
  return new SnapshotError(`not a snapshot of this version${named}; this release reads \`${SCHEMA}\``, {
    at: { file, line: 1, column: 1 },
    remedy: "collect it again with this release: `assert collect`",
  });
}
