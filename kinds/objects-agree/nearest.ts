import { closest } from "fastest-levenshtein";
import { byText, cite, info, type Finding, type ObjectSelection } from "#engine";
import type { KindFact } from "./sides.ts";

/** What was probably meant, where a selection matches nothing: another kind of the group, or another namespace. */
export function* nothingMatches({ apiVersion, kind, namespaces }: ObjectSelection, kinds: readonly KindFact[]): Iterable<Finding> {
  for (const fact of kinds) {
    const { served, total, namespaces: seen, kinds: others = [] } = fact.data;
    const near = served ? undefined : nearWord(kind, others);
    const wanted = namespaces?.filter((glob) => !/[*?]/.test(glob)) ?? [];
    const hints = served && total > 0 ? wanted.flatMap((name) => (seen.includes(name) ? [] : (nearWord(name, seen) ?? []))) : [];
    const what = served
      ? `\`${fact.cluster}\` has ${total} ${kind === "" ? "objects" : `\`${kind}\``}, and none that is selected`
      : `\`${fact.cluster}\` serves no \`${kind}\` in \`${apiVersion}\``;
    const meant = near !== undefined ? `did you mean \`${near}\`?` : hints.length > 0 ? `did you mean the namespace ${hints.map((name) => `\`${name}\``).toSorted(byText).join(", ")}?` : undefined;
    const where = total > 0 ? `they are in ${seen.slice(0, 5).map((name) => `\`${name === "" ? "(no namespace)" : name}\``).join(", ")}` : "correct `select`, or write `allowEmpty: true` if that is what you expect";
    yield info({ subject: `${fact.cluster}/${kind}`, cause: "matches nothing", message: what, remedy: meant ?? where, evidence: [cite(fact, "objects of this kind", String(total))] });
  }
}

function nearWord(word: string, words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const near = closest(word.toLowerCase(), words.map((each) => each.toLowerCase()));
  const found = words.find((each) => each.toLowerCase() === near);
  return found !== undefined && Math.abs(found.length - word.length) <= 4 && shares(found.toLowerCase(), word.toLowerCase()) ? found : undefined;
}

/** Half of the shorter word stands in the longer one, at its start or end. */
function shares(left: string, right: string): boolean {
  const least = Math.ceil(Math.min(left.length, right.length) / 2);
  return left.slice(0, least) === right.slice(0, least) || left.slice(-least) === right.slice(-least);
}
