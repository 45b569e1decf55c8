/** One way to sign in that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** In small letters: `basic`, `bearer`. */
  readonly scheme: string;
  /** By name in small letters. */
  readonly parameters: Readonly<Record<string, string>>;
}

const LONGEST = 4096;
const WORD = /^[A-Za-z0-9!#$%&'*+.^_|~-]+/;
const PARAMETER = /^([A-Za-z0-9!#$%&'*+.^_|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))/;

/** Reads `WWW-Authenticate` (RFC 9110, 11.6.1), which may hold several ways. What cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header.slice(0, LONGEST);
  for (;;) {
    rest = rest.replace(/^[\s,]+/, "");
    if (rest === "") return found;
    const parameter = PARAMETER.exec(rest);
    const last = found.at(-1);
    if (parameter !== null && last !== undefined) {
      const [whole, name = "", quoted, plain] = parameter;
      last.parameters[name.toLowerCase()] ??= quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1");
      rest = rest.slice(whole.length);
      continue;
    }
    const word = WORD.exec(rest)?.[0];
    if (word === undefined) return found;
    found.push({ scheme: word.toLowerCase(), parameters: {} });
    rest = rest.slice(word.length);
  }
}
