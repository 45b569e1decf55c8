import { expect, it } from "vitest";
import { type IstioPlace, istioWorld, istioWorlds } from "#routes";
import { random, seed } from "../../../support/seed.ts";
import { apiWorldOf, editedApiWorld } from "../../dataplane/gateway-api-worlds.ts";

const TURNS = 150;

it("places of Gateway API that are read together are what each gives alone", { timeout: 120_000 }, () => {
  const start = seed("shared routes of Gateway API");
  for (let turn = 0; turn < TURNS; turn++) {
    const next = random(start + turn);
    const world = apiWorldOf(start + turn, `w${turn}`);
    const known = turn % 2 === 0 ? { istio: "1.31.0", envoy: "1.40.0" } : {};
    const reading = turn % 3 === 0 ? { reading: "specification" as const } : {};
    const places = [world, world, editedApiWorld(world, next), editedApiWorld(world, next)].map((one, index): IstioPlace => {
      // The same route from another file, of another age, or beside other grants, is the same in all but that.
      const objects = one.objects.filter(({ kind }) => kind !== "ReferenceGrant" || next(3) > 0).map((object) => ({ object: next(8) === 0 ? aged(object) : object, ...(turn % 5 === 0 ? { file: `${index}.yaml`, line: 1 + next(3) } : {}) }));
      return { place: `p${index}`, objects, complete: next(4) > 0, meshConfig: one.meshConfig, ...known, ...reading };
    });
    expect(istioWorlds(places)).toEqual(places.map((place) => istioWorld(place)));
  }
});

function aged(object: object): object {
  const metadata: unknown = Reflect.get(object, "metadata");
  return { ...object, metadata: { ...(typeof metadata === "object" ? metadata : {}), creationTimestamp: "2025-12-31T00:00:00Z" } };
}
