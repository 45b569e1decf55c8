import { UserError } from "#engine";

/** Wrong flags or arguments. */
export class UsageError extends UserError {
  override readonly code = "usage";
}

/** Something the contract promises and this release does not do yet. */
export class LaterError extends UserError {
  override readonly code = "not-yet";

  constructor(what: string) {
    super(`${what} comes in a later release`, { remedy: "`assert --help` lists what this release does" });
  }
}

/** A report or a snapshot could not be written whole; nothing half stays behind. */
export class OutputError extends UserError {
  override readonly code = "output";
}

/** The command line names nothing that could be judged. */
export class NothingToRunError extends UserError {
  override readonly code = "nothing-to-run";
}

/** Several mistakes found at once, so that they can be repaired at once. */
export class UserErrors extends Error {
  override readonly name = "UserErrors";
  readonly errors: readonly UserError[];

  constructor(errors: readonly UserError[]) {
    super(errors.map((error) => error.message).join("; "));
    this.errors = errors;
  }
}
