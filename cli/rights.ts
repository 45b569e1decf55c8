import { byText, canonical, CollectError, kindKey, needsOf, selects, type AnyCollector, type AnyKind, type Assertion, type Collector, type KubernetesApi, type Permission, type Probe, type Request, type Resource } from "#engine";
import type { FleetCluster } from "./load/index.ts";
import { readSnapshot } from "./snapshots.ts";
import type { Visit } from "./visit.ts";

/** What was found out about the rights in one cluster. Plain JSON. */
export interface Examined {
  readonly cluster: string;
  readonly place: "live" | "manifests" | "snapshot";
  readonly reachable: boolean;
  /** The name that the API server knows this identity by. */
  readonly identity?: string | undefined;
  readonly serverVersion?: string | undefined;
  /** What went wrong when asking, each with the way out. */
  readonly problems: readonly Problem[];
  /** One for each purpose that these assertions have in this cluster. */
  readonly needs: readonly Need[];
  /** What could be used besides, and is not needed or not allowed. */
  readonly options: readonly Option[];
}

interface Problem {
  readonly reason: string;
  readonly remedy: string;
}

/** What an assertion, or the run itself, reads in the cluster. */
interface Need {
  /** Left out: what every run asks. */
  readonly assertion?: string | undefined;
  readonly purpose: string;
  readonly permissions: readonly Permission[];
  readonly missing: readonly Permission[];
}

interface Option {
  /** The word after `--probe`; left out: no probe. */
  readonly probe?: Probe | undefined;
  readonly purpose: string;
  readonly permissions: readonly Permission[];
  readonly missing: readonly Permission[];
}

export interface Examining {
  readonly assertions: readonly Assertion[];
  readonly kinds: ReadonlyMap<string, AnyKind>;
  readonly collectors: readonly AnyCollector[];
  /** Probes that a flag allows everywhere. */
  readonly probes: readonly Probe[];
}

const PROBES: readonly Probe[] = ["metrics", "admin", "nodes"];

const PODS: Resource = { group: "", versions: ["v1"], plural: "pods", kind: "Pod", namespaced: true };

/** Asks one cluster who we are and what we may do there. What cannot be asked is a problem in the answer. Throws for a snapshot that cannot be used, as a run does. */
export async function examine(target: FleetCluster, visit: Visit, examining: Examining): Promise<Examined> {
  const { cluster, kubernetes } = target;
  const about = { cluster: cluster.name, problems: [], needs: [], options: [] } as const;
  if (kubernetes?.form === "snapshot") {
    await readSnapshot(kubernetes.shown, kubernetes.file);
    return { ...about, place: "snapshot", reachable: true };
  }
  try {
    const api = await visit.open();
    if (api.place === "manifests") {
      // no server, so no permission; but a folder that is not there, or files that are broken, would stop a run just as well
      await api.list(PODS)[Symbol.asyncIterator]().next();
      return { ...about, place: "manifests", reachable: true };
    }
    return { ...about, place: "live", reachable: true, ...(await ask(target, api, visit, examining)) };
  } catch (error) {
    return { ...about, place: kubernetes?.form === "manifests" ? "manifests" : "live", reachable: false, problems: [problemOf(error, visit.signal)] };
  }
}

async function ask(target: FleetCluster, api: KubernetesApi, { signal, say }: Visit, examining: Examining) {
  const problems: Problem[] = [];
  const orProblem = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question();
    } catch (error) {
      const isOver = !(error instanceof CollectError) || error.unreachable || signal.aborted;
      if (isOver) throw error;
      problems.push(problemOf(error, signal));
      return undefined;
    }
  };

  say("who am I?");
  const serverVersion = await orProblem(() => api.serverVersion());
  const identity = await orProblem(() => api.whoAmI());
  say("what may I do?");
  const namespaces = namespacesOf(target);
  const lists = await listsIn(target, api, examining, orProblem);
  const asked = new Map<string, Promise<readonly Permission[] | undefined>>();
  const missingOf = async (permissions: readonly Permission[]) => {
    const answers = permissions.map((permission) => {
      const key = canonical(permission);
      const answer = asked.get(key) ?? orProblem(() => refused(api, permission, lists.ofTheWholeCluster(permission) ? [] : namespaces));
      asked.set(key, answer);
      return answer;
    });
    return (await Promise.all(answers)).flatMap((missing) => missing ?? []);
  };

  const unasked = needsIn(target, examining, lists);
  const needs = await Promise.all(unasked.map(async (need) => ({ ...need, missing: await missingOf(need.permissions) })));
  const options = await Promise.all(optionsIn(target, examining).map(async (option) => ({ ...option, missing: await missingOf(option.permissions) })));
  return { serverVersion, identity, problems, needs, options };
}

