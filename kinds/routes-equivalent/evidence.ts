import { byText, canonical, type Evidence, type Fact } from "#engine";
import type { Origin } from "#routes";

type RoutingFact = Fact<"routing">;

/** Finds the objects behind rules, as what a finding cites. */
export class Evidences {
  readonly #places: ReadonlyMap<string, ReadonlyMap<string, RoutingFact>>;

  constructor(facts: ReadonlyMap<string, readonly RoutingFact[]>) {
    this.#places = new Map([...facts].map(([place, own]) => [place, new Map(own.map((fact) => [titleOf(fact), fact]))]));
  }

  /** The object of a title such as `VirtualService prod/api`. */
  object(place: string, title: string): RoutingFact | undefined {
    return this.#places.get(place)?.get(title);
  }

  /** A rule of a place, or the place itself where no rule decides. */
  of(place: string, rule: Pick<Origin, "object"> | undefined, label: string, value: string): readonly Evidence[] {
    const fact = rule === undefined ? undefined : this.object(place, rule.object);
    return fact === undefined ? this.ofPlace(place, label, value) : [{ cluster: place, label, value, source: fact.source }];
  }

  ofPlace(place: string, label: string, value: string): readonly Evidence[] {
    const facts = this.#places.get(place);
    const fact = facts?.get(PLACE) ?? facts?.values().next().value;
    return fact === undefined ? [] : [{ cluster: place, label, value, source: fact.source }];
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
   * The two objects in the order in which they were made in a place; undefined where one of them is not there,
   * they differ from those of the first place, or their age is not told.
   */
  orderOf(place: string, titles: readonly [string, string], like: string): readonly [string, string] | undefined {
    const [one, other] = titles.map((title) => this.object(place, title)?.data);
    const models = titles.map((title) => this.object(like, title)?.data);
    if (one?.type !== "object" || other?.type !== "object") return undefined;
    const isSame = [one, other].every((data, index) => models[index]?.type === "object" && canonical(data.spec) === canonical(models[index].spec));
    if (!isSame || one.created === undefined || other.created === undefined) return undefined;
    return byText(one.created, other.created) <= 0 ? titles : [titles[1], titles[0]];
  }
}

const PLACE = "";

/** As the route engine writes it in origins. */
function titleOf({ data }: RoutingFact): string {
  if (data.type === "place") return PLACE;
  return data.namespace === "" ? `${data.kind} ${data.name}` : `${data.kind} ${data.namespace}/${data.name}`;
}
