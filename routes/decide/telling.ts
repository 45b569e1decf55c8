/**
 * What is told of the differences that a decision finds: few, confirmed, and as simple as can be.
 *
 * @module
 */

import type { Request } from "./model.ts";
import type { Answer } from "./resolve.ts";
import { shrink } from "./shrink.ts";
import type { Steps } from "./steps.ts";

/** What the plain interpreter says of a request in all tables. */
export interface Replayed {
  readonly judgement: "same" | "different" | "open";
  /** By place, in its first reading. */
  readonly answers: readonly Answer[];
}

/** Who asked, and who keeps what is told. */
export interface Audience {
  readonly mostDifferences: number;
  replay(request: Request): Replayed;
  tell(request: Request, answers: readonly Answer[], host: string): void;
  /** The last difference stands for more. */
  tellMore(): void;
  open(reason: string, host: string): void;
  /** A request whose answer depends on how places are read. */
  depends(request: Request, host: string): void;
}

/** Most replays of differences of one kind of host, told or not. */
const MOST_REPLAYS = 60;

/** Steps that are spent on more differences, once there is one. */
const STEPS_FOR_MORE = 100_000;

/** Collects what the decision of one kind of host finds: one difference for each set of deciding rules. */
export class Telling {
  count = 0;
  private replays = 0;
  private readonly causes = new Set<string>();
  private readonly audience: Audience;
  private readonly host: string;
  private readonly authority: string;
  private readonly meter: Steps;

  /** `host` for people; `authority` as they would write it. */
  constructor(audience: Audience, host: string, authority: string, meter: Steps) {
    this.audience = audience;
    this.host = host;
    this.authority = authority;
    this.meter = meter;
  }

  /** False: enough. */
  difference(request: Request): boolean {
    const { judgement, answers } = this.audience.replay(request);
    // INVARIANT: nothing is told that the plain interpreter does not confirm.
    if (judgement !== "different") {
      this.audience.open(`the interpreter does not confirm that ${request.method} ${request.authority}${request.path} is answered differently`, this.host);
      return ++this.replays < MOST_REPLAYS;
    }
    const cause = causeOf(answers);
    const isNew = !this.causes.has(cause);
    const isEnough = ++this.replays >= MOST_REPLAYS || (isNew && this.count >= this.audience.mostDifferences);
    if (isNew && this.count < this.audience.mostDifferences) this.tell(request, cause);
    if (isEnough) this.audience.tellMore();
    return !isEnough;
  }

  open(reason: string): void {
    // Where the answer is known, a search for more of the same that ends early leaves nothing open.
    if (this.count > 0 && this.meter.isEmpty) this.audience.tellMore();
    else this.audience.open(reason, this.host);
  }

  depends(request: Request): void {
    this.audience.depends(request, this.host);
  }

  private tell(request: Request, cause: string): void {
    this.causes.add(cause);
    this.count++;
    const shown = shrink(request, this.authority, (candidate) => {
      const { judgement, answers } = this.audience.replay(candidate);
      return judgement === "different" && causeOf(answers) === cause;
    });
    this.audience.tell(shown, this.audience.replay(shown).answers, this.host);
    this.meter.keep(STEPS_FOR_MORE);
  }
}

/** The rules that decide, as one text. */
function causeOf(answers: readonly Answer[]): string {
  return answers.map(({ rule }) => (rule === undefined ? "" : `${rule.object} ${rule.path}`)).join("\n");
}
