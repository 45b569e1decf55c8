import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CONSTRUCTS } from "./dataplane/constructs.ts";

it("the README of routes lists the constructs that worlds are counted by", () => {
  const text = readFileSync(join(import.meta.dirname, "../../routes/README.md"), "utf8");
  const listed = [...text.slice(text.indexOf("## Constructs")).matchAll(/^- `(.+)`$/gm)].map(([, name]) => name);
  expect(listed).toEqual(Object.keys(CONSTRUCTS));
});
