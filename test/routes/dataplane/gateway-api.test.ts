import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { translate } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { guardedSeed, random } from "../../support/seed.ts";
import { apiWorldOf, editedApiWorld } from "./gateway-api-worlds.ts";
import { type Case, runCases, type Tally } from "./run.ts";
import { objectsFor } from "./worlds.ts";

const isDeep = process.env["CLOUD_ASSERT_DEEP"] === "1";
const WORLDS = Number(process.env["DATAPLANE_WORLDS"] ?? (isDeep ? 1_000 : 100));
const REQUESTS = 150;
const BATCH = 12;

const parts = await findAll(["istiod", "envoy"]);

it("routes as istiod makes of Gateway API and Envoy serves it, on random worlds", { timeout: 7_200_000 }, async ({ skip }) => {
  if ("missing" in parts) return skip(`${parts.missing}; \`npm run parts\` brings it`);
  const start = guardedSeed("Gateway API on the data plane", 20_261_127);
  const tally: Tally = { worlds: 0, requests: 0, exchanges: 0, witnesses: 0, different: 0, undecided: 0, disagreements: [], reasons: new Map() };
  const made = Array.from({ length: WORLDS }, (_, index) => {
    const own = start + index * 7919;
    const next = random(own + 1);
    const world = apiWorldOf(own, `SEED=${own}`);
    return { id: world.id, next, places: [world, editedApiWorld(world, next)] };
  });
  const questions = made.flatMap(({ id, places }) => places.map((place, index) => ({ id: `${id}/${index}`, objects: objectsFor(place), views: place.proxies })));
  const translations = translate(parts.istiod, questions)[Symbol.asyncIterator]();
  for (let from = 0; from < made.length; from += BATCH) {
    const batch: Case[] = [];
    for (const { id, next, places } of made.slice(from, from + BATCH)) {
      const own = [];
      for (const place of places) {
        const answer = await translations.next();
        if (answer.done !== true) own.push({ made: place, translation: answer.value });
      }
      batch.push({ id, next, places: own });
    }
    await runCases(parts.envoy, batch, REQUESTS, tally);
  }
  await translations.next();
  const { worlds, requests, exchanges, witnesses, different, undecided, disagreements, reasons } = tally;
  process.stdout.write(`${worlds} worlds, ${requests} requests, ${exchanges} exchanges, ${witnesses} witnesses, ${different} different, ${undecided} undecided ${JSON.stringify([...reasons])}\n`);
  const listed = process.env["DATAPLANE_DISAGREEMENTS"];
  if (listed !== undefined) writeFileSync(listed, `${disagreements.join("\n\n")}\n`);
  expect(disagreements.slice(0, 5).join("\n\n"), `${disagreements.length} disagreements`).toBe("");
  expect(undecided / worlds).toBeLessThanOrEqual(0.1);
});
