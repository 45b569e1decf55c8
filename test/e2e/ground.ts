import { inject, it, type TestContext } from "vitest";
import { findAll } from "../parts/cache.ts";
import type { PartName } from "../parts/parts.ts";
import type { Ground } from "./setup.ts";

/** The three clusters, and the programs to start more. */
export type Here = Exclude<Ground, { readonly missing: string }>;

/**
 * A test on real API servers. Where a part is missing it is skipped with the reason and the command that builds the part;
 * with `CI` or `CLOUD_ASSERT_REQUIRE_PARTS` set it fails.
 */
export function onClusters(claim: string, body: (here: Here, context: TestContext) => Promise<void>): void {
  it(claim, async (context) => {
    const ground = inject("ground");
    if ("missing" in ground) return without(ground.missing, context);
    await body(ground, context);
  });
}

/** The files of parts that no cluster needs; a test that lacks one ends as `onClusters` says. */
export async function programs<Name extends PartName>(names: readonly Name[], context: TestContext): Promise<Readonly<Record<Name, string>>> {
  const files = await findAll(names);
  return "missing" in files ? without(`${files.missing}; \`npm run parts\` brings it`, context) : files;
}

/** Ends a test for want of something that this machine lacks. */
export function without(what: string, context: TestContext): never {
  if (process.env["CI"] || process.env["CLOUD_ASSERT_REQUIRE_PARTS"]) throw new Error(`this run may skip nothing, and ${what}`);
  context.skip(what);
}
