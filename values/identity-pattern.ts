/** A pattern for identities is at most this long, in characters. */
const LONGEST_PATTERN = 512;
/** No certificate names a longer identity; a longer one fits no pattern. */
const LONGEST_IDENTITY = 4096;

/**
 * Does an identity of a certificate fit a pattern? `*` stands for any text without `/` (also none), `**` for any text, `?` for one
 * character but `/`; everything else for itself. Both ends are fixed, case counts.
 *
 * `*` ends at a slash because names of branches hold slashes: else a pattern that ends with `*` and `/release.yml@refs/tags/1` would
 * also fit another workflow on a branch that somebody calls `x/release.yml@refs/tags/1`.
 *
 * Never slower than the product of both lengths; no regular expression is made of either.
 */
export function matchesIdentity(pattern: string, identity: string): boolean {
  if (pattern.length > LONGEST_PATTERN || identity.length > LONGEST_IDENTITY) return false;
  const steps = stepsOf(pattern);
  let reached = closure(new Set([0]), steps);
  for (const character of identity) {
    const next = new Set<number>();
    for (const at of reached) {
      const step = steps[at];
      if (step === undefined) continue;
      if (step === "**" || (step === "*" && character !== "/")) next.add(at);
      else if (step === "?" ? character !== "/" : step === `=${character}`) next.add(at + 1);
    }
    if (next.size === 0) return false;
    reached = closure(next, steps);
  }
  return reached.has(steps.length);
}

/** Who signs, under an issuer that vouches for many. */
export interface NamedIdentity {
  readonly identity?: string | undefined;
  readonly identityPattern?: string | undefined;
}

/** What is wrong with the way in which a signer is named: exactly one of the two, and a pattern that is one. `path` is the field concerned; empty: both. */
export function* identityFaults({ identity, identityPattern }: NamedIdentity): Iterable<{ readonly path: readonly string[]; readonly message: string; readonly remedy: string }> {
  const wrong = identityPattern === undefined ? undefined : identityPatternFault(identityPattern);
  if (wrong !== undefined) {
    yield { path: ["identityPattern"], message: `\`identityPattern\` ${wrong}`, remedy: "write the identity with `*` for each part that may vary: `https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*`" };
  }
  if ((identity === undefined) !== (identityPattern === undefined)) return;
  const message = identity === undefined ? "an issuer vouches for many: nobody is named" : "`identity` and `identityPattern` are two ways to say one thing";
  yield { path: [], message, remedy: "write one of the two: `identity` compares exactly, `identityPattern` must match the whole identity" };
}

/** What is wrong with a pattern, in words that follow its name; undefined: nothing. `v1.*` is a pattern for tags, `/.*` a regular expression. */
export function identityPatternFault(pattern: string): string | undefined {
  if (pattern === "") return "is empty";
  if (pattern.length > LONGEST_PATTERN) return `is longer than ${LONGEST_PATTERN} characters`;
  const [foreign] = /[\^$\\()[\]{}|]|(?<![A-Za-z0-9])\.[*+]/.exec(pattern) ?? [];
  if (foreign !== undefined) return `holds \`${foreign}\` of a regular expression, and is none: \`*\` stands for any text without \`/\`, \`**\` for any text`;
  if (!/[A-Za-z0-9]/.test(pattern.replace(/^https?:\/\//, ""))) return "fits everybody";
  return undefined;
}

/** Why a pattern lets more sign than one would think, in words that follow its name, and what to write; undefined: nothing is known. */
export function identityPatternRisk(pattern: string): { readonly risk: string; readonly remedy: string } | undefined {
  if (!pattern.startsWith("https://github.com/") && !pattern.includes("/.github/workflows/") && !pattern.includes(".gitlab-ci.yml")) return undefined;
  const at = pattern.lastIndexOf("@");
  const ref = at < 0 ? "" : pattern.slice(at + 1);
  const isFixed = ref.startsWith("refs/tags/") || (ref.startsWith("refs/heads/") && !/[*?]/.test(ref));
  if (!isFixed) return { risk: "lets a workflow of any branch sign", remedy: "end it with `@refs/tags/*` or with one branch" };
  if (pattern.slice(0, at).includes("**")) return { risk: "fits branches whose name ends like it", remedy: "write `*` for each part of the path in place of `**`" };
  return undefined;
}

type Step = "*" | "**" | "?" | `=${string}`;

function stepsOf(pattern: string): readonly Step[] {
  const steps: Step[] = [];
  for (const character of pattern) {
    const before = steps.at(-1);
    if (character !== "*") steps.push(character === "?" ? "?" : `=${character}`);
    else if (before === "*" || before === "**") steps[steps.length - 1] = "**";
    else steps.push("*");
  }
  return steps;
}

/** The steps that are reached without a further character: whatever may stand for none. */
function closure(reached: Set<number>, steps: readonly Step[]): ReadonlySet<number> {
  // A set hands on what is added to it while it is walked.
  for (const at of reached) if (steps[at] === "*" || steps[at] === "**") reached.add(at + 1);
  return reached;
}
