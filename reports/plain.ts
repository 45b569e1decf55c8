/** C0 and C1 controls, DEL, and the characters that reorder, hide or end a line. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/**
 * Text from a cluster, a registry or a file, made safe for a terminal: nothing in it can move the cursor, change
 * colours, hide or reorder what is shown. What was there stays visible as an escape.
 */
export function plain(text: string): string {
  return text.toWellFormed().replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same characters in JSON text, where an escape keeps the value what it was. */
export function plainJson(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    character === "\n" ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
