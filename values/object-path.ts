/** Keys from an object's root; `*` stands for every entry of a list or map, a number in a list for that entry. */
export type ObjectPath = readonly string[];

/**
 * Reads a path as users write it: `spec.mtls.mode`, `spec.servers[*].hosts`, `metadata.annotations["a.b/c"]`.
 * Undefined for what is none. A star in quotes is a key like any other, which no object has.
 */
export function parseObjectPath(text: string): ObjectPath | undefined {
  const steps: string[] = [];
  let rest = text;
  while (rest !== "") {
    const [whole, name, index, quoted] = /^(?:\.?([^.[\]"'\s]+)|\[(\*|\d{1,6})\]|\[("(?:[^"\\]|\\.)*"|'[^']*')\])/.exec(rest) ?? [];
    if (whole === undefined || (steps.length === 0 && whole.startsWith("."))) return undefined;
    const step = name ?? index ?? unquoted(quoted ?? "");
    if (step === undefined) return undefined;
    steps.push(step);
    rest = rest.slice(whole.length);
    if (rest !== "" && !/^[.[]/.test(rest)) return undefined;
    if (rest === ".") return undefined;
  }
  return steps.length === 0 ? undefined : steps;
}

/** The path as users write it. */
export function objectPathText(path: ObjectPath): string {
  return path.map((step, index) => (step === "*" ? "[*]" : /^[^.[\]"'\s\d][^.[\]"'\s]*$/.test(step) ? `${index === 0 ? "" : "."}${step}` : /^\d{1,6}$/.test(step) ? `[${step}]` : `[${JSON.stringify(step)}]`)).join("");
}

function unquoted(text: string): string | undefined {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Is `path` the place that the pattern names, or below it? */
export function isBelow(pattern: ObjectPath, path: ObjectPath): boolean {
  return path.length >= pattern.length && pattern.every((step, index) => step === "*" || step === path[index]);
}
