import { bounded } from "./bounded.ts";

/**
 * Text from outside as Markdown of GitHub and GitLab that shows exactly this text. Parts between backticks, which is how messages mark
 * what they quote, become code; nothing in it can be a link, a mention, a reference, an image or HTML.
 */
export function markdownText(text: string, most: number): string {
  const parts = bounded(text, most).split("`");
  // an odd backtick is one that nobody closes
  const open = parts.length % 2 === 0 ? parts.length - 1 : parts.length;
  return parts.map((part, index) => (index >= open ? `\\\`${escaped(part)}` : index % 2 === 1 ? code(part) : escaped(part))).join("");
}

/** One code span. Vertical bars are escaped as tables want it only where `inTable`. */
export function code(text: string, inTable = false): string {
  if (text === "") return "";
  const safe = unmarked(text).replaceAll("`", "'").replaceAll("|", inTable ? "\\|" : "|");
  // a span drops one space at each end if both are there
  return safe.trim() === "" || (safe.startsWith(" ") && safe.endsWith(" ")) ? `\` ${safe} \`` : `\`${safe}\``;
}

/** A block of lines that nothing in them can leave. */
export function fenced(lines: readonly string[], language: string): string {
  const text = unmarked(lines.join("\n"));
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Whoever looks for a marker may look into code, too. */
function unmarked(text: string): string {
  return text.replaceAll("<!--", "<!- -");
}

/** A zero-width space, as an entity: it parts what would be a mention, a reference or an address. */
const APART = "&#8203;";

function escaped(text: string): string {
  return text
    .replace(/[\\*_{}[\]()+\-.!|~^$]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[@#]|:(?=\/\/)|\bGH(?=\\-)|\bwww(?=\\\.)|(?<=https?|ftp|mailto|xmpp):/gi, (found) => `${found}${APART}`);
}
