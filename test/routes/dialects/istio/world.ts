import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { type Effect, type IstioPlace, istioWorld, type Request, resolve, type RouteWorld, type View } from "#routes";

/** The world of YAML documents; whole unless told otherwise, with releases that are known. */
export function worldOf(yaml: string, options: Partial<IstioPlace> = {}): RouteWorld {
  const objects = loadAll(yaml).map((object) => ({ object }));
  return istioWorld({ place: "test", objects, complete: true, unseen: ["Pod"], istio: "1.30.0", envoy: "1.39.1", meshConfig: {}, ...options });
}

export function worldIn(file: string): RouteWorld {
  return worldOf(readFileSync(file, "utf8"));
}

/** True of the view that has all these fields. */
export function like(wanted: Readonly<Record<string, unknown>>): (view: View) => boolean {
  return (view) => Object.entries(wanted).every(([key, value]) => Object.entries(view).some(([name, given]) => name === key && given === value));
}

/** A request of a test: what is left out is `GET http://a.com/`. */
export type Probe = Partial<Request>;

/** What the readings of a view answer. */
export function answers(world: RouteWorld, view: (view: View) => boolean, probe: Probe): readonly (Effect | "no such view")[] {
  const found = world.views.find((candidate) => view(candidate.view));
  if (found === undefined) return ["no such view"];
  const request = { method: "GET", scheme: "http" as const, authority: "a.com", path: "/", headers: [], ...probe };
  return found.readings.map(({ listener }) => resolve(listener, request).effect);
}
