import { styleText } from "node:util";
import { columns, wrap } from "../reports/layout.ts";
import { plain } from "../reports/plain.ts";

interface MarkdownOptions {
  readonly width: number;
  readonly color: boolean;
}

/** Shows the few things that our READMEs are written in (headings, lists, tables, fences, links) as a terminal can. */
export function renderMarkdown(text: string, { width, color }: MarkdownOptions): string {
  const bold = (words: string) => (color ? styleText("bold", words, { validateStream: false }) : words);
  return blocksOf(text)
    .map((block) => {
      const [first = ""] = block;
      const heading = /^#{1,6} (.*)$/.exec(first);
      if (heading) return bold(inline(heading[1] ?? ""));
      if (first.startsWith("```")) return block.slice(1).filter((line) => !line.startsWith("```")).map((line) => `    ${plain(line)}`.trimEnd()).join("\n");
      if (first.startsWith("|")) return table(block);
      return paragraphs(block).map((line) => item(line, width)).join("\n");
    })
    .join("\n\n");
}

/** Blocks are parted by empty lines; a heading is a block of its own, a fence is one whatever is in it. */
function blocksOf(text: string): readonly (readonly string[])[] {
  const blocks: string[][] = [];
  let block: string[] = [];
  const close = () => {
    if (block.length > 0) blocks.push(block);
    block = [];
  };
  for (const line of text.replaceAll("\r\n", "\n").split("\n")) {
    const fenced = block[0]?.startsWith("```") === true;
    if (fenced) {
      block.push(line);
      if (line.startsWith("```")) close();
    } else if (line.trim() === "") close();
    else if (line.startsWith("#")) {
      close();
      blocks.push([line]);
    } else {
      if (line.startsWith("```")) close();
      block.push(line);
    }
  }
  close();
  return blocks;
}

/** Lines that were broken for the editor, joined again; each list item begins one. */
function paragraphs(block: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const line of block) {
    if (joined.length === 0 || ITEM.test(line)) joined.push(line);
    else joined.push(`${joined.pop() ?? ""} ${line.trim()}`);
  }
  return joined;
}

const ITEM = /^(\s*)([-*]|\d{1,3}\.) /;

function item(line: string, width: number): string {
  const [mark = ""] = ITEM.exec(line) ?? [];
  return wrap(inline(line.slice(mark.length)), width, mark.replace("*", "-"));
}

/** `**bold**` and `[text](address)`; code keeps its backticks, for they show where a word begins and ends. */
function inline(text: string): string {
  return plain(text)
    .replace(/\*\*([^*]{1,200})\*\*/g, "$1")
    .replace(/\[([^\]]{1,200})\]\(([^)]{1,500})\)/g, "$1 ($2)");
}

function table(block: readonly string[]): string {
  const rows = block.filter((line) => !/^\|[\s:|-]+\|?$/.test(line)).map((line) => line.replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim())));
  return columns(rows, "  ").join("\n");
}
