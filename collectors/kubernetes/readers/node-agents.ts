import { byText, CILIUM_SETTINGS, digestOf, type CiliumOverride, type Cluster, type Fact, type Gap, type Io, type KubernetesApi, type NodeAgent, type NodePods } from "#engine";
import { fieldsIn, listIn, textIn, textsIn, type Fields } from "../fields.ts";
import { CILIUM_CONFIG, ciliumNodeConfigs, configMaps, daemonSets, pods } from "../resources.ts";
import { productOf, type Known } from "./agent-products.ts";
import { elsewhereGap, listAll, orGap, unseenGap, type Listed } from "./lists.ts";
import { isPinned, type AgentPods } from "./node-work.ts";
import { scanPods } from "./pods.ts";

/**
 * One fact for each DaemonSet of a known program and each image of it, with the nodes on which its pods are ready; one for the sidecars, for
 * those that a ztunnel or Kmesh serves, for those that are served twice, and one for each runtime class in use, with the nodes on which such pods run.
 *
 * 1. A DaemonSet without pods is a fact with no nodes: it is there, and does nothing.
 * 2. Of Cilium's ConfigMap, and of objects that set otherwise for some nodes, only known settings are kept. Where they cannot be read, Cilium's own
 *    fact says so, and nothing else is less known.
 */
export async function* readNodeAgents(cluster: Cluster, io: Io): AsyncIterable<Fact<"node-agents"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenGap(api, cluster, "node-agents", pods, daemonSets);
  if (blind !== undefined) yield blind;
  yield* elsewhereGap(api, cluster, "node-agents", "programs on nodes");
  const gaps: Gap[] = [];
  const sets = await orGap(gaps, cluster, "node-agents", daemonSets.plural, [], () => listAll(daemonSets, api, io));
  const seen = await orGap(gaps, cluster, "node-agents", pods.plural, undefined, async () => ((await api.unseen(pods)) ? undefined : scanPods(api, io, "work")));
  // where pods are not seen, a DaemonSet does not show that it has none
  const agents = seen === undefined ? [] : [...seen.agents, ...withoutPods(sets, seen.agents)];
  const settings = new Map<string, Readonly<Record<string, string>> | undefined>();
  const unread: Gap[] = [];
  for (const { product, namespace } of agents) {
    if (product !== "cilium" || settings.has(namespace)) continue;
    settings.set(namespace, await orGap(unread, cluster, "node-agents", `configmaps/${CILIUM_CONFIG}`, undefined, () => ciliumSettings(api, namespace)));
  }
  const overrides = settings.size === 0 ? undefined : await orGap(unread, cluster, "node-agents", ciliumNodeConfigs.plural, undefined, () => nodeConfigs(api, io));
  yield* gaps;
  for (const agent of agents) {
    const own = agent.product === "cilium" ? { settings: settings.get(agent.namespace), overrides: overrides?.filter(({ namespace }) => namespace === agent.namespace).map(({ override }) => override), unread: unread[0] } : {};
    const data = dataOf(agent, own);
    const mark = digestOf([data.image, data.imageId ?? null, data.mode ?? null, ...(data.pinned === undefined ? [] : [data.pinned])]).slice(0, 8);
    yield factOf(cluster, `${data.namespace}/${data.name} ${mark}`, data, agent.source);
  }
  for (const { data, source } of seen?.pods ?? []) yield factOf(cluster, SUBJECTS[data.type] ?? `pods of runtime class ${data.name}`, data, source);
}

/** Those of a runtime class are told apart by its name. */
const SUBJECTS: Partial<Record<NodePods["type"], string>> = { sidecars: "sidecars", ambient: "pods of the ambient mesh", kmesh: "pods of Kmesh", several: "pods in the mesh in several ways" };

function factOf(cluster: Cluster, subject: string, data: Fact<"node-agents">["data"], source: Listed["source"]): Fact<"node-agents"> {
  return { type: "fact", kind: "node-agents", cluster: cluster.name, subject, data, source: { collector: "kubernetes", ...source } };
}

