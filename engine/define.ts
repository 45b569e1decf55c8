import type { FactKind } from "./facts.ts";
import type { Io, Permission, Probe } from "./io.ts";
import type { JsonObject } from "./json.ts";
import type { Cluster, Fact, Gap, Judgement, Request } from "./model.ts";
import type { ObjectSelection } from "./objects.ts";
import type { World } from "./world.ts";

/** Code that can judge. A value, never a class; it sees only what it asked for. */
export interface Kind<Spec = never, K extends FactKind = FactKind> {
  /** The word users write as `kind:`; the folder is its kebab form. */
  readonly name: string;
  /** One claim in plain words: what is true when it holds. */
  readonly summary: string;
  /** What must be collected to judge this spec. */
  needs(spec: Spec): readonly Request<K>[];
  /** What `judged` counts, one and many: `["proxy", "proxies"]`, so that a report says `11 proxies judged`. Left out: things. */
  readonly judges?: readonly [one: string, many: string];
  /**
   * Compares and yields what it finds, and how much it has judged: without a `judged` of at least one the verdict is never `holds`.
   * Pure: the same world in another order of facts gives the same judgement.
   */
  judge(spec: Spec, world: World<K>): Iterable<Judgement>;
  /** What is wrong with a spec although it fits the schema: told when it is loaded, with its place in the file. */
  check?(spec: Spec): Iterable<SpecFault>;
  /** Kinds of document that this kind owns (`HalProfile`), each with its JSON Schema. */
  readonly documents?: Readonly<Record<string, JsonObject>>;
  /** Validators of these documents, compiled ahead, each loaded when a file holds such a document; left out: compiled when needed. */
  readonly documentValidators?: Readonly<Record<string, () => Promise<unknown>>>;
  /** What is wrong with a document although it fits its schema; paths start at its `spec`. */
  checkDocument?(kind: string, content: never): Iterable<SpecFault>;
}

/** A mistake in a spec. */
export interface SpecFault {
  /** Where in the spec. */
  readonly path: readonly (string | number)[];
  /** Of the character in the text at that path, from 0. */
  readonly offset?: number | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** Reads one kind of place and yields facts and gaps. */
export interface Collector<K extends FactKind = FactKind> {
  /** The folder's name. */
  readonly name: string;
  readonly summary: string;
  readonly provides: readonly K[];
  /** Kinds of fact that must be collected first; `io.facts` hands them over. */
  readonly after?: readonly FactKind[];
  /**
   * Answers the requests of one kind of fact. What it throws becomes a gap of that kind (a CollectError with its own words);
   * what it yields before that stays.
   */
  collect(cluster: Cluster, requests: readonly Request<K>[], io: Io): AsyncIterable<Fact<K> | Gap>;
  /** The least rights in the cluster that a request needs, with these probes allowed: what `assert doctor` checks. */
  permissions?(request: Request<K>, probes: readonly Probe[]): readonly Permission[];
  /** The kind that a request lists, where only the API knows which resource that is: `assert doctor` looks it up, and checks that it may be listed. */
  lists?(request: Request<K>): Pick<ObjectSelection, "apiVersion" | "kind"> | undefined;
  /** What `assert collect --all` asks; left out, one plain request of each kind of fact provided. */
  everything?(): readonly Request<K>[];
}

/** A kind as the engine handles it: its spec has been checked against its schema by whoever loaded it. */
export type AnyKind = Kind<never, never>;
export type AnyCollector = Collector<never>;

/** Gives a kind its types and nothing else. */
export function defineKind<Spec, K extends FactKind>(kind: Kind<Spec, K>): Kind<Spec, K> {
  return kind;
}

/** Gives a collector its types and nothing else. */
export function defineCollector<K extends FactKind>(collector: Collector<K>): Collector<K> {
  return collector;
}
