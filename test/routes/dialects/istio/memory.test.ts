import { describe, expect, it } from "vitest";
import { type IstioPlace, istioWorld, istioWorlds } from "#routes";
import { editedAlike, broken, manyHosts, mesh, oneHost, rulesOf } from "../../../bench/route-places.ts";

function placeOf(place: string, objects: readonly unknown[], more: Partial<IstioPlace> = {}): IstioPlace {
  return { place, objects: objects.map((object) => ({ object })), complete: true, istio: "1.30.0", envoy: "1.39.1", meshConfig: {}, ...more };
}

const rules = rulesOf(120, 6);
const files = (objects: readonly unknown[], file: string): Partial<IstioPlace> => ({ objects: objects.map((object, line) => ({ object, file, line })) });
const cases: readonly { readonly name: string; readonly places: readonly IstioPlace[] }[] = [
  { name: "the same rules", places: [placeOf("a", oneHost(0, rules)), placeOf("b", oneHost(0, rules))] },
  { name: "rules that moved and rules that are new", places: [placeOf("a", oneHost(0, rules)), placeOf("b", oneHost(1, editedAlike(rules, 12, 1))), placeOf("c", oneHost(2, broken(rules)))] },
  { name: "the same rules from other files", places: [placeOf("a", [], files(oneHost(0, rules), "a.yaml")), placeOf("b", [], files(oneHost(0, rules), "b.yaml"))] },
  { name: "the same rules and other retries of the mesh", places: [placeOf("a", oneHost(0, rules)), placeOf("b", oneHost(0, rules), { meshConfig: { defaultHttpRetryPolicy: { attempts: 5 } } })] },
  { name: "the same rules and no DestinationRule", places: [placeOf("a", oneHost(0, rules)), placeOf("b", oneHost(0, rules).filter((object) => object["kind"] !== "DestinationRule"))] },
  { name: "the same rules and another domain", places: [placeOf("a", oneHost(0, rules)), placeOf("b", oneHost(0, rules), { domain: "other.local" })] },
  { name: "many hosts", places: [placeOf("a", manyHosts(0, 8, 6)), placeOf("b", manyHosts(1, 8, 6))] },
  { name: "a mesh with Sidecars", places: [placeOf("a", mesh(0, 12, 4, 2, 5), { unseen: ["Pod"] }), placeOf("b", mesh(1, 12, 4, 2, 5), { unseen: ["Pod"] })] },
];

describe("places that are read together", () => {
  for (const { name, places } of cases) {
    it(`give what each gives alone: ${name}`, () => expect(istioWorlds(places)).toEqual(places.map((place) => istioWorld(place))));
  }
});
