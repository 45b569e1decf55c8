import { byText, canonical, type Evidence, type Fact } from "#engine";
import type { Origin } from "#routes";

type RoutingFact = Fact<"routing">;

/** What places are made of: objects, or what a proxy has loaded. */
export type PlaceFact = RoutingFact | Fact<"loaded-routes">;

/** Finds the objects behind rules, as what a finding cites. */
export class Evidences {
  readonly #places: ReadonlyMap<string, ReadonlyMap<string, PlaceFact>>;

  constructor(facts: ReadonlyMap<string, readonly PlaceFact[]>) {
    this.#places = new Map([...facts].map(([place, own]) => [place, new Map(own.map((fact) => [titleOf(fact), fact]))]));
  }

  /** The object of a title such as `VirtualService prod/api`. */
  object(place: string, title: string): PlaceFact | undefined {
    return this.#places.get(place)?.get(title);
  }

  /** A rule of a place, or the place itself where no rule decides. */
  of(place: string, rule: Pick<Origin, "object"> | undefined, label: string, value: string): readonly Evidence[] {
    const fact = rule === undefined ? undefined : this.object(place, rule.object);
    return fact === undefined ? this.ofPlace(place, label, value) : [{ cluster: fact.cluster, label, value, source: fact.source }];
  }

  ofPlace(place: string, label: string, value: string): readonly Evidence[] {
    const facts = this.#places.get(place);
    const fact = facts?.get(PLACE) ?? facts?.values().next().value;
    return fact === undefined ? [] : [{ cluster: fact.cluster, label, value, source: fact.source }];
  }

  /** Everywhere that holds the object; nowhere: all places. */
  anywhere(title: string | undefined, label: string, value: string): readonly Evidence[] {
    const holders = title === undefined ? [] : this.places().filter((place) => this.object(place, title) !== undefined);
    return holders.length > 0 ? holders.flatMap((place) => this.of(place, { object: title ?? "" }, label, value)) : this.places().flatMap((place) => this.ofPlace(place, label, value));
  }

  places(): readonly string[] {
    return [...this.#places.keys()].toSorted(byText);
  }

  /**
   * Another VirtualService for a host of this one, where both say the same everywhere and were not made in the same order everywhere:
   * nothing in any file shows that. With the older of the two, by place.
   */
  reordered(title: string, places: readonly string[]): { readonly other: string; readonly older: ReadonlyMap<string, string> } | undefined {
    const [first = ""] = places;
    const hosts = new Set(hostsOf(this.object(first, title)));
    const others = [...(this.#places.get(first)?.values() ?? [])].filter((fact) => hostsOf(fact).some((host) => hosts.has(host))).map(titleOf);
    for (const other of others.toSorted(byText)) {
      if (other === title || !this.#isSame(title, places) || !this.#isSame(other, places)) continue;
      const older = new Map(places.map((place) => [place, this.#older(place, title, other)]));
      if (new Set(older.values()).size > 1) return { other, older };
    }
    return undefined;
  }

  #isSame(title: string, places: readonly string[]): boolean {
    const texts = places.map((place) => {
      const data = this.object(place, title)?.data;
      // Gateways may have other names elsewhere; which of them are one has been settled before.
      return data !== undefined && "type" in data && data.type === "object" && data.created !== undefined ? canonical({ ...data.spec, gateways: undefined }) : undefined;
    });
    return texts[0] !== undefined && texts.every((text) => text === texts[0]);
  }

  /** Of two objects of one age istiod takes the one that comes first by name. */
  #older(place: string, one: string, other: string): string {
    const [a, b] = [one, other].map((title) => {
      const data = this.object(place, title)?.data;
      return data !== undefined && "type" in data && data.type === "object" ? `${data.created ?? ""}\0${data.name}\0${data.namespace}` : "";
    });
    return byText(a ?? "", b ?? "") <= 0 ? one : other;
  }
}

function hostsOf(fact: PlaceFact | undefined): readonly string[] {
  if (fact === undefined || !("type" in fact.data) || fact.data.type !== "object" || fact.data.kind !== "VirtualService") return [];
  const { hosts } = fact.data.spec;
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === "string") : [];
}

const PLACE = "";

/** As the route engine writes it in origins. */
function titleOf({ data }: PlaceFact): string {
  if (!("type" in data) || data.type === "place") return PLACE;
  return data.namespace === "" ? `${data.kind} ${data.name}` : `${data.kind} ${data.namespace}/${data.name}`;
}
