import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/room.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Readonly<Record<string, Readonly<Record<string, string>>>>;
const rooms = ["dependencies", "devDependencies", "optionalDependencies"] as const;
const versions = Object.assign({}, ...rooms.map((room) => manifest[room])) as Readonly<Record<string, string>>;

/** `node-*` stands for all packages that carry Node itself. */
const named = (name: string) => (name.startsWith("node-") ? "node-*" : name);

function table(): readonly string[] {
  const [, section = ""] = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").split("## Dependencies");
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

describe("the table of dependencies in CONTRIBUTING.md", () => {
  it("has every package of package.json once, and no other", () => {
    expect(table().toSorted()).toEqual([...new Set(Object.keys(versions).map(named))].toSorted());
  });

  it("stands for exact versions", () => {
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
