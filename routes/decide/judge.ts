/**
 * What the effects of one request in several tables say about the places.
 *
 * @module
 */

/** One table of one place. */
export interface Source {
  readonly place: number;
  /** What the table supposes: the versions it stands for, where they are not known. */
  readonly versions?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** `different`: whatever is supposed, some places differ. `open`: it depends. */
export type Judgement = "same" | "different" | "open";

/** Most combinations of readings that are looked at one by one. */
const MOST_COMBINATIONS = 4096;

/** Judges requests over places of which each may be read in several ways. */
export class Judge {
  /** One table for each place; undefined where they are too many. */
  private readonly combinations: readonly (readonly number[])[] | undefined;
  private readonly sources: readonly Source[];

  constructor(sources: readonly Source[]) {
    this.sources = sources;
    this.combinations = combinationsOf(sources);
  }

  /** `keys` has one text for each table: the same text, the same effect. */
  judge(keys: readonly string[]): Judgement {
    if (keys.every((key) => key === keys[0])) return "same";
    if (this.combinations === undefined) return this.judgeApart(keys);
    let same = 0;
    for (const tables of this.combinations) {
      const first = keys[tables[0] ?? 0];
      if (tables.every((table) => keys[table] === first)) same++;
    }
    return same === this.combinations.length ? "same" : same === 0 ? "different" : "open";
  }

  /** Whether tables that can hold at once always have one key, so that those of different keys need not be compared. */
  areApart(keys: readonly string[]): boolean {
    return this.judge(keys) === "same";
  }

  /** Different where two places have no effect in common. */
  private judgeApart(keys: readonly string[]): Judgement {
    const effects = new Map<number, Set<string>>();
    this.sources.forEach(({ place }, table) => {
      const own = effects.get(place) ?? new Set();
      effects.set(place, own.add(keys[table] ?? ""));
    });
    const sets = [...effects.values()];
    const isApart = sets.some((one, index) => sets.slice(index + 1).some((other) => [...one].every((key) => !other.has(key))));
    return isApart ? "different" : "open";
  }

  /** The tables of the first combination: what a report shows. */
  get shown(): readonly number[] {
    const [first] = this.combinations ?? [];
    if (first !== undefined) return first;
    const tables = new Map<number, number>();
    this.sources.forEach(({ place }, table) => tables.has(place) || tables.set(place, table));
    return [...tables.values()];
  }
}

/** Every choice of one reading for each place that can hold at once: places of unknown versions are taken to have the same. */
function combinationsOf(sources: readonly Source[]): readonly (readonly number[])[] | undefined {
  const byPlace = new Map<number, number[]>();
  sources.forEach(({ place }, table) => {
    const own = byPlace.get(place);
    if (own === undefined) byPlace.set(place, [table]);
    else own.push(table);
  });
  let combinations: (readonly number[])[] = [[]];
  for (const tables of byPlace.values()) {
    combinations = combinations.flatMap((chosen) => tables.filter((table) => isPossible([...chosen, table], sources)).map((table) => [...chosen, table]));
    if (combinations.length > MOST_COMBINATIONS) return undefined;
  }
  return combinations;
}

function isPossible(tables: readonly number[], sources: readonly Source[]): boolean {
  const left = new Map<string, ReadonlySet<string>>();
  for (const table of tables) {
    for (const [program, versions] of Object.entries(sources[table]?.versions ?? {})) {
      const before = left.get(program);
      const both = new Set(before === undefined ? versions : versions.filter((version) => before.has(version)));
      if (both.size === 0) return false;
      left.set(program, both);
    }
  }
  return true;
}
