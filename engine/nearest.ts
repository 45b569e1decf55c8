import { closest } from "fastest-levenshtein";
import { byText } from "./json.ts";
import type { KindSeen, ObjectSelection } from "./objects.ts";

/** What a cluster has in place of objects that a selection does not find there, in words: what there is, and what was probably meant. */
export function nothingSelected(selection: ObjectSelection, seen: KindSeen, cluster: string): { readonly message: string; readonly remedy: string } {
  const { apiVersion, kind } = selection;
  const message = seen.served ? `\`${cluster}\` has ${seen.total} \`${kind}\`, and none that is selected` : `\`${cluster}\` serves no \`${kind}\` in \`${apiVersion}\``;
  return { message, remedy: meant(selection, seen) ?? placesOf(seen) };
}

function meant({ kind, namespaces }: ObjectSelection, { served, total, namespaces: seen, kinds = [] }: KindSeen): string | undefined {
  if (!served || (total === 0 && !kinds.includes(kind))) {
    const near = nearWord(kind, kinds);
    return near === undefined ? undefined : `did you mean \`${near}\`?`;
  }
  const wanted = namespaces?.filter((glob) => !/[*?]/.test(glob)) ?? [];
  const hints = total > 0 ? wanted.flatMap((name) => (seen.includes(name) ? [] : (nearWord(name, seen) ?? []))) : [];
  return hints.length === 0 ? undefined : `did you mean the namespace ${hints.map((name) => `\`${name}\``).toSorted(byText).join(", ")}?`;
}

function placesOf({ total, namespaces }: KindSeen): string {
  if (total === 0) return "correct `select`, or write `allowEmpty: true` if that is what you expect";
  const shown = namespaces.slice(0, 5).map((name) => `\`${name === "" ? "(no namespace)" : name}\``);
  return `they are in ${shown.join(", ")}${namespaces.length > shown.length ? ", …" : ""}`;
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
