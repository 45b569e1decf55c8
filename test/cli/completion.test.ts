import { describe, expect, it } from "vitest";
import { main } from "../../cli/main.ts";
import { fakeTerminal } from "../support/terminal.ts";
import { EVEN, LOUD, needs, shell, skew } from "./shell.ts";

const KUBECONFIG = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "u", user: {} }],
  contexts: ["eks-prod", "gke-prod", "arn:aws:eks:eu-west-1:1:cluster/prod", "two\nlines"].map((name) => ({ name, context: { cluster: "c", user: "u" } })),
});

const FILES = { ...EVEN, ...LOUD, ".kube/config": KUBECONFIG, "other.json": KUBECONFIG.replaceAll("eks-prod", "from-other"), "assertions/mesh.yaml": `${skew("close")}---\n${skew("closer")}`, "more.yaml": skew("from-more") };

/** What may stand in the place of the last word. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  await using here = await shell(FILES);
  const terminal = fakeTerminal({ cwd: here.path });
  expect(await main(["__complete", ...words], terminal)).toBe(0);
  expect(terminal.said.stderr).toBe("");
  return terminal.said.stdout.trimEnd().split("\n");
}

describe("what completion offers", () => {
  const rows: readonly (readonly [claim: string, line: readonly string[], offers: readonly string[]])[] = [
    ["commands, those that begin like the word", ["co"], ["words", "collect", "compare", "completion"]],
    ["one command, when only one begins like it", ["tes"], ["words", "test"]],
    ["flags of a command with those of all", ["collect", "--ou"], ["words", "--out", "--output"]],
    ["no flag of another command", ["run", "--out"], ["words", "--output"]],
    ["a flag that begins like the word", ["run", "--wa"], ["words", "--waivers"]],
    ["formats", ["run", "-o", ""], ["words", "terminal", "json", "sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"]],
    ["files after a format", ["run", "-o", "json="], ["files"]],
    ["contexts of the kubeconfig", ["run", "--context", "e"], ["words", "eks-prod"]],
    ["contexts with colons in their names", ["run", "--context", "arn:"], ["words", "arn:aws:eks:eu-west-1:1:cluster/prod"]],
    ["contexts of the kubeconfig that the line names", ["run", "--kubeconfig", "other.json", "--context", "f"], ["words", "from-other"]],
    ["values behind an equals sign", ["run", "--context=g"], ["words", "--context=gke-prod"]],
    ["assertions of the files that a run would read", ["run", "--only", "c"], ["words", "close", "closer"]],
    ["assertions of the files that the line names", ["run", "more.yaml", "--only", ""], ["words", "from-more"]],
    ["the words of a flag", ["run", "--probe", ""], ["words", "metrics", "admin", "nodes"]],
    ["the words of a flag, by their beginning", ["run", "--color", "al"], ["words", "always"]],
    ["files where files may stand", ["run", ""], ["files"]],
    ["folders where a flag takes one", ["run", "--snapshots", ""], ["folders"]],
    ["nothing where only the user knows", ["run", "--timeout", ""], ["words"]],
    ["kinds, those of plug-ins too", ["explain", "--plugin", "mine", "L"], ["words", "Loud"]],
    ["shells", ["completion", ""], ["words", "bash", "fish", "zsh"]],
    ["nothing after an unknown command", ["nope", ""], ["words"]],
    ["nothing, and no word of complaint, where files are broken", ["run", "--kubeconfig", "nowhere", "--context", ""], ["words"]],
  ];
  it.each(rows)("%s", async (_, line, offers) => expect(await offered(...line)).toEqual(offers));

  it("never a name that would be two lines", async () => {
    expect((await offered("run", "--context", "")).join("|")).not.toContain("two");
  });
});

describe("the scripts of completion", { timeout: 60_000 }, () => {
  it("of bash completes a line in a real bash, also behind the colons that it takes for ends of words", async (context) => {
    await needs("bash", ["-c", "complete"], context);
    await using here = await shell(FILES);
    const ask = (line: string) => `COMP_LINE='${line}' COMP_POINT=${line.length}; _cloud_assert assert; echo "\${COMPREPLY[*]}"`;
    const script = `assert() { $ASSERT "$@"; }; source <(assert completion bash); compopt() { echo "compopt $*"; }; ${[ask("assert coll"), ask("assert run --context ek"), ask("assert run --context arn:aws:e"), ask("assert run --out"), ask("assert run x")].join("; ")}`;
    const { stdout, stderr } = await here.program("bash", ["-c", script]).ended;
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual(["collect", "eks-prod", "eks:eu-west-1:1:cluster/prod", "--output", "compopt -o default", "", ""]);
  });

  it.each(["zsh", "fish"])("of %s asks the command, and is read by its shell where there is one", async (name) => {
    await using here = await shell();
    const { code, stdout } = await here.assert("completion", name);
    expect(code).toBe(0);
    expect(stdout).toContain(" __complete ");
    await here.write({ script: stdout });
    const read = await here.program("sh", ["-c", `command -v ${name} > /dev/null || exit 0; ${name} -n script`]).ended;
    expect(read).toMatchObject({ code: 0, stderr: "" });
  });
});
