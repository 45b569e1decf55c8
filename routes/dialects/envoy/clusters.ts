import type { Backend, Destination, HeaderOperation } from "../../decide/model.ts";
import { SUBSET } from "../istio/destinations.ts";
import { isObject, type Json, type JsonObject } from "../istio/json.ts";
import { field, type Meaning, meaningLike, text } from "./fields.ts";

/** The clusters of a dump; undefined where it holds none: then every one that is named is taken to be there. */
export type Clusters = ReadonlyMap<string, JsonObject> | undefined;

/** How clusters become destinations. */
export interface ClusterReading {
  readonly clusters: Clusters;
  /** What clusters are configured with counts too: between dumps. Objects of a control plane say it in other words. */
  readonly withPolicies: boolean;
  /** Destinations of routes that lead to a cluster and do nothing else. */
  readonly plain: Map<string, Destination>;
  readonly texts: Texts;
  /** The names that were asked for, some several times. */
  readonly asked: string[];
}

function ask({ asked }: ClusterReading, name: string): void {
  if (asked.at(-1) !== name) asked.push(name);
}

/** Istio's cluster for whatever address the client asked for. */
export const PASSTHROUGH = "PassthroughCluster";
/** Istio's cluster without any endpoint. */
const BLACK_HOLE = "BlackHoleCluster";

/** Where a cluster leads, by its name alone. */
export interface Named {
  readonly host: string;
  readonly port: number;
  readonly subset: string;
}

/** `outbound|80|v1|reviews.default.svc.cluster.local`, or `outbound_.80_.v1_.…` as gateways write it to server names; any other name is a host. */
export function readCluster(name: string): Named {
  const [direction = "", port = "", subset = "", host = "", ...rest] = name.split("|");
  if (direction.startsWith("outbound") && /^\d{1,5}$/.test(port) && host !== "" && rest.length === 0) return { host, port: Number(port), subset };
  return { host: name, port: 0, subset: "" };
}

/** True where Envoy has no such cluster. */
export function isMissing(name: string, reading: ClusterReading): boolean {
  ask(reading, name);
  const { clusters } = reading;
  return clusters !== undefined && !clusters.has(name);
}

/** What a route says of a share. */
interface Share {
  readonly weight: number;
  readonly missingStatus: number;
  readonly authority?: string | undefined;
  readonly request: readonly HeaderOperation[];
  readonly response: readonly HeaderOperation[];
  readonly policy?: Readonly<Record<string, string>>;
}

/** A share for a cluster. */
export function destinationOf(name: string, reading: ClusterReading, share: Share): Destination {
  const { weight, missingStatus, authority = "", request, response, policy: own = {} } = share;
  ask(reading, name);
  const isPlain = authority === "" && request.length + response.length === 0 && Object.keys(own).length === 0;
  if (!isPlain) return madeOf(name, reading, share);
  // Most routes lead to a cluster and do nothing else: they share one object.
  const key = `${weight} ${missingStatus} ${name}`;
  const known = reading.plain.get(key) ?? madeOf(name, reading, share);
  reading.plain.set(key, known);
  return known;
}

function madeOf(name: string, reading: ClusterReading, { weight, missingStatus, authority, request, response, policy: own = {} }: Share): Destination {
  const answered = response.length === 0 ? {} : { response };
  // A cluster without endpoints answers as one that is not there, whatever the status for those is.
  if (name === BLACK_HOLE) return { invalid: true, status: 503, weight, ...answered };
  if (isMissing(name, reading)) return { invalid: true, status: missingStatus, weight, ...answered };
  const { host, port, subset } = readCluster(name);
  const reached = reading.withPolicies ? policyOf(reading.clusters?.get(name), reading.texts) : {};
  const policy = Object.keys(own).length === 0 ? reached : { ...own, ...reached };
  const out: { -readonly [Field in keyof Backend]: Backend[Field] } = { host, port, weight };
  if (subset !== "") out.subset = { [SUBSET]: subset };
  if (Object.keys(policy).length > 0) out.policy = policy;
  if (authority !== undefined && authority !== "") out.authority = authority;
  if (request.length > 0) out.request = request;
  if (response.length > 0) out.response = response;
  return out;
}

/** Names, counters and where endpoints are fetched from tell nothing of how a cluster is reached. */
const bookkeeping: ReadonlySet<string> = new Set(["@type", "name", "alt_stat_name", "metadata", "eds_cluster_config", "connect_timeout", "load_assignment", "filters"]);

/** Who a client is shows in no route, and no key is ever told. */
const secret = /^(?:private_?key|password|pkcs12|session_?ticket_?keys|token|secret|client_?secret|hmac)$/i;
const policies = new WeakMap<JsonObject, Readonly<Record<string, string>>>();

/** Where the endpoints of a cluster are: Istio's names say that, and addresses are those of one place. */
const leads: ReadonlySet<string> = new Set(["eds_cluster_config", "load_assignment"]);

/** How a cluster is reached, as text by part; many routes lead to one cluster. */
function policyOf(cluster: JsonObject | undefined, texts: Texts): Readonly<Record<string, string>> {
  if (cluster === undefined) return {};
  const known = policies.get(cluster) ?? policyIn(cluster, texts);
  policies.set(cluster, known);
  return known;
}

function policyIn(cluster: JsonObject, texts: Texts): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  const isOther = readCluster(text(cluster, "name")).port === 0;
  for (const name of Object.keys(cluster)) {
    const plain = plainName(name);
    if (!bookkeeping.has(plain) || (leads.has(plain) && isOther)) out[plain] = textOf(plain, cluster[name], texts);
  }
  return out;
}

const plainNames = new Map<string, string>();
/** Names that are kept: clusters have far fewer fields. */
const MOST_NAMES = 1_000;

function plainName(name: string): string {
  const known = plainNames.get(name) ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (plainNames.size < MOST_NAMES) plainNames.set(name, known);
  return known;
}

/** The last value of each part: clusters of one mesh have most of them in common. */
type Texts = Map<string, Meaning>;

function textOf(part: string, value: Json, texts: Texts): string {
  const own = meaningLike(texts.get(part), value, secret);
  texts.set(part, own);
  return own.text;
}

/** Does a cluster choose its endpoint by a hash of the request? */
export function balancesByHash(name: string, reading: ClusterReading): boolean {
  ask(reading, name);
  const { clusters } = reading;
  const policy = text(clusters?.get(name), "lb_policy");
  return clusters === undefined || policy === "RING_HASH" || policy === "MAGLEV" || field(clusters.get(name), "load_balancing_policy") !== undefined;
}

/** Clusters by name; of several with one name the last counts. */
export function indexClusters(clusters: readonly Json[]): ReadonlyMap<string, JsonObject> {
  const out = new Map<string, JsonObject>();
  for (const cluster of clusters) if (isObject(cluster)) out.set(text(cluster, "name"), cluster);
  return out;
}
