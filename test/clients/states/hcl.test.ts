import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { HclParser, parseHcl } from "../../../clients/states/hcl.ts";
import { told } from "./support.ts";

const never = new AbortController().signal;

/** A stand-in for the thread with the parser in it: does what the text says. */
const ACTS = `
const { parentPort, threadId } = require("node:worker_threads");
parentPort.on("message", ({ text }) => {
  if (text === "hang") for (;;);
  if (text === "die") process.exit(1);
  if (text === "throw") throw new Error("canary");
  if (text === "break") return parentPort.postMessage({ fault: "Maximum call stack size exceeded" });
  if (text === "wrong") return parentPort.postMessage({ fault: "parse config: [here:3,4-7: Invalid expression; canary]" });
  if (text === "later") setTimeout(() => { throw new Error("canary"); }, 50);
  setTimeout(() => parentPort.postMessage({ value: { text, threadId } }), text === "slow" ? 200 : 0);
});
`;

function acting(longestMs = 60_000) {
  const threads: Worker[] = [];
  const living = () => threads.filter(({ threadId }) => threadId !== -1).length;
  let most = 0;
  const parser = new HclParser(() => {
    threads.push(new Worker(ACTS, { eval: true }));
    most = Math.max(most, living());
    return threads.at(-1) as Worker;
  }, longestMs);
  return { parser, threads, most: () => most };
}

const textOf = async (answer: Promise<unknown>) => ((await answer) as { readonly text: string }).text;

describe("the parser of HCL", () => {
  it("answers each who asked, from one thread", async () => {
    const { parser, threads } = acting();
    const texts = Array.from({ length: 50 }, (_, index) => `t${index}`);
    expect(await Promise.all(texts.map((text) => textOf(parser.parse(text, text, never))))).toEqual(texts);
    expect(threads).toHaveLength(1);
  });

  it.each([
    ["die", /^the parser of HCL ended over `die.tf` \|/, 2],
    ["throw", /^the parser of HCL ended over `throw.tf` \|/, 2],
    ["break", /^the parser of HCL cannot read `break.tf`: it nests too deep, or is too large \|/, 2],
    ["wrong", /^wrong.tf:3:4 is not valid HCL \(invalid expression\) \|/, 1],
  ] as const)("lets one file that makes it %s cost no other file its answer", async (act, said, started) => {
    const { parser, threads, most } = acting();
    const [before, broken, after] = [textOf(parser.parse("a", "a.tf", never)), told(parser.parse(act, `${act}.tf`, never)), textOf(parser.parse("b", "b.tf", never))];
    expect([await before, await after, threads.length, most()]).toEqual(["a", "b", started, 1]);
    expect(await broken).toMatch(said);
    expect(await broken).not.toContain("canary");
    expect(await textOf(parser.parse("c", "c.tf", never))).toBe("c");
  });

  it("gives up on a file that takes too long, and counts from when its turn has come", async () => {
    const hung = acting(3_000);
    const first = told(hung.parser.parse("hang", "hang.tf", never));
    const second = textOf(hung.parser.parse("b", "b.tf", never));
    expect([await first, await second, hung.most()]).toEqual(["`hang.tf` takes the parser longer than 3 s | name the state itself in place of the folder", "b", 1]);
  });

  it("leaves out a file that nobody waits for any more", async () => {
    const { parser, threads } = acting();
    const controller = new AbortController();
    const slow = textOf(parser.parse("slow", "slow.tf", never));
    const gone = told(parser.parse("die", "die.tf", controller.signal));
    controller.abort(new Error("the run ended"));
    expect([await gone, await slow, await textOf(parser.parse("b", "b.tf", never)), threads.length]).toEqual([expect.stringMatching(/ended|interrupted/) as string, "slow", "b", 1]);
  });

  it("starts another thread where the one before ended while nobody asked", async () => {
    const { parser, threads } = acting();
    expect(await textOf(parser.parse("later", "later.tf", never))).toBe("later");
    const gone = new Promise((resolve) => threads[0]?.once("exit", resolve));
    threads[0]?.ref();
    await gone;
    expect([await textOf(parser.parse("b", "b.tf", never)), threads.length]).toEqual(["b", 2]);
  });

  it("goes on after real nesting that fills the stack of the real parser", async () => {
    const deep = told(parseHcl(`a = ${"[".repeat(20_000)}${"]".repeat(20_000)}`, "deep.tf", never));
    const plain = parseHcl('terraform {\n  backend "s3" {}\n}\n', "plain.tf", never);
    expect(await deep).toMatch(/^the parser of HCL cannot read `deep.tf`: it nests too deep/);
    expect(await plain).toEqual({ terraform: [{ backend: { s3: [{}] } }] });
  });
});