/** What a permission lacks: nothing where it is given everywhere, else the namespaces that refuse it where only some are to be listed. */
async function refused(api: KubernetesApi, permission: Permission, namespaces: readonly string[]): Promise<readonly Permission[]> {
  if (await api.may(permission)) return [];
  if (namespaces.length === 0) return [permission];
  const answers = await Promise.all(namespaces.map(async (namespace) => ({ namespace, may: await api.may({ ...permission, namespace }) })));
  return answers.filter(({ may }) => !may).map(({ namespace }) => ({ ...permission, namespace }));
}

/** What only the API can name: the rights to list the kinds that assertions select, and which objects are in no namespace. */
interface Lists {
  of(request: Request): readonly Permission[];
  /** Objects in no namespace: a role inside one cannot give them. */
  ofTheWholeCluster(permission: Permission): boolean;
}

type OrProblem = <T>(question: () => Promise<T>) => Promise<T | undefined>;

/** A kind that the API does not serve needs no right: it is none. */
async function listsIn(target: FleetCluster, api: KubernetesApi, examining: Examining, orProblem: OrProblem): Promise<Lists> {
  const collectors: readonly Collector[] = examining.collectors;
  const kindOf = (request: Request) => collectors.flatMap((each) => (each.provides.includes(request.fact) ? (each.lists?.(request) ?? []) : []))[0];
  const kinds = assertionsIn(target, examining).flatMap((assertion) => needsOf(assertion, examining.kinds).flatMap((request) => kindOf(request) ?? []));
  const found = new Map<string, Resource | undefined>();
  for (const { apiVersion, kind } of kinds) {
    const key = kindKey({ apiVersion, kind });
    if (!found.has(key)) found.set(key, (await orProblem(() => api.find(apiVersion, kind)))?.resource);
  }
  const whole = new Set(["/nodes", "/namespaces", ...[...found.values()].flatMap((resource) => (resource === undefined || resource.namespaced ? [] : [`${resource.group}/${resource.plural}`]))]);
  return {
    of(request) {
      const kind = kindOf(request);
      const resource = kind === undefined ? undefined : found.get(kindKey(kind));
      return resource === undefined ? [] : [{ verb: "list", group: resource.group, resource: resource.plural }];
    },
    ofTheWholeCluster: ({ group, resource }) => whole.has(`${group}/${resource}`),
  };
}

function namespacesOf({ kubernetes }: FleetCluster): readonly string[] {
  return kubernetes !== undefined && kubernetes.form !== "snapshot" ? (kubernetes.namespaces ?? []) : [];
}

type Unasked<T> = Omit<T, "missing">;

function needsIn(target: FleetCluster, examining: Examining, lists: Lists): readonly Unasked<Need>[] {
  const allowed = allowedIn(target, examining);
  const mine = assertionsIn(target, examining);
  const inferCloud = examining.assertions.some((assertion) => assertion.clusters.clouds !== undefined);
  const identify = rightsOf([{ fact: "cluster" }], examining, []);
  return [
    ...named({ purpose: "to tell which cluster this is", permissions: identify }),
    ...(inferCloud ? named({ purpose: "to infer the cloud, for the assertions that select by `clouds`", permissions: without(rightsOf([NODES], examining, []), identify) }) : []),
    ...mine.flatMap((assertion) => {
      const requests = needsOf(assertion, examining.kinds);
      const permissions = [...rightsOf(requests, examining, allowed), ...distinct(requests.flatMap(lists.of)), ...(requests.some(({ fact }) => fact === "wasm-images") ? pullSecretsOf(target) : [])];
      return named({ assertion: assertion.name, purpose: `to judge \`${assertion.name}\``, permissions });
    }),
  ];
}

