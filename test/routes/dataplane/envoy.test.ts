import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compareWorlds } from "#routes";
import { translate } from "../../oracles/istiod.ts";
import { findAll } from "../../parts/cache.ts";
import { guardedSeed, random } from "../../support/seed.ts";
import { apiWorldOf } from "./gateway-api-worlds.ts";
import { declaredWorld, loadedPlace } from "./loaded.ts";
import { type Case, runCases, type Tally } from "./run.ts";
import { objectsFor, worldOf } from "./worlds.ts";

const WORLDS = Number(process.env["DATAPLANE_WORLDS"] ?? (process.env["CLOUD_ASSERT_DEEP"] === "1" ? 1_000 : 60));
const REQUESTS = 60;
/** Worlds that one Envoy serves at a time. */
const BATCH = 6;

const parts = await findAll(["istiod", "envoy"]);

const languages: readonly (readonly [name: string, worlds: number, make: typeof worldOf, undecided: number, guard: number])[] = [
  // The first world of this seed has a Sidecar whose listener for a port lets in no service of it.
  ["objects of Istio", WORLDS, worldOf, 0.05, 591_243_239],
  ["objects of Gateway API beside them", Math.ceil(WORLDS / 2), apiWorldOf, 0.02, 900_453_415],
];

it.for(languages)("reads what istiod generates for a proxy as Envoy serves it, and as its objects say: %s", { timeout: 7_200_000 }, async ([name, count, make, most, guard], { skip }) => {
  if ("missing" in parts) return skip(`${parts.missing}; \`npm run parts\` brings it`);
  const start = guardedSeed(`dumps of the data plane, ${name}`, guard);
  const tally: Tally = { worlds: 0, requests: 0, exchanges: 0, witnesses: 0, different: 0, undecided: 0, disagreements: [], reasons: new Map() };
  const rounds = { all: 0, undecided: 0 };
  const made = Array.from({ length: count }, (_, index) => make(start + index * 7919, `SEED=${start + index * 7919}`));
  const questions = made.map((world) => ({ id: world.id, objects: objectsFor(world), views: world.proxies }));
  const translations = translate(parts.istiod, questions)[Symbol.asyncIterator]();
  for (let from = 0; from < made.length; from += BATCH) {
    const batch: Case[] = [];
    for (const world of made.slice(from, from + BATCH)) {
      const answer = await translations.next();
      if (answer.done === true) break;
      for (const proxy of world.proxies) {
        const own = { made: { ...world, proxies: [proxy] }, translation: { ...answer.value, views: answer.value.views?.filter(({ id }) => id === proxy.id) ?? [] } };
        batch.push({ id: `${world.id}/${proxy.id}`, next: random(start + from), places: [own] });
        const { outcome, undecided, differences, size } = compareWorlds([declaredWorld(world, proxy), loadedPlace(own.made, own.translation, "loaded").world], { hosts: ["*"] });
        if (size.views === 0) continue;
        rounds.all++;
        if (outcome === "undecided") rounds.undecided++;
        for (const { reason } of undecided) tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
        // What Envoy refuses is the same as nothing else, not even where both refuse it.
        const real = differences.filter(({ answers }) => !answers.every(({ effect }) => effect.type === "invalid"));
        if (outcome === "different" && real.length > 0) tally.disagreements.push(`${world.id} ${proxy.id}: ${JSON.stringify(real.slice(0, 2)).slice(0, 2500)}`);
      }
    }
    await runCases(parts.envoy, batch, REQUESTS, tally, loadedPlace);
  }
  await translations.next();
  const { requests, exchanges, disagreements, reasons } = tally;
  process.stdout.write(`${rounds.all} proxies, ${rounds.undecided} undecided, ${requests} requests, ${exchanges} exchanges ${JSON.stringify([...reasons])}\n`);
  const listed = process.env["DATAPLANE_DISAGREEMENTS"];
  if (listed !== undefined) writeFileSync(listed, `${disagreements.join("\n\n")}\n`);
  expect(disagreements.slice(0, 5).join("\n\n"), `${disagreements.length} disagreements`).toBe("");
  expect(rounds.undecided / rounds.all).toBeLessThanOrEqual(most);
});
