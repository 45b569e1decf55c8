import { chmod, lstat, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { writeFiles } from "../../cli/files.ts";
import { BIN, EVEN, LOUD, needs, NOW, shell, SKEWED, skew, type Shell } from "./shell.ts";

const RUN = ["run", ...NOW];

/** A run in which nobody is above the permissions of files: root gives up the rights to pass them by. */
async function asMortal(here: Shell, words: readonly string[], context: TestContext) {
  if (process.getuid?.() !== 0) return here.assert(...words);
  const mortal = ["--bounding-set=-dac_override,-dac_read_search"];
  await needs("setpriv", [...mortal, "true"], context);
  return here.program("setpriv", [...mortal, process.execPath, BIN, ...words]).ended;
}

describe("reports in files", { timeout: 60_000 }, () => {
  it("several formats at once, each in its place, stdout left to the one without file", async () => {
    await using here = await shell(SKEWED);
    const { code, stdout, stderr } = await here.assert(...RUN, "-o", "json=report.json", "-o", "terminal", "-o", "terminal=report.txt");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^✗ VIOLATED /);
    expect(await here.read("report.txt")).toBe(stdout);
    expect(await here.read("report.json")).toBe((await here.assert(...RUN, "-o", "json")).stdout);
  });

  it("a report that was there is replaced, and nothing else is left in the folder", async () => {
    await using here = await shell({ ...EVEN, "out/report.json": "old" });
    expect((await here.assert(...RUN, "-o", "json=out/report.json")).code).toBe(0);
    expect(await here.read("out/report.json")).toContain('"verdict": "holds"');
    expect(await readdir(join(here.path, "out"))).toEqual(["report.json"]);
  });

  it("a link in place of the report is replaced, not followed", async () => {
    await using here = await shell({ ...EVEN, "precious.txt": "precious" });
    await symlink("precious.txt", join(here.path, "report.json"));
    expect((await here.assert(...RUN, "-o", "json=report.json")).code).toBe(0);
    expect(await here.read("precious.txt")).toBe("precious");
    expect((await lstat(join(here.path, "report.json"))).isFile()).toBe(true);
  });

  it("what is no plain file is written straight", async () => {
    await using here = await shell(EVEN);
    const { code, stdout } = await here.program("sh", ["-c", `$ASSERT ${RUN.join(" ")} -o json=/dev/stderr 2>&1 | cat`]).ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "holds" });
  });

  const places: readonly (readonly [claim: string, place: string, stderr: string])[] = [
    ["a folder that is not there", "no/such/report.json", "`no/such/report.json` cannot be written: there is no folder `no/such`\n  help: make it: `mkdir -p no/such`"],
    ["a folder", "clusters", "`clusters` cannot be written: it is a folder\n  help: name a file in it"],
    ["a file where a folder should be", "assert.yaml/report.json", "`assert.yaml/report.json` cannot be written: there is no folder `assert.yaml`\n  help: make it: `mkdir -p assert.yaml`"],
  ];
  it.each(places)("cannot go into %s, which is said before the work", async (_, place, stderr) => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": "broken: [" });
    expect(await here.assert(...RUN, "-o", `json=${place}`)).toEqual({ code: 3, stdout: "", stderr: `error[output]: ${stderr}\n` });
  });

  it("cannot go into a folder without permission, which is said before the work", async (context) => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": "broken: [", "locked/x": "" });
    await chmod(join(here.path, "locked"), 0o555);
    expect(await asMortal(here, [...RUN, "-o", "json=locked/report.json"], context)).toEqual({
      code: 3,
      stdout: "",
      stderr: "error[output]: `locked/report.json` cannot be written: permission denied\n  help: write elsewhere, or correct the permissions of its folder\n",
    });
  });
});

describe("snapshots in a folder", { timeout: 60_000 }, () => {
  it.each([
    ["a file", "assert.yaml", "`assert.yaml` cannot be a folder: a file is there\n  help: name another place"],
    ["a place below a file", "assert.yaml/x/y", "`assert.yaml/x/y` cannot be written: a part of its path is a file\n  help: name another place"],
    ["a device", "/dev/full", "`/dev/full` cannot be a folder: a file is there\n  help: name another place"],
  ])("cannot go into %s, which is said before the work", async (_, place, stderr) => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": "broken: [" });
    expect(await here.assert("collect", "--out", place)).toEqual({ code: 3, stdout: "", stderr: `error[output]: ${stderr}\n` });
  });

  it("cannot go into a folder without permission, nor into a new one below it", async (context) => {
    await using here = await shell({ ...EVEN, "assertions/mesh.yaml": "broken: [" });
    await mkdir(join(here.path, "locked"), { mode: 0o555 });
    for (const place of ["locked", "locked/new"]) {
      const { code, stderr } = await asMortal(here, ["collect", "--out", place], context);
      expect([code, stderr]).toEqual([3, `error[output]: \`${place}\` cannot be written: permission denied\n  help: write elsewhere, or correct the permissions of its folder\n`]);
    }
  });
});

