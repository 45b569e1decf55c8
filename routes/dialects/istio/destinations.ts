import type { Unmodelled } from "../../decide/model.ts";
import { type Client, type DestinationRules, type MergedRule, policyText, ruleFor, subsetOf } from "./destination-rules.ts";
import { namespaceOf } from "./hosts.ts";
import { at, canonical, type Json, type JsonObject, labelsAt, objectAt, textAt } from "./json.ts";
import type { Memory, Use } from "./memory.ts";
import type { Named, Registry, Service } from "./registry.ts";

/** Under this label stands the name of a subset where names are compared, as a proxy has loaded nothing else. */
export const SUBSET = "name of the subset";

/** Where a destination of a route leads. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly subset?: Readonly<Record<string, string>>;
  readonly policy?: Readonly<Record<string, string>>;
  /** A consistent hash applies: retries may go to the same host. */
  readonly hashed: boolean;
  /** The address that the client asked for is the backend: nothing is balanced, and a subset chooses none of its pods. */
  readonly passesOn: boolean;
  /** No such cluster: Envoy answers 503. */
  readonly missing: boolean;
  readonly unmodelled?: Unmodelled;
}

/** What a proxy knows of services. */
export interface Clusters {
  /** Gateways know the pods of every service; their clients ask for the gateway's own address. */
  readonly isGateway: boolean;
  /** The service that a route's destination is looked up as, to learn its port. */
  lookup(host: string): Service | undefined;
  /** The service for which the proxy has clusters. */
  cluster(host: string): Service | undefined;
}

/** Turns destinations into targets as one proxy sees them. */
export interface Destinations {
  target(destination: Json, namespace: string, listenerPort: number): Target;
  of(use: Use, listenerPort: number): Target;
}

/** Destinations of one client. Where services or rules are unseen they are told apart by name. */
export function destinationsFor(registry: Registry, memory: Memory, rules: DestinationRules, client: Client, clusters: Clusters): Destinations {
  const byName = !registry.seen("Service") && !registry.seen("ServiceEntry");
  const ruled = new Map<number, Target>();
  const resolve = (use: Use, listenerPort: number): Target => {
    const { host, subset, port: given } = use;
    const service = clusters.lookup(host);
    // A port that is left out is the only one of the service, else that of the listener (route.go `GetDestinationCluster`).
    const isLone = service?.ports.length === 1 && !(clusters.isGateway && service.hasDatagrams === true);
    const port = given ?? (isLone ? service.ports[0]?.number : undefined) ?? (byName ? 0 : listenerPort);
    const name = service?.alias ?? host;
    const owner = clusters.cluster(name);
    // Rules are held for services only: one for `*.a.com` says nothing of a host without service (sidecar.go `selectDestinationRules`).
    const rule = owner === undefined && !byName ? undefined : ruleFor(rules, registry, client, name, owner?.namespace ?? namespaceOf(name, registry.domain));
    if (rule === undefined && subset === "") return plainTarget(use, registry, name, port, owner, byName, clusters.isGateway, memory);
    const key = use.id * 65_536 + (given === undefined ? listenerPort : 0);
    const known = ruled.get(key) ?? memory.target(ruledTarget(use, port, name, owner, rule));
    ruled.set(key, known);
    return known;
  };
  const ruledTarget = ({ host, subset, port: given }: Use, port: number, name: string, owner: Service | undefined, rule: MergedRule | undefined): Target => {
    const part = subset === "" ? undefined : subsetOf(rule, subset);
    const nameless = subset !== "" && part === undefined && !registry.seen("DestinationRule");
    const { settings, hash, text } = memory.policy(name, rule?.trafficPolicy, at(part, "trafficPolicy"), port, given);
    const byNature = owner?.passesOn === true && !clusters.isGateway;
    const asked = textAt(objectAt(settings, "loadBalancer"), "simple") === "PASSTHROUGH";
    const passesOn = byNature || asked;
    const isPlain = !passesOn && hash === undefined && !nameless;
    const policy = isPlain ? text : {
      ...(passesOn ? policyText(seenPassing(settings)) : text),
      ...(asked && !byNature ? { loadBalancer: canonical({ simple: "PASSTHROUGH" }) } : {}),
      ...(hash === undefined || passesOn ? {} : { consistentHash: canonical(hash) }),
      ...(nameless ? { subset } : {}),
    };
    const served = byName || (owner !== undefined && serves(owner, port));
    const missing = host === "" || !served || (subset !== "" && part === undefined && !nameless);
    if (registry.asLoaded) {
      const left = trouble(registry, served, host, []);
      return { host: name, port, hashed: hash !== undefined, passesOn, missing, ...(subset === "" ? {} : { subset: { [SUBSET]: subset } }), ...(left === undefined ? {} : { unmodelled: left }) };
    }
    const unmodelled = trouble(registry, served, host, rule?.sources ?? []) ?? behind(registry, name, clusters.isGateway) ?? (passesOn && isPlaintext(settings) ? plaintext(rule?.sources[0]) : undefined);
    return {
      host: name,
      port,
      hashed: hash !== undefined,
      passesOn,
      missing,
      ...(part === undefined || passesOn ? {} : { subset: labelsAt(part, "labels") }),
      ...(Object.keys(policy).length === 0 ? {} : { policy }),
      ...(unmodelled === undefined ? {} : { unmodelled }),
    };
  };
  const of = (use: Use, listenerPort: number): Target => {
    if (use.target !== undefined && use.targetFor === ruled && use.targetAt === listenerPort) return use.target;
    const target = resolve(use, listenerPort);
    use.target = target;
    use.targetFor = ruled;
    use.targetAt = listenerPort;
    return target;
  };
  return { of, target: (destination, namespace, listenerPort) => of(memory.use(destination, namespace, registry.domain), listenerPort) };
}

