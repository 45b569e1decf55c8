/** What moves a cursor, hides text, turns its direction or ends a line; line ends themselves are left out. */
export const RAW = /[^\P{Cc}\n]|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

const COLOR = new RegExp(String.raw`\u001b\[[0-9;]*m`, "g");

/** Text without its colours; every other sequence stays. */
export function withoutColors(text: string): string {
  return text.replaceAll(COLOR, "");
}
