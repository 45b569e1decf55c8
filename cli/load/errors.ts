import { UserError, type Position } from "#engine";
import { nearest } from "../near.ts";

/** A field has a value that it may not have. */
export class InvalidFieldError extends UserError {
  override readonly code: string = "invalid-field";
}

/** A field that nobody knows; most often a slip of the pen. */
export class UnknownFieldError extends UserError {
  override readonly code = "unknown-field";

  constructor(field: string, known: readonly string[], at: Position) {
    const near = nearest(field, known);
    const remedy = CREDENTIALS.has(field) && !known.includes(field) ? NO_CREDENTIALS : near !== undefined ? `did you mean \`${near}\`?` : known.length > 0 ? `use one of ${listed(known)}` : "leave it out";
    super(`unknown field \`${field}\``, { at, remedy });
  }
}

/** What backends of Terraform take in their configuration, and nobody should keep there. */
const CREDENTIALS: ReadonlySet<string> = new Set(["access_key", "secret_key", "token", "password", "username", "sas_token", "client_secret", "credentials", "access_token", "encryption_key", "sse_customer_key"]);
const NO_CREDENTIALS = "credentials are never read from this file: leave it out; they come from the environment";

/** A field without which the document says too little. */
export class MissingFieldError extends UserError {
  override readonly code = "missing-field";
}

/** A document names a kind that no loaded folder provides. */
export class UnknownKindError extends UserError {
  override readonly code = "unknown-kind";

  constructor(kind: string, known: readonly string[], at: Position) {
    const near = nearest(kind, known);
    super(`unknown kind \`${kind}\``, {
      at,
      remedy: near !== undefined ? `did you mean \`${near}\`?` : `use one of ${listed(known)}, or load your own with --plugin DIR`,
    });
  }
}

/** A file or document that is of no use where it is named. */
export class InvalidDocumentError extends UserError {
  override readonly code = "invalid-document";
}

/** What `--untrusted` does not let a file do. */
export class UntrustedError extends UserError {
  override readonly code = "untrusted";
}

export function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}
