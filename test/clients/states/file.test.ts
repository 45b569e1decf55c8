import { createHash } from "node:crypto";
import { mkdir, symlink, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStates } from "../../../clients/states/index.ts";
import { CANARY, folderOf, read, STATE, surroundings, textOf, told } from "./support.ts";

const place = (folder: string, file = "terraform.tfstate", workspace?: string) => ({ form: "state" as const, file: join(folder, file), shown: `infra/${file}`, workspace });

describe("a state file", () => {
  it("is read as it is, with its digest and the time at which it was last written", async () => {
    await using folder = await folderOf({ "terraform.tfstate": STATE });
    await utimes(join(folder.path, "terraform.tfstate"), 0, Date.parse("2026-11-01T08:00:00Z") / 1000);
    const state = await read(place(folder.path));
    expect(textOf(state)).toBe(STATE);
    expect({ ...state, bytes: undefined }).toEqual({
      bytes: undefined,
      locator: "infra/terraform.tfstate",
      sha256: createHash("sha256").update(STATE).digest("hex"),
      modified: "2026-11-01T08:00:00.000Z",
      locked: false,
    });
  });

  it("of another workspace lies below terraform.tfstate.d beside it", async () => {
    await using folder = await folderOf({ "terraform.tfstate.d/prod/terraform.tfstate": STATE });
    expect(await read(place(folder.path, "x.tfstate", "prod"))).toMatchObject({ locator: "infra/terraform.tfstate.d/prod/terraform.tfstate" });
  });

  it("is locked while Terraform's lock lies beside it, and read all the same", async () => {
    await using folder = await folderOf({ "a.tfstate": STATE, ".a.tfstate.lock.info": "{}" });
    expect(await read(place(folder.path, "a.tfstate"))).toMatchObject({ locked: true });
  });

  it("of zero bytes is given as such: Terraform writes one where nothing was applied yet", async () => {
    await using folder = await folderOf({ "terraform.tfstate": "" });
    expect((await read(place(folder.path))).bytes).toHaveLength(0);
  });

  it("of 300 MB is read whole", async () => {
    await using folder = await folderOf({ "terraform.tfstate": "" });
    await truncate(join(folder.path, "terraform.tfstate"), 300_000_000);
    expect((await read(place(folder.path))).bytes).toHaveLength(300_000_000);
  });

  it("may be named twice: each source has a name of its own", () => {
    const same = { place: place("/infra") };
    expect(openStates([same, same, { ...same, cluster: "b" }], surroundings()).map(({ name, cluster }) => [name, cluster])).toEqual([
      ["infra/terraform.tfstate", undefined],
      ["infra/terraform.tfstate (2)", undefined],
      ["infra/terraform.tfstate (3)", "b"],
    ]);
  });
});

describe("what cannot be read is told with the way out", () => {
  it("a file that is not there", async () => {
    expect(await told(read(place("/nowhere")))).toBe(
      "there is no state `infra/terraform.tfstate` | check the path; a state that is kept elsewhere is named by its backend (`s3`, `gcs`, …) or by the folder of its configuration (`dir`)",
    );
    expect(await told(read(place("/nowhere", "a", "prod")))).toBe(
      "there is no state `infra/terraform.tfstate.d/prod/terraform.tfstate` | check the name of the workspace; `terraform workspace list` tells those that there are",
    );
  });

  it("a directory", async () => {
    await using folder = await folderOf({});
    await mkdir(join(folder.path, "terraform.tfstate"));
    expect(await told(read(place(folder.path)))).toBe("the state `infra/terraform.tfstate` is a directory, not a file | name the state file in it, or write `dir:` for a folder of configuration");
  });

  it("a file that is there and cannot be opened: a link to itself", async () => {
    await using folder = await folderOf({});
    await symlink("terraform.tfstate", join(folder.path, "terraform.tfstate"));
    expect(await told(read(place(folder.path)))).toMatch(/^`infra\/terraform.tfstate` cannot be read \(ELOOP\)|^`infra\/terraform.tfstate` .*link/);
  });

  it("one that is larger than the limit", async () => {
    await using folder = await folderOf({ "terraform.tfstate": "x".repeat(101) });
    expect(await told(read(place(folder.path), {}, { stateBytes: 100 }))).toMatch(/^`infra\/terraform.tfstate` has 101 bytes; at most 100 bytes are read/);
  });

  it("a source that may not be used, in the words that were given", async () => {
    const [source] = openStates([{ place: { form: "command", command: ["sh", "-c", CANARY], cwd: "/" }, refused: { reason: "not used", remedy: "do" } }], surroundings());
    expect(source?.name).toBe("command sh");
    expect(await told(source?.read() ?? Promise.resolve())).toBe("not used | do");
  });
});

describe("a stranger's files", () => {
  it("may not lead out of their folder, not by a link and not by a workspace", async () => {
    await using outside = await folderOf({ "terraform.tfstate": STATE, "prod/terraform.tfstate": STATE });
    await using folder = await folderOf({ "own.tfstate": STATE });
    await symlink(join(outside.path, "terraform.tfstate"), join(folder.path, "linked"));
    await symlink(outside.path, join(folder.path, "terraform.tfstate.d"));
    const within = { within: folder.path };
    expect(textOf(await read(place(folder.path, "own.tfstate"), within))).toBe(STATE);
    for (const [file, workspace] of [["linked"], ["../x"], ["own.tfstate", "prod"]] as const) {
      expect(await told(read(place(folder.path, file, workspace), within))).toMatch(/^--untrusted: `.*` leads out of the folder of the fleet file \|/);
    }
  });
});
