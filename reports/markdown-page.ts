import { count } from "./layout.ts";

/** A comment holds 65,536 characters; bytes are never fewer. */
export const COMMENT = 64_000;
/** Kept free for the last lines. */
const RESERVE = 600;

/** Blocks of Markdown as long as there is room, and a count of the rest by what they are. */
export class MarkdownPage {
  readonly #blocks: string[] = [];
  readonly #left = new Map<string, number>();
  #room: number;
  #isFull = false;

  /** @param most bytes of the whole text */
  constructor(most: number) {
    this.#room = most - RESERVE;
  }

  /** Once a block did not fit, none of those that are counted does: a report is cut at one place. */
  get isFull(): boolean {
    return this.#isFull;
  }

  add(block: string, what?: string): void {
    const bytes = Buffer.byteLength(block) + 2;
    if (!this.#isFull && bytes <= this.#room) {
      this.#room -= bytes;
      this.#blocks.push(block);
      return;
    }
    this.#isFull = true;
    if (what !== undefined) this.leave(what);
  }

  leave(what: string, number = 1): void {
    this.#left.set(what, (this.#left.get(what) ?? 0) + number);
  }

  text(): string {
    const left = [...this.#left].map(([what, number]) => count(number, what));
    const rest = left.length === 0 ? [] : [`**Not shown here for want of room: ${left.join(", ")}.** The other formats have everything.`];
    return [...this.#blocks, ...rest].join("\n\n");
  }
}
