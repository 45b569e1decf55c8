import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, type TestContext } from "vitest";
import { mayAnimate, mayColor, widthOf, type ColorChoice } from "../../cli/terminal.ts";
import { EVEN, fleet, needs, NOW, pods, shell, SKEWED, type Shell } from "./shell.ts";

const RUN = ["run", ...NOW];
const ESCAPE = "\u001b[";

/** The shell's words on a terminal of this width; what the terminal got comes back. */
async function onTerminal(here: Shell, command: string, context: TestContext, env: Readonly<Record<string, string>> = {}, columns = 200) {
  const flags = ["-q", "-e", "-c"];
  await needs("script", [...flags, "true", "/dev/null"], context);
  const { code, stdout } = await here.program("script", [...flags, `stty cols ${columns}; ${command}`, "/dev/null"], env).ended;
  return { code, shown: stdout.replaceAll("\r\n", "\n") };
}

describe("colours", () => {
  const tty = { isTTY: true, columns: 80, write: async () => undefined };
  const pipe = { ...tty, isTTY: false, columns: undefined };
  const rows: readonly (readonly [claim: string, choice: ColorChoice, sink: typeof tty | typeof pipe, env: Readonly<Record<string, string>>, colored: boolean])[] = [
    ["on a terminal", "auto", tty, {}, true],
    ["not in a pipe", "auto", pipe, {}, false],
    ["not where NO_COLOR is set", "auto", tty, { NO_COLOR: "1" }, false],
    ["where NO_COLOR is set to nothing", "auto", tty, { NO_COLOR: "" }, true],
    ["in a pipe where FORCE_COLOR is set", "auto", pipe, { FORCE_COLOR: "1" }, true],
    ["in a pipe where FORCE_COLOR is set to nothing", "auto", pipe, { FORCE_COLOR: "" }, true],
    ["not where FORCE_COLOR is 0", "auto", tty, { FORCE_COLOR: "0" }, false],
    ["not where both are set", "auto", tty, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    ["not on a terminal that has none", "auto", tty, { TERM: "dumb" }, false],
    ["not in CI", "auto", tty, { CI: "true" }, false],
    ["where the flag says always, whatever else", "always", pipe, { NO_COLOR: "1", TERM: "dumb", CI: "1" }, true],
    ["not where the flag says never, whatever else", "never", tty, { FORCE_COLOR: "1" }, false],
  ];
  it.each(rows)("%s", (_, choice, sink, env, colored) => expect(mayColor(choice, sink, env)).toBe(colored));
});

describe("progress", () => {
  const tty = { isTTY: true, columns: 80, write: async () => undefined };
  const rows: readonly (readonly [claim: string, isTTY: boolean, env: Readonly<Record<string, string>>, drawn: boolean])[] = [
    ["on a terminal", true, {}, true],
    ["not in a log", false, {}, false],
    ["not in a log, not even where colours are forced", false, { FORCE_COLOR: "1" }, false],
    ["not with CI", true, { CI: "true" }, false],
    ["not with NO_COLOR", true, { NO_COLOR: "1" }, false],
    ["not on a terminal that cannot move its cursor", true, { TERM: "dumb" }, false],
  ];
  it.each(rows)("%s", (_, isTTY, env, drawn) => expect(mayAnimate({ ...tty, isTTY }, env)).toBe(drawn));
});

describe("the width", () => {
  it.each([
    ["is that of the terminal", true, 132, 132],
    ["is 80 where the terminal does not tell", true, undefined, 80],
    ["is 80 where the terminal says nothing", true, 0, 80],
    ["is no less than a line can hold", true, 10, 40],
    ["is 80 in a pipe, so that a report does not depend on who reads it", false, 132, 80],
  ])("%s", (_, isTTY, columns, width) => expect(widthOf({ isTTY, columns, write: async () => undefined })).toBe(width));
});

describe("the real command", { timeout: 60_000 }, () => {
  it("in a pipe is plain, with FORCE_COLOR coloured, and NO_COLOR has the last word", async () => {
    await using here = await shell(EVEN);
    const plain = (await here.assert(...RUN)).stdout;
    const forced = (await here.begin(RUN, { FORCE_COLOR: "1" }).ended).stdout;
    expect(plain).not.toContain(ESCAPE);
    expect(forced).toContain(ESCAPE);
    expect(stripVTControlCharacters(forced)).toBe(plain);
    expect((await here.begin(RUN, { FORCE_COLOR: "1", NO_COLOR: "1" }).ended).stdout).toBe(plain);
    expect((await here.begin([...RUN, "--color", "always"], { NO_COLOR: "1" }).ended).stdout).toBe(forced);
    expect((await here.begin([...RUN, "--color=never"], { FORCE_COLOR: "1" }).ended).stdout).toBe(plain);
  });

  it("colours its errors by the same rules, though the flags are what is wrong", async () => {
    await using here = await shell(EVEN);
    const red = `${ESCAPE}1m${ESCAPE}31merror[usage]:`;
    expect((await here.assert("run", "--nope", "--color", "always")).stderr).toContain(red);
    expect((await here.assert("run", "--nope", "--color=always")).stderr).toContain(red);
    expect((await here.begin(["run", "--nope"], { FORCE_COLOR: "1" }).ended).stderr).toContain(red);
    expect((await here.assert("run", "--nope")).stderr).not.toContain(ESCAPE);
  });

  it("never colours JSON, nor files unless it is told to", async () => {
    await using here = await shell(EVEN);
    const env = { FORCE_COLOR: "1" };
    expect((await here.begin([...RUN, "-o", "json"], env).ended).stdout).not.toContain(ESCAPE);
    await here.begin([...RUN, "-o", "terminal=r.txt"], env).ended;
    expect(await here.read("r.txt")).not.toContain(ESCAPE);
    await here.assert(...RUN, "--color", "always", "-o", "terminal=r.txt");
    expect(await here.read("r.txt")).toContain(ESCAPE);
  });

  it("on a terminal is coloured, fills its width, and says the same as in a pipe", async (context) => {
    await using here = await shell(SKEWED);
    const { code, shown } = await onTerminal(here, `$ASSERT ${RUN.join(" ")} 2>err`, context);
    expect(code).toBe(1);
    expect(shown).toContain(ESCAPE);
    const plain = (await here.assert(...RUN)).stdout;
    expect(words(stripVTControlCharacters(shown))).toEqual(words(plain));
    expect(stripVTControlCharacters(shown).split("\n").length).toBeLessThan(plain.split("\n").length);
  });

  it("on a terminal without colours is plain", async (context) => {
    await using here = await shell(EVEN);
    expect((await onTerminal(here, `$ASSERT ${RUN.join(" ")} 2>err`, context, { NO_COLOR: "1" })).shown).not.toContain(ESCAPE);
  });

  it("draws progress on the terminal only, on stderr, and wipes it away", async (context) => {
    await using here = await shell(EVEN);
    const quiet: readonly (readonly [command: string, env: Readonly<Record<string, string>>])[] = [
      [`$ASSERT ${RUN.join(" ")} >out --quiet`, {}],
      [`$ASSERT ${RUN.join(" ")} >out`, { CI: "1" }],
      [`$ASSERT ${RUN.join(" ")} >out`, { NO_COLOR: "1" }],
      [`$ASSERT ${RUN.join(" ")} >out`, { TERM: "dumb" }],
      [`$ASSERT ${RUN.join(" ")} >out 2>err`, {}],
    ];
    for (const [command, env] of quiet) expect((await onTerminal(here, command, context, env)).shown).toBe("");

    const { code, shown } = await onTerminal(here, `$ASSERT ${RUN.join(" ")} >out`, context);
    expect(code).toBe(0);
    expect(shown).toContain(`${ESCAPE}?25l`);
    expect(shown.trimEnd().endsWith(`${ESCAPE}?25h`)).toBe(true);
    expect(await here.read("out")).toMatch(/^✓ HOLDS/);
  });
});

describe("what clusters and files say cannot move the cursor", { timeout: 60_000 }, () => {
  const evil = "ev\u001b[2J\u001b]0;x\u0007il\u202e\r\u0085";
  const raw = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

  it("in reports of every format, with the value kept in JSON", async () => {
    const files = { "clusters/gke/pods.json": pods({ "shop/cart": "1.29.5", [`${evil}/${evil}`]: "1.29.2", "shop/other": `docker.io/${evil}/proxyv2:1.29.2` }) };
    await using here = await shell({ ...EVEN, ...files });
    const terminal = await here.assert(...RUN, "-v");
    expect(terminal).toMatchObject({ code: 1, stderr: "" });
    expect(terminal.stdout).not.toMatch(raw);
    expect(terminal.stdout).toContain("ev\\x1b[2J\\x1b]0;x\\x07il\\u202e\\x0d\\x85");
    const json = await here.assert(...RUN, "-o", "json");
    expect(json.stdout).not.toMatch(raw);
    expect(JSON.stringify(JSON.parse(json.stdout))).toContain(JSON.stringify(evil).slice(1, -1));
  });

  it("in the names of contexts: in reports, in tables, in the names of files", async () => {
    await using here = await shell(EVEN);
    const commands = [["run"], ["run", "-o", "json"], ["collect", "--out", "saved"], ["doctor"], ["doctor", "-o", "json"]];
    for (const command of commands) {
      const { stdout, stderr } = await here.assert(...command, "--context", evil);
      expect(stdout).toContain(command.includes("json") ? "ev\\u001b[2J" : "ev\\x1b[2J");
      expect(stdout + stderr).not.toMatch(raw);
    }
    expect((await here.program("ls", ["saved"]).ended).stdout).toBe("ev%1b%5b2%4a%1b%5d0%3bx%07il%e2%80%ae%0d%c2%85.json\n");
  });

  it("in errors: words of the command line, of files, of a fleet", async () => {
    await using here = await shell({ ...EVEN, "assert.yaml": fleet({ name: "a\u001b[31m" }) });
    const lines: readonly (readonly string[])[] = [[evil], ["run", evil], ["run", "--fleet", evil], ["run", "--only", evil], ["run", "-o", evil], ["run", "--cluster", evil], ["run"], ["explain", evil], ["run", "--snapshots", evil]];
    for (const line of lines) {
      const { code, stdout, stderr } = await here.assert(...line);
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toMatch(/^error\[/);
      expect(stderr).not.toMatch(raw);
    }
  });
});

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
