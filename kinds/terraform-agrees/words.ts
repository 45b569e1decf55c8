/** `1 node`, `12 nodes` */
export function count(number: number, noun: string): string {
  return `${number} ${number === 1 ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** The first few in backticks, and how many more there are. */
export function several(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => `\`${name}\``);
  const hidden = names.length - shown.length;
  if (hidden > 0) return `${shown.join(", ")} and ${hidden} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1) ?? ""}`;
}

/** `1 minor release behind`, `a major release behind` */
export function behind(minors: number): string {
  return Number.isFinite(minors) ? `${count(minors, "minor release")} behind` : "a major release behind";
}
