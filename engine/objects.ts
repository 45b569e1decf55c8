import { matchesGlob } from "#values";
import type { Json, JsonObject } from "./json.ts";
import type { Request } from "./model.ts";

/** Which objects of one kind are meant; every given part must match. */
export interface ObjectSelection {
  readonly apiVersion: string;
  readonly kind: string;
  /** Globs. */
  readonly namespaces?: readonly string[] | undefined;
  /** Globs. */
  readonly names?: readonly string[] | undefined;
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
}

/** What `objects` facts say: one fact for the kind in this cluster, and one for each object that somebody selects. */
export type ObjectsFact = KindSeen | ObjectSeen;

/** What the cluster knows of a kind. */
export interface KindSeen {
  readonly what: "kind";
  /** False: the API has no such kind, which is not the same as an empty list. */
  readonly served: boolean;
  /** Versions in which the kind is served. */
  readonly versions: readonly string[];
  /** Where it is not served, or where a folder of manifests has none: kinds that the group and version have. */
  readonly kinds?: readonly string[] | undefined;
  /** Objects of the kind, selected or not. */
  readonly total: number;
  /** Namespaces that hold objects of the kind; at most 200. */
  readonly namespaces: readonly string[];
  /** Namespaces that were listed, where the fleet allows only some; left out: all. */
  readonly listed?: readonly string[] | undefined;
  /** True when an API server wrote these objects, so that its defaults stand in them. */
  readonly written: boolean;
  /** What of the schema matters to a comparison; left out where it could not be read. */
  readonly schema?: SchemaNode | undefined;
  readonly schemaSha256?: string | undefined;
  readonly schemaGap?: { readonly reason: string; readonly remedy: string } | undefined;
}

/** One object. */
export interface ObjectSeen {
  readonly what: "object";
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The object, or the parts that were asked for; what may be secret is cut out of it. */
  readonly content: JsonObject;
  /** What was cut out: its place as a JSON list of keys, and the digest of what stood there. */
  readonly hidden: Readonly<Record<string, HiddenValue>>;
}

/** A value that is compared without being kept. */
export interface HiddenValue {
  readonly sha256: string;
  /** Digest of the time that the text may stand for: equal for `60s` and `1m`. */
  readonly time?: string | undefined;
  /** Digest of the number that it may stand for: equal for `1000m` and `1`. `1m` may be both. */
  readonly number?: string | undefined;
}

/** What a schema says that a comparison must know; parts without any such thing are left out. */
export interface SchemaNode {
  readonly default?: Json | undefined;
  readonly reading?: "quantity" | "duration" | "int-or-string" | undefined;
  /** How entries of a list are told apart; left out: by their place. */
  readonly list?: "set" | "map" | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly fields?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly items?: SchemaNode | undefined;
  /** Of every value of a map. */
  readonly values?: SchemaNode | undefined;
}

/** Was every namespace listed in which an object may be that is selected? */
function sawAllOf({ namespaces }: Pick<ObjectSelection, "namespaces">, { listed }: Pick<KindSeen, "listed">): boolean {
  if (listed === undefined) return true;
  return namespaces !== undefined && namespaces.every((glob) => !/[*?]/.test(glob) && listed.includes(glob));
}

/** Why a selection was not seen whole: only some namespaces are listed. Undefined where it was. */
export function partOnly(selection: ObjectSelection, kind: KindSeen, cluster: string): { readonly reason: string; readonly remedy: string } | undefined {
  if (sawAllOf(selection, kind)) return undefined;
  const listed = (kind.listed ?? []).map((name) => `\`${name}\``).join(", ");
  return {
    reason: `of \`${cluster}\` only ${listed} ${kind.listed?.length === 1 ? "is" : "are"} listed, and \`${selection.kind}\` may be selected in other namespaces`,
    remedy: `select \`namespaces: [${(kind.listed ?? []).join(", ")}]\`, or name more \`namespaces\` for this cluster in the fleet file`,
  };
}

interface Asking {
  /** Also these objects, as `namespace/name`: they are known by another name elsewhere. */
  readonly also?: readonly string[];
  /** Paths that are looked at; left out: the whole object. Values that may be secret are kept in clear only where a path leads to them. */
  readonly paths?: readonly (readonly string[])[] | undefined;
  /** Only paths that are looked at are kept. */
  readonly only?: boolean;
}

/** The request for the objects of a selection. */
export function objectsRequest(selection: ObjectSelection, { also = [], paths, only = false }: Asking = {}): Request<"objects"> {
  const { apiVersion, kind, namespaces, names, matchLabels } = selection;
  return {
    fact: "objects",
    selector: kindKey(selection),
    options: {
      apiVersion,
      kind,
      ...(namespaces === undefined ? {} : { namespaces: [...namespaces] }),
      ...(names === undefined ? {} : { names: [...names] }),
      ...(matchLabels === undefined ? {} : { matchLabels: { ...matchLabels } }),
      ...(also.length === 0 ? {} : { also: [...also] }),
      ...(paths === undefined ? {} : { paths: paths.map((path) => [...path]) }),
      ...(only ? { only } : {}),
    },
  };
}

/** Tells kinds of one name in different groups apart. */
export function kindKey({ apiVersion, kind }: Pick<ObjectSelection, "apiVersion" | "kind">): string {
  return `${apiVersion}/${kind}`;
}

/** The API group of an `apiVersion`; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** Objects of kind Secret, which are never read, however the kind is written. */
export function isSecretKind({ apiVersion, kind }: Pick<ObjectSelection, "apiVersion" | "kind">): boolean {
  return groupOf(apiVersion) === "" && /^secret(s|list)?$/i.test(kind);
}

/** Is the object meant? */
export function selectsObject(selection: Partial<ObjectSelection>, object: Pick<ObjectSeen, "namespace" | "name" | "labels">): boolean {
  const { namespaces, names, matchLabels } = selection;
  if (namespaces !== undefined && !namespaces.some((glob) => matchesGlob(glob, object.namespace))) return false;
  if (names !== undefined && !names.some((glob) => matchesGlob(glob, object.name))) return false;
  return Object.entries(matchLabels ?? {}).every(([key, value]) => Object.hasOwn(object.labels, key) && object.labels[key] === value);
}

/** `namespace/name`, or the name alone of what has no namespace. */
export function fullName({ namespace, name }: Pick<ObjectSeen, "namespace" | "name">): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
