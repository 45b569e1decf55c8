import { count } from "./layout.ts";
import { plain } from "./plain.ts";

/**
 * Text from outside, made safe by {@link plain} and cut to `most` UTF-16 units before that. What is cut is counted, and no
 * character is cut in half.
 */
export function bounded(text: string, most: number): string {
  if (text.length <= most) return PRINTABLE.test(text) ? text : plain(text);
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? most - 1 : most;
  return `${plain(text.slice(0, end))}… (${count(text.length - end, "more character")})`;
}

/** Most text by far: nothing in it needs a closer look. */
const PRINTABLE = /^[ -~]*$/;
