import type { WasmFailure, WasmFailureKind } from "#engine";

/** What a reference leads to cannot be read; becomes the answer's `failure`, and ends nothing else. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly failure: WasmFailure;
  /** Nothing at all came from that server: whatever else is asked of it would wait in vain too. */
  readonly isDead: boolean;

  constructor(kind: WasmFailureKind, reason: string, remedy: string, isDead = false) {
    super(reason);
    this.failure = { kind, reason, remedy };
    this.isDead = isDead;
  }
}

/** The one among the causes of an error, which libraries wrap. */
export function unreadableIn(error: unknown): Unreadable | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof Unreadable) return at;
    if (at instanceof AggregateError) {
      const inner = at.errors.map(unreadableIn).find((each) => each !== undefined);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

/** A number of bytes as people say it. */
export function sizeText(bytes: number): string {
  return bytes >= 1 << 20 ? `${Math.round(bytes / (1 << 20))} MiB` : `${bytes} bytes`;
}

/** A text of a stranger's, fit for a message: one line, no control characters, cut. */
export function cleaned(text: string, longest = 200): string {
  const line = text.replace(/[^\x21-\x7e]+/g, " ").replaceAll("`", "'").trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
