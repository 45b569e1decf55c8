import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeKind } from "../support/kind-contract.ts";
import { root, roomOf } from "../support/room.ts";

const room = roomOf(join(root, "kinds"));

describe("the room of kinds", () => {
  it("holds its README and folders, nothing else", () => {
    expect(room.others).toEqual(["README.md"]);
    expect(room.folders.length).toBeGreaterThan(0);
  });
});

room.folders.forEach(describeKind);
describeKind(join(root, "tools/templates/kind/template-kind"));