describe("a full disk", { timeout: 60_000 }, () => {
  const FULL = "error[output]: the output cannot be written (ENOSPC)\n  help: make room, or write the report elsewhere with `-o FORMAT=FILE`\n";

  it.each([["run"], ["run", "-o", "json"], ["kinds"], ["--version"], ["--help"], ["explain", "EnvoyVersionSkew"], ["completion", "bash"]])("under stdout of `assert %s %s %s` ends with 3 and says so", async (...words) => {
    await using here = await shell(EVEN);
    const { code, stderr } = await here.program("sh", ["-c", `$ASSERT ${words.join(" ")} > /dev/full`]).ended;
    expect([code, stderr]).toEqual([3, FULL]);
  });

  it("under stderr costs the message, not the exit code", async () => {
    await using here = await shell(EVEN);
    expect((await here.program("sh", ["-c", "$ASSERT nope 2> /dev/full"]).ended).code).toBe(3);
    expect((await here.program("sh", ["-c", "$ASSERT run 2> /dev/full"]).ended).code).toBe(0);
  });

  it("under a device that was named ends with 3 and says so", async () => {
    await using here = await shell(EVEN);
    expect(await here.assert("run", "-o", "json=/dev/full")).toEqual({ code: 3, stdout: "", stderr: "error[output]: `/dev/full` cannot be written: the disk is full\n  help: make room, or write elsewhere\n" });
  });

  it("leaves the report of yesterday as it was, nothing half beside it, and prints nothing", async (context) => {
    await needs("unshare", ["-m", "true"], context);
    await using here = await shell({ ...SKEWED, ...LOUD, "assertions/mesh.yaml": `{apiVersion: cloud-assert/v1, kind: Loud, metadata: {name: x}, spec: {lines: 200}}` });
    const script = `mkdir tiny && mount -t tmpfs -o size=16k none tiny && echo yesterday > tiny/report.json
      $ASSERT run --plugin mine -o json=tiny/report.json -o terminal; echo code $?; cat tiny/report.json; ls -A tiny
      $ASSERT collect --plugin mine --out tiny > /dev/null; echo code $?; ls -A tiny`;
    const { stdout, stderr } = await here.program("unshare", ["-m", "sh", "-c", script]).ended;
    expect(stderr.split("\n")[0]).toBe("error[output]: `tiny/report.json` cannot be written: the disk is full");
    expect(stdout).toBe("code 3\nyesterday\nreport.json\ncode 0\neks.json\ngke.json\nreport.json\n");
  });
});

describe("a reader that went away", { timeout: 60_000 }, () => {
  it("`| head -1` ends quietly, with the code of the verdict", async () => {
    // longer than any pipe, so that the writer does meet the closed end
    await using here = await shell({ ...EVEN, ...LOUD, "assertions/mesh.yaml": `${skew("close")}---\n{apiVersion: cloud-assert/v1, kind: Loud, metadata: {name: x}, spec: {lines: 5000}}` });
    const { stdout, stderr } = await here.program("sh", ["-c", "{ $ASSERT run -v --plugin mine; echo $? > code; } | head -1"]).ended;
    expect([stdout, stderr]).toEqual(["✓ HOLDS  all 2 assertions hold\n", ""]);
    expect(await here.read("code")).toBe("0\n");
  });
});

describe("writing files", () => {
  const aborted = AbortSignal.abort(new Error("interrupted"));
  const going = new AbortController().signal;
  const file = (here: Shell, name: string, text = name) => ({ path: join(here.path, name), shown: name, text });

  it("none is there where the run was interrupted before", async () => {
    await using here = await shell({ "old.json": "old" });
    await expect(writeFiles([file(here, "old.json"), file(here, "new.json")], aborted)).rejects.toThrow("interrupted");
    expect(await readdir(here.path)).toEqual(["old.json"]);
    expect(await here.read("old.json")).toBe("old");
  });

  it("none is there where one of them cannot be", async () => {
    await using here = await shell({ "old.json": "old" });
    await expect(writeFiles([file(here, "old.json"), file(here, "no/new.json")], going)).rejects.toThrow("`no/new.json` cannot be written: its folder is not there");
    expect(await readdir(here.path)).toEqual(["old.json"]);
    expect(await here.read("old.json")).toBe("old");
  });

  it("what a run that was killed left behind is in nobody's way, and is another's business", async () => {
    await using here = await shell({ [`.r.json.${process.pid}.tmp`]: "theirs" });
    await writeFiles([file(here, "r.json")], going);
    expect((await readdir(here.path)).toSorted()).toEqual([`.r.json.${process.pid}.tmp`, "r.json"]);
  });

  it("two runs at once leave one whole file", async () => {
    await using here = await shell();
    const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(100_000));
    await Promise.all(texts.map((text) => writeFiles([file(here, "r.json", text)], going)));
    expect(await readdir(here.path)).toEqual(["r.json"]);
    expect(texts).toContain(await here.read("r.json"));
  });
});
