import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { translate } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { guardedSeed, random } from "../../support/seed.ts";
import { CONSTRUCTS } from "./constructs.ts";
import { edited } from "./edits.ts";
import { type Case, runCases, type Tally } from "./run.ts";
import { type MadeWorld, objectsFor, worldOf } from "./worlds.ts";

const isDeep = process.env["CLOUD_ASSERT_DEEP"] === "1";
const WORLDS = Number(process.env["DATAPLANE_WORLDS"] ?? (isDeep ? 5_000 : 300));
const REQUESTS = 200;
/** Worlds that one Envoy serves at a time. */
const BATCH = 12;
/** Fewest worlds that must have held a construct, in a run of the usual size. */
const FEWEST = 10;

const parts = await findAll(["istiod", "envoy"]);

it("routes as istiod and Envoy do, on random worlds", { timeout: 14_400_000 }, async ({ skip }) => {
  if ("missing" in parts) return skip(`${parts.missing}; \`npm run parts\` brings it`);
  const start = guardedSeed("data plane", 252_592_593);
  const tally: Tally = { worlds: 0, requests: 0, exchanges: 0, witnesses: 0, different: 0, undecided: 0, disagreements: [], reasons: new Map() };
  const counts = new Map(Object.keys(CONSTRUCTS).map((name) => [name, 0]));
  for (let first = 0; first < WORLDS; first += BATCH * 5) {
    for await (const batch of casesOf(parts.istiod, start, first, Math.min(WORLDS, first + BATCH * 5))) {
      for (const { places } of batch) {
        for (const [name, holds] of Object.entries(CONSTRUCTS)) if (places.some(({ made }) => holds(made))) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      await runCases(parts.envoy, batch, REQUESTS, tally);
    }
  }
  process.stdout.write(`${[...counts].map(([name, count]) => `${String(count).padStart(6)} ${name}`).join("\n")}\n`);
  const { worlds, requests, exchanges, witnesses, different, undecided, disagreements, reasons } = tally;
  process.stdout.write(`${worlds} worlds, ${requests} requests, ${exchanges} exchanges, ${witnesses} witnesses, ${different} different, ${undecided} undecided ${JSON.stringify([...reasons])}\n`);
  const listed = process.env["DATAPLANE_DISAGREEMENTS"];
  if (listed !== undefined) writeFileSync(listed, `${disagreements.join("\n\n")}\n`);
  expect(disagreements.slice(0, 5).join("\n\n"), `${disagreements.length} disagreements`).toBe("");
  expect(undecided / worlds).toBeLessThanOrEqual(0.05);
  if (WORLDS >= 300) expect([...counts].filter(([, count]) => count < FEWEST)).toEqual([]);
});

/** Worlds of two clusters, translated by one istiod, in batches. */
async function* casesOf(istiod: string, start: number, first: number, end: number): AsyncGenerator<readonly Case[]> {
  const made = Array.from({ length: end - first }, (_, index) => pairOf(start + (first + index) * 7919));
  const questions = made.flatMap(({ id, places }) => places.map((place, index) => ({ id: `${id}/${index}`, objects: objectsFor(place), views: place.proxies })));
  const translations = translate(istiod, questions)[Symbol.asyncIterator]();
  for (let at = 0; at < made.length; at += BATCH) {
    const batch: Case[] = [];
    for (const { id, next, places } of made.slice(at, at + BATCH)) {
      const own = [];
      for (const place of places) {
        const answer = await translations.next();
        if (answer.done !== true) own.push({ made: place, translation: answer.value });
      }
      batch.push({ id, next, places: own });
    }
    yield batch;
  }
  await translations.next();
}

function pairOf(start: number): { readonly id: string; readonly next: Case["next"]; readonly places: readonly MadeWorld[] } {
  const next = random(start);
  // The first numbers of close seeds are close.
  for (let skipped = 0; skipped < 5; skipped++) next(9);
  const world = worldOf(start, `SEED=${start}`);
  return { id: world.id, next, places: [world, edited(world, next)] };
}