/** The Secrets that the fleet lets registries be asked with: each by its name, in its namespace. */
function pullSecretsOf({ registry }: FleetCluster): readonly Permission[] {
  return registry.pullSecrets.map((secret) => {
    const [namespace = "", name = ""] = secret.split("/");
    return { verb: "get", group: "", resource: "secrets", namespace, name };
  });
}

const NODES: Request = { fact: "cluster", options: { nodes: true } };

function optionsIn(target: FleetCluster, examining: Examining): readonly Unasked<Option>[] {
  const allowed = allowedIn(target, examining);
  const mine = assertionsIn(target, examining);
  const probes = PROBES.filter((probe) => !allowed.includes(probe)).flatMap((probe) => {
    const more = (assertion: Assertion) => {
      const requests = needsOf(assertion, examining.kinds);
      return without(rightsOf(requests, examining, [probe]), rightsOf(requests, examining, []));
    };
    const users = mine.filter((assertion) => more(assertion).length > 0);
    return named({ probe, purpose: `\`--probe ${probe}\`, which ${listOf(users)} could use`, permissions: distinct(users.flatMap(more)) });
  });
  const isAsked = target.cluster.cloud !== undefined || examining.assertions.some((assertion) => assertion.clusters.clouds !== undefined);
  const infer = without(rightsOf([NODES], examining, []), rightsOf([{ fact: "cluster" }], examining, []));
  return [...probes, ...(isAsked ? [] : named({ purpose: "to infer the cloud, once an assertion selects by `clouds`", permissions: infer }))];
}

/** Nothing where nothing is to be permitted. */
function named<T extends Unasked<Need> | Unasked<Option>>(item: T): readonly T[] {
  return item.permissions.length === 0 ? [] : [item];
}

function allowedIn(target: FleetCluster, { probes }: Examining): readonly Probe[] {
  return PROBES.filter((probe) => probes.includes(probe) || target.probes.includes(probe));
}

/** Assertions that select the cluster, or may do so once its cloud is known. */
function assertionsIn({ cluster }: FleetCluster, { assertions }: Examining): readonly Assertion[] {
  return assertions.filter((assertion) => selects(assertion.clusters, cluster) !== "no").toSorted((a, b) => byText(a.name, b.name));
}

function rightsOf(requests: readonly Request[], { collectors }: Examining, probes: readonly Probe[]): readonly Permission[] {
  const all: readonly Collector[] = collectors;
  return distinct(
    requests.flatMap((request) => all.filter(({ provides }) => provides.includes(request.fact)).flatMap((collector) => collector.permissions?.(request, probes) ?? [])),
  );
}

function distinct(permissions: readonly Permission[]): readonly Permission[] {
  return [...new Map(permissions.map((permission) => [canonical(permission), permission])).values()];
}

function without(permissions: readonly Permission[], others: readonly Permission[]): readonly Permission[] {
  const known = new Set(others.map(canonical));
  return permissions.filter((permission) => !known.has(canonical(permission)));
}

function listOf(assertions: readonly Assertion[]): string {
  const names = assertions.slice(0, 3).map(({ name }) => `\`${name}\``);
  return names.join(", ") + (assertions.length > names.length ? ` and ${assertions.length - names.length} more` : "");
}

/** Why a cluster could not be asked. What is no fault of the cluster goes on to whoever started the run. */
function problemOf(error: unknown, signal: AbortSignal): Problem {
  const told = error instanceof CollectError ? error : signal.reason instanceof CollectError ? signal.reason : undefined;
  if (told === undefined) throw error;
  return { reason: told.message, remedy: told.remedy };
}