/** A destination of which no DestinationRule speaks; for a client who finds the same service as the last one of the place, the same. */
function plainTarget(use: Use, registry: Registry, name: string, port: number, owner: Service | undefined, byName: boolean, isGateway: boolean, memory: Memory): Target {
  const { plain } = use;
  if (plain !== undefined && plain.registry === registry && plain.owner === owner && plain.target.port === port && plain.target.host === name && plain.isGateway === isGateway) return plain.target;
  const target = memory.target(unruled(registry, name, use.host, port, owner, byName, isGateway));
  use.plain = { registry, owner, isGateway, target };
  return target;
}

/** What is found of any other, with nothing to read. */
function unruled(registry: Registry, name: string, host: string, port: number, owner: Service | undefined, byName: boolean, isGateway: boolean): Target {
  const served = byName || (owner !== undefined && serves(owner, port));
  const unmodelled = trouble(registry, served, host, noSources) ?? (registry.asLoaded ? undefined : behind(registry, name, isGateway));
  const target = { host: name, port, hashed: false, passesOn: owner?.passesOn === true && !isGateway, missing: host === "" || !served };
  return unmodelled === undefined ? target : { ...target, unmodelled };
}

const noSources: readonly Named[] = [];

/** What happens to requests for a service behind the proxy that sends them. */
function behind(registry: Registry, host: string, isGateway: boolean): Unmodelled | undefined {
  const waypoint = isGateway ? registry.captured.get(host) : undefined;
  return registry.policies.get(host) ?? (waypoint?.fromGateways === true && waypoint.mayRoute === true ? waypoint : undefined);
}

function serves({ ports }: Service, number: number): boolean {
  for (const port of ports) if (port.number === number) return true;
  return false;
}

/**
 * Of a policy what counts where the client has chosen the address: Envoy asks no balancer (core/cluster_traffic_policy.go
 * `applyLoadBalancer`), and istiod turns mutual TLS on by itself only where a PeerAuthentication requires it (core/cluster_tls.go).
 */
function seenPassing(policy: JsonObject): JsonObject {
  return { ...policy, loadBalancer: undefined, ...(isPlaintext(policy) ? { tls: undefined } : {}) };
}

function isPlaintext(policy: JsonObject): boolean {
  return textAt(objectAt(policy, "tls"), "mode") === "DISABLE";
}

/** Where mutual TLS is required, that a rule turns it off changes something; PeerAuthentications are not read. */
function plaintext(source: Named | undefined): Unmodelled {
  const reason = "a rule turns TLS off for a service whose clients choose the address, which changes something where a PeerAuthentication requires mutual TLS, and those are not read";
  return { reason, ...(source === undefined ? {} : { where: { object: source.title, path: "spec.trafficPolicy.tls" } }), key: "TLS turned off" };
}

/** What stands in the way of a sure answer about a destination. */
function trouble(registry: Registry, served: boolean, host: string, sources: readonly { title: string; created: string | undefined; problems: readonly { path: string; reason: string }[] }[]): Unmodelled | undefined {
  if (!served && registry.shared !== undefined) return { reason: `\`${host}\` has no Service here and ${registry.shared}: another cluster may have it` };
  for (const source of sources) {
    const [problem] = source.problems;
    if (problem !== undefined) return { reason: problem.reason, where: { object: source.title, path: problem.path } };
  }
  const unaged = sources.length > 1 ? sources.filter((source) => source.created === undefined) : [];
  if (unaged.length === 0) return undefined;
  return { reason: `${sources.map((source) => source.title).join(" and ")} are merged by age, which is not known`, where: { object: unaged[0]?.title ?? "" } };
}

/** Services by host as a scope holds them: the first counts, one of Kubernetes before all others (sidecar.go `appendSidecarServices`). */
export function byHost(services: readonly Service[]): Map<string, Service> {
  const out = new Map<string, Service>();
  for (const service of services) {
    const existing = out.get(service.host);
    if (existing === undefined || (!existing.kubernetes && service.kubernetes)) out.set(service.host, service);
    else if (existing.kubernetes === service.kubernetes && existing.namespace === service.namespace) {
      // Listeners let in parts of one service; two ServiceEntries of a namespace also become one.
      const more = service.ports.filter((port) => !existing.ports.some(({ number }) => number === port.number));
      if (more.length > 0) out.set(service.host, { ...existing, ports: [...existing.ports, ...more] });
    }
  }
  return out;
}