function dataOf({ product, namespace, name, image, imageId, mode, pinned, readyOn, notReadyOn }: AgentPods, { settings, overrides, unread }: Pick<NodeAgent, "settings" | "overrides" | "unread">): NodeAgent {
  return {
    type: "agent",
    product,
    namespace,
    name,
    image,
    ...(imageId === undefined ? {} : { imageId }),
    ...(mode === undefined ? {} : { mode }),
    ...(pinned ? { pinned } : {}),
    readyOn: [...readyOn].toSorted(),
    notReadyOn: [...notReadyOn].filter((node) => !readyOn.has(node)).toSorted(),
    ...(settings === undefined ? {} : { settings }),
    ...(overrides === undefined ? {} : { overrides }),
    ...(unread === undefined ? {} : { unread: { reason: unread.reason, remedy: unread.remedy } }),
  };
}

function withoutPods(sets: readonly Listed[], agents: readonly AgentPods[]): readonly AgentPods[] {
  const seen = new Set(agents.map(({ namespace, name }) => `${namespace}/${name}`));
  return sets.flatMap(({ item, source }) => {
    const metadata = fieldsIn(item, "metadata");
    const known: Known | undefined = productOf(fieldsIn(fieldsIn(fieldsIn(item, "spec"), "template"), "spec"));
    const [namespace, name] = [textIn(metadata, "namespace") ?? "default", textIn(metadata, "name", 253) ?? ""];
    return known === undefined || seen.has(`${namespace}/${name}`) ? [] : [{ ...known, pinned: isPinned(known.image), namespace, name, readyOn: new Set<string>(), notReadyOn: new Set<string>(), source }];
  });
}

async function ciliumSettings(api: KubernetesApi, namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await api.get(configMaps, namespace, CILIUM_CONFIG);
  if (found === undefined) return undefined;
  return knownIn(found, "data");
}

function knownIn(value: unknown, key: string): Readonly<Record<string, string>> {
  const all = textsIn(value, key, 256);
  return Object.fromEntries(CILIUM_SETTINGS.flatMap((setting) => (all[setting] === undefined ? [] : [[setting, all[setting]]])));
}

interface NodeConfig {
  readonly namespace: string;
  readonly override: CiliumOverride;
}

/**
 * What is set otherwise for some nodes, in the order in which Cilium lays it over its ConfigMap: by name, the later one counts
 * (`pkg/option/resolver`). One without a selector is for no node. Undefined where a folder does not show whether there are any.
 */
async function nodeConfigs(api: KubernetesApi, io: Io): Promise<readonly NodeConfig[] | undefined> {
  if (api.place !== "live" && (await api.unseen(ciliumNodeConfigs))) return undefined;
  const all = (await listAll(ciliumNodeConfigs, api, io)).flatMap(({ item }): readonly NodeConfig[] => {
    const [metadata, spec] = [fieldsIn(item, "metadata"), fieldsIn(item, "spec")];
    const settings = knownIn(spec, "defaults");
    if (typeof spec["nodeSelector"] !== "object" || spec["nodeSelector"] === null || Object.keys(settings).length === 0) return [];
    return [{ namespace: textIn(metadata, "namespace") ?? "default", override: { name: textIn(metadata, "name", 253) ?? "", nodeSelector: selectorIn(spec), settings } }];
  });
  return all.toSorted((a, b) => byText(a.override.name, b.override.name));
}

function selectorIn(spec: Fields): CiliumOverride["nodeSelector"] {
  const selector = fieldsIn(spec, "nodeSelector");
  const matchExpressions = listIn(selector, "matchExpressions").map((each) => ({
    key: textIn(each, "key", 317) ?? "",
    operator: textIn(each, "operator", 16) ?? "",
    values: listIn(each, "values").flatMap((value) => (typeof value === "string" ? [value.slice(0, 63)] : [])),
  }));
  return { matchLabels: textsIn(selector, "matchLabels"), matchExpressions };
}
