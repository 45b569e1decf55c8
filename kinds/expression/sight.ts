import { celList, celMap, isCelMap, type CelInput, type CelValue } from "@bufbuild/cel";
import { fullName, selectsObject, type Cluster, type Fact, type Json, type JsonObject, type ObjectSeen, type World } from "#engine";
import { objectPathText } from "#values";
import type { Selection } from "./spec.ts";
import { mapOf, NotKept } from "./values.ts";

export type ObjectFact = Fact<"objects"> & { readonly data: ObjectSeen };

/** Selections by their key; `""` where there is one only. */
export type Selections = ReadonlyMap<string, Selection>;

function isObjectFact(fact: Fact<"objects">): fact is ObjectFact {
  return fact.data.what === "object";
}

/** What an expression sees of one cluster. */
export interface Sight {
  readonly cluster: Cluster;
  /** Selected objects, by the key of their selection. */
  readonly objects: ReadonlyMap<string, readonly ObjectFact[]>;
  /** `objects`, as the expression sees it. */
  readonly value: CelInput;
}

/** One conversion for each fact, however many assertions look at it. */
const converted = new WeakMap<object, CelInput>();
const ORIGIN = Symbol("the object that it is");

/** The object that a value of an expression is. */
export function originOf(value: CelValue): ObjectFact | undefined {
  const origin: unknown = typeof value === "object" && value !== null ? Reflect.get(value, ORIGIN) : undefined;
  return origin as ObjectFact | undefined;
}

export function sightsOf(selections: Selections, world: World<"objects">): readonly Sight[] {
  const facts = Map.groupBy(world.facts("objects").filter(isObjectFact), ({ cluster }) => cluster);
  return world.clusters.map((cluster) => {
    const mine = Map.groupBy(facts.get(cluster.name) ?? [], ({ selector = "" }) => selector);
    const objects = new Map([...selections].map(([key, selection]) => [key, (mine.get(`${selection.apiVersion}/${selection.kind}`) ?? []).filter(({ data }) => selectsObject(selection, data))]));
    const lists = new Map([...objects].map(([key, list]) => [key, celList(list.map(valueOf))]));
    return { cluster, objects, value: lists.get("") ?? celMap(lists) };
  });
}

function valueOf(fact: ObjectFact): CelInput {
  const known = converted.get(fact.data);
  if (known !== undefined) return known;
  const value = mapOf(withMarks(fact.data));
  converted.set(fact.data, value);
  if (isCelMap(value)) Reflect.set(value, ORIGIN, fact);
  return value;
}

/** What is not kept stands there as such: that it is there can be asked, and nothing else. */
function withMarks({ content, hidden }: ObjectSeen): JsonObject {
  const marks = Object.entries(hidden);
  if (marks.length === 0) return content;
  const root = structuredClone(content);
  for (const [key] of marks) {
    const path = JSON.parse(key) as readonly string[];
    put(root, path, new NotKept(objectPathText(path)));
  }
  return root;
}

function put(root: Json, path: readonly string[], mark: NotKept): void {
  let here: unknown = root;
  for (const [index, step] of path.entries()) {
    if (typeof here !== "object" || here === null) return;
    const next: unknown = Object.hasOwn(here, step) ? Reflect.get(here, step) : undefined;
    const value = index === path.length - 1 ? mark : typeof next === "object" && next !== null ? next : {};
    Object.defineProperty(here, step, { value, enumerable: true, configurable: true, writable: true });
    here = value;
  }
}

/** `name`, `cloud`, `region` and `labels` of a cluster; what is not known is absent. */
export function clusterValue({ name, cloud, region, labels }: Cluster, objects?: CelInput): CelInput {
  const fields: [string, CelInput][] = [["name", name], ...(cloud === undefined ? [] : [["cloud", cloud] as [string, CelInput]]), ...(region === undefined ? [] : [["region", region] as [string, CelInput]])];
  return celMap(new Map<string, CelInput>([...fields, ["labels", mapOf({ ...labels })], ...(objects === undefined ? [] : [["objects", objects] as [string, CelInput]])]));
}

export function placeOf(fact: ObjectFact): string {
  return `${fact.cluster} ${fullName(fact.data)}`;
}
