import { UserError } from "#engine";

/** A text is not the document it should be: its grammar is broken, or it asks for more than it may. */
export class DocumentError extends UserError {
  override readonly code = "document";
}

/** A file cannot be read: missing, not a file, refused, too large, or not text. */
export class FileError extends UserError {
  override readonly code = "file";
}
