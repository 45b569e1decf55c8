/** A place in a file a user wrote; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface UserErrorOptions {
  /** What to do about it; one line. */
  readonly remedy: string;
  readonly at?: Position | undefined;
  readonly cause?: unknown;
}

/**
 * A mistake the user can repair: printed as three lines (what, where, what to do), never with a stack trace.
 * Whatever else is thrown is a bug of ours or of a plug-in.
 */
export abstract class UserError extends Error {
  /** Stable, kebab-case, for scripts and searches. */
  abstract readonly code: string;
  readonly remedy: string;
  readonly at: Position | undefined;

  constructor(message: string, options: UserErrorOptions) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.remedy = options.remedy;
    this.at = options.at;
  }
}

/** What one fact's evidence could not be read from. The engine turns it into gaps; it never ends a run. */
export class CollectError extends Error {
  override readonly name = "CollectError";
  /** The way out, one line; never contains a secret. */
  readonly remedy: string;
  /** True when nothing else of this place can be read either (dead, refused, out of budget): the rest is not tried. */
  readonly unreachable: boolean;
  /** The HTTP status with which the thing that was asked refused by itself; left out where somebody on the way may have answered in its place. */
  readonly answered: number | undefined;

  /** @param reason lower case, no full stop, never contains a secret */
  constructor(reason: string, options: { remedy: string; unreachable?: boolean; answered?: number; cause?: unknown }) {
    super(reason, { cause: options.cause });
    this.remedy = options.remedy;
    this.unreachable = options.unreachable ?? false;
    this.answered = options.answered;
  }
}

/** Two signals that must agree about which cluster this is do not; a run that went on would blame the wrong one. */
export class ClusterIdentityError extends UserError {
  override readonly code = "cluster-identity";
}

/** A snapshot cannot be used: not ours, of another version, or changed since it was written. */
export class SnapshotError extends UserError {
  override readonly code = "snapshot";
}

/** A kind or a collector broke its contract; the message names the folder to blame. */
export class PluginError extends UserError {
  override readonly code = "plugin";
}
