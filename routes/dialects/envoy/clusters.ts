import type { Destination, HeaderOperation } from "../../decide/model.ts";
import { SUBSET } from "../istio/destinations.ts";
import type { Json, JsonObject } from "../istio/json.ts";
import { field, meaning, text } from "./fields.ts";

/** The clusters of a dump; undefined where it holds none: then every one that is named is taken to be there. */
type Clusters = ReadonlyMap<string, JsonObject> | undefined;

/** How clusters become destinations. */
export interface ClusterReading {
  readonly clusters: Clusters;
  /** What clusters are configured with counts too: between dumps. Objects of a control plane say it in other words. */
  readonly withPolicies: boolean;
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
export function isMissing(name: string, { clusters }: ClusterReading): boolean {
  return clusters !== undefined && !clusters.has(name);
}

/** A share for a cluster. */
export function destinationOf(name: string, reading: ClusterReading, share: { readonly weight: number; readonly missingStatus: number; readonly authority?: string | undefined; readonly request: readonly HeaderOperation[]; readonly response: readonly HeaderOperation[]; readonly policy?: Readonly<Record<string, string>> }): Destination {
  const { weight, missingStatus, authority, request, response, policy: own = {} } = share;
  const answered = response.length === 0 ? {} : { response };
  // A cluster without endpoints answers as one that is not there, whatever the status for those is.
  if (name === BLACK_HOLE) return { invalid: true, status: 503, weight, ...answered };
  if (isMissing(name, reading)) return { invalid: true, status: missingStatus, weight, ...answered };
  const { host, port, subset } = readCluster(name);
  const reached = reading.withPolicies ? policyOf(reading.clusters?.get(name)) : {};
  const policy = Object.keys(own).length === 0 ? reached : { ...own, ...reached };
  return {
    host, port, weight,
    ...(subset === "" ? {} : { subset: { [SUBSET]: subset } }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
    ...(authority === undefined || authority === "" ? {} : { authority }),
    ...(request.length === 0 ? {} : { request }),
    ...answered,
  };
}

/** Names, counters and where endpoints are fetched from tell nothing of how a cluster is reached. */
const bookkeeping: ReadonlySet<string> = new Set(["@type", "name", "alt_stat_name", "metadata", "eds_cluster_config", "connect_timeout", "load_assignment", "filters"]);

/** Who a client is shows in no route, and no key is ever told. */
const secret = /^(?:private_?key|password|pkcs12|session_?ticket_?keys|token|secret|client_?secret|hmac)$/i;
/** Messages below this depth do not exist. */
const DEEPEST = 60;

function withoutSecrets(value: Json, depth: number): Json {
  if (depth > DEEPEST || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, secret.test(name) ? "not told" : withoutSecrets(inner, depth + 1)]));
}

const policies = new WeakMap<JsonObject, Readonly<Record<string, string>>>();

/** How a cluster is reached, as text by part; many routes lead to one cluster. */
function policyOf(cluster: JsonObject | undefined): Readonly<Record<string, string>> {
  if (cluster === undefined) return {};
  const known = policies.get(cluster) ?? policyIn(cluster);
  policies.set(cluster, known);
  return known;
}

function policyIn(cluster: JsonObject): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const name of Object.keys(cluster)) {
    const plain = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (!bookkeeping.has(plain)) out[plain] = meaning(withoutSecrets(cluster[name], 0));
  }
  return out;
}

/** Does a cluster choose its endpoint by a hash of the request? */
export function balancesByHash(name: string, { clusters }: ClusterReading): boolean {
  const policy = text(clusters?.get(name), "lb_policy");
  return clusters === undefined || policy === "RING_HASH" || policy === "MAGLEV" || field(clusters.get(name), "load_balancing_policy") !== undefined;
}

/** Clusters by name; of several with one name the last counts. */
export function indexClusters(clusters: readonly Json[]): ReadonlyMap<string, JsonObject> {
  const out = new Map<string, JsonObject>();
  for (const cluster of clusters) if (typeof cluster === "object" && cluster !== null) out.set(text(cluster, "name"), { ...cluster });
  return out;
}
