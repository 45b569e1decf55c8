import { runtimeAnswersRequest, type NodeTaint, type NodeToleration, type Request } from "#engine";
import type { HalProfile } from "./profile.ts";
import { isAtLeast, parseRelease } from "./releases.ts";
import { either, named, onCluster, onNode, type Draft } from "./rules.ts";
import { fail, noneThere, pass, unknown, type Seen } from "./tiers.ts";
import type { ClusterView, NodeView, ShimFact } from "./view.ts";

type Runtime = NonNullable<HalProfile["runtime"]>;
type Class = NonNullable<Runtime["runtimeClass"]>;
type Http = NonNullable<Runtime["http"]>;
type Taints = NonNullable<NonNullable<HalProfile["node"]>["taints"]>["required"];

/** What a profile asks of the runtime that its pods run in. */
export function runtimeRules({ runtimeClass, shim, http }: Runtime, taints: Taints): readonly Draft[] {
  return [
    ...(runtimeClass === undefined
      ? []
      : [
          { id: "runtime.class", wanted: `the class ${runtimeClass.name}${runtimeClass.handlers === undefined ? "" : ` with the handler ${either(runtimeClass.handlers)}`}`, rule: onCluster((view) => seeClass(view, runtimeClass, taints)) },
          { id: "runtime.handler", wanted: `the handler of the class ${runtimeClass.name}, working`, rule: onNode((node, view) => seeHandler(node, view, runtimeClass)) },
          { id: "runtime.sidecars", wanted: `pods of the class ${runtimeClass.name} whose sidecars run, or that have none`, rule: onCluster((view) => seeSidecars(view, runtimeClass)) },
        ]),
    ...(shim === undefined ? [] : [{ id: "runtime.shim", wanted: `the shim ${Object.entries(shim.sha256).map(([platform, digest]) => `${platform} ${digest.slice(0, 12)}`).join(", ")}`, rule: onNode((node, view) => seeShim(node, view, runtimeClass, shim.sha256)) }]),
    ...(http === undefined ? [] : [{ id: "runtime.http", wanted: `an answer on port ${http.port}${http.minVersion === undefined ? "" : ` of a runtime ${http.minVersion} or newer`}`, rule: onNode((node, view) => seeAnswer(node, view, http, runtimeClass?.name)) }]),
  ];
}

function seeClass(view: ClusterView, { name, handlers, nodeSelector }: Class, taints: Taints): Seen {
  const fact = view.classes.find(({ data }) => data.name === name);
  if (fact === undefined) return view.complete("runtime-classes") ? fail("T1", "no such class", `create the RuntimeClass \`${name}\``) : unknown("runtime classes were not all seen", "repair what the gap names");
  const { handler, tolerations, nodeSelector: selects } = fact.data;
  const values = { handlers: handler };
  const where = `in the RuntimeClass \`${name}\``;
  if (handlers !== undefined && !handlers.includes(handler)) return fail("T1", `the handler ${handler}`, `name ${either(handlers)} as \`handler\` ${where}`, { fact, values });
  const lacking = Object.entries(nodeSelector).filter(([key, value]) => selects[key] !== value);
  if (lacking.length > 0) return fail("T1", `the handler ${handler}, no \`nodeSelector\` ${lacking.map(([key, value]) => `${key}=${value}`).join(", ")}`, `write it into \`scheduling.nodeSelector\` ${where}`, { fact, values });
  const hard = taints.filter(({ effect }) => effect !== "PreferNoSchedule").flatMap((taint) => asBorne(taint, view));
  const shut = hard.filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
  if (shut.length > 0) return fail("T1", `the handler ${handler}, no toleration of ${[...new Set(shut.map(({ key, value = "" }) => (value === "" ? key : `${key}=${value}`)))].join(", ")}`, `write it into \`scheduling.tolerations\` ${where}`, { fact, values });
  return pass("T1", `the handler ${handler}`, { fact, values });
}

/** A taint that may have any value has the values that nodes bear. */
function asBorne(taint: Taints[number], { nodes }: ClusterView): readonly Pick<NodeTaint, "key" | "value" | "effect">[] {
  if (taint.value !== undefined) return [taint];
  const borne = nodes.flatMap(({ node }) => node.taints.filter(({ key, effect }) => key === taint.key && effect === taint.effect));
  return borne.length === 0 ? [taint] : borne;
}

/** As the scheduler reads it: without a key and with `Exists` every taint, without an effect every effect. */
function tolerates({ key, operator, value = "", effect }: NodeToleration, taint: Pick<NodeTaint, "key" | "effect"> & { readonly value?: string | undefined }): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === "Exists";
  return key === taint.key && (operator === "Exists" || (operator === "Equal" && value === (taint.value ?? "")));
}

/** That a handler is configured on a node the API does not tell; a pod of the class that runs there proves it, and so does the kubelet's own list. */
function seeHandler({ node }: NodeView, view: ClusterView, { name }: Class): Seen {
  const retired = seeRetired(node);
  if (retired !== undefined) return retired;
  const pods = view.pods.find(({ fact: { data } }) => data.type === "class-pods" && data.name === name);
  if (pods?.runningOn.has(node.name) === true) return pass("T3", "a pod of the class runs", { fact: pods.fact });
  const handler = view.classes.find(({ data }) => data.name === name)?.data.handler;
  if (handler === undefined) return unknown("no handler to look for", "see `runtime.class`");
  if (node.handlers?.includes(handler) === true) return pass("T1", `the kubelet lists ${handler}`);
  if (node.handlers !== undefined) return fail("T1", "the kubelet lists no such handler", `install the runtime behind \`${handler}\` on these nodes`);
  if (pods?.failingOn.has(node.name) === true) return unknown("a pod of the class is there and not ready", `look at its events: \`no runtime for "${handler}" is configured\` says that the runtime is missing`, { fact: pods.fact });
  return unknown("nothing that shows it: no pod of the class runs, and the kubelet lists no handlers", "run a pod of the class on each node (a DaemonSet), or upgrade nodes to a kubelet and runtime that list their handlers");
}

/** AKS labelled nodes of its WASI pools with each runtime that it had installed (Azure/AKS#4770); others use such labels for nodes of their own. */
function seeRetired({ provider, labels }: NodeView["node"]): Seen | undefined {
  const label = Object.keys(labels).find((key) => key.startsWith("kubernetes.azure.com/wasmtime-"));
  if (label === undefined || (provider !== undefined && provider !== "azure")) return undefined;
  const way = "move the pods to another pool, and install the runtime there (SpinKube)";
  return provider === undefined ? unknown(`the label ${label}, and no provider: it may be a WASI node pool of AKS, which were retired on 2025-05-05`, way) : fail("T1", "a WASI node pool of AKS, which were retired on 2025-05-05", way);
}

/** A class is one for all containers of a pod: a runtime that starts nothing but Wasm does not start a sidecar. */
function seeSidecars(view: ClusterView, { name }: Class): Seen {
  const pods = view.pods.find(({ fact: { data } }) => data.type === "class-pods" && data.name === name)?.fact;
  if (pods === undefined) return view.complete("node-agents") ? noneThere("no pod of the class") : unknown("pods were not all seen", "repair what the gap names");
  const { withSidecar, sidecarsDown } = pods.data;
  const more = { fact: pods };
  if (withSidecar === 0) return pass("T3", "no sidecar", more);
  if (withSidecar === undefined || sidecarsDown === undefined) return unknown("pods whose sidecars were not counted", "look again", more);
  const text = `${withSidecar} of its pods with a sidecar`;
  if (sidecarsDown === 0) return pass("T3", `${text}, which ${withSidecar === 1 ? "runs" : "run"}`, more);
  return unknown(`${text}, of which ${sidecarsDown} ${sidecarsDown === 1 ? "does" : "do"} not run`, `label these pods \`sidecar.istio.io/inject: "false"\`, or let the runtime start ordinary containers too: the class of a pod counts for its sidecar as well`, more);
}

/** What is asked of the runtime over HTTP: a class of pods is needed to ask them. */
export function httpRequest({ http, runtimeClass }: Runtime): Request<"runtime-answers"> | undefined {
  return http === undefined || runtimeClass === undefined ? undefined : runtimeAnswersRequest({ runtimeClass: runtimeClass.name, port: http.port, health: http.health, info: http.info });
}

/** A pod on the node was asked, and its runtime answered (T4). */
function seeAnswer({ node }: NodeView, { answers }: ClusterView, { port, health, minVersion }: Http, runtimeClass: string | undefined): Seen {
  if (runtimeClass === undefined) return unknown("nobody to ask: the profile names no class of pods", "name `runtime.runtimeClass`, or leave `runtime.http` out");
  const fact = answers.get(node.name);
  if (fact === undefined) return unknown("no answer: no ready pod of the class was asked on this node", "allow the probe `nodes`, and run a pod of the class on each node (a DaemonSet)");
  const { healthy, status, failure, runtime, version } = fact.data;
  if (status !== undefined) return fail("T4", `${status} on ${health}`, `look at the runtime's own log: the pod is ready, and its health path says that it does not work; or correct \`port\` and \`health\` in \`runtime.http\``, { fact });
  if (!healthy) return unknown(`no answer on port ${port}: ${failure?.reason ?? "it does not say why"}`, failure?.remedy ?? "look at the pod", { fact });
  const text = `${[runtime ?? "a runtime without a name", version].filter((each) => each !== undefined).join(" ")} answers`;
  if (minVersion === undefined) return pass("T4", text, { fact });
  const [least, own] = [parseRelease(minVersion), version === undefined ? undefined : parseRelease(version)];
  if (own === undefined || least === undefined) return unknown(`${text}, with no version that can be compared`, "let its info path answer `{ runtime, version, arch }`, or leave `minVersion` out", { fact });
  return isAtLeast(own, least) ? pass("T4", text, { fact }) : fail("T4", text, `upgrade the runtime to ${minVersion} or newer`, { fact });
}

/** What runtime-class-manager calls a node on which its installer has ended well; the name of the Shim is the key of the label. */
const PROVISIONED = "provisioned";

/** The digest for the node's platform, of the Shim that made the class, on a node where it is installed. */
function seeShim({ node }: NodeView, view: ClusterView, runtimeClass: Class | undefined, wanted: Readonly<Record<string, string>>): Seen {
  const handler = view.classes.find(({ data }) => data.name === runtimeClass?.name)?.data.handler;
  const isFor = ({ data }: ShimFact) => runtimeClass === undefined || data.runtimeClass === runtimeClass.name || (data.runtimeClass === undefined && handler !== undefined && data.handler === handler);
  // one that names neither class nor handler may be for this class, too
  const shims = view.shims.filter((each) => isFor(each) || (each.data.runtimeClass === undefined && each.data.handler === undefined));
  const [fact, second] = shims.some(isFor) ? shims : [];
  if (fact === undefined) return unknown("no Shim object names it", "install the shim by runtime-class-manager, whose Shim objects carry its digest");
  if (second !== undefined) return unknown(`two Shim objects, ${named(shims.map(({ data }) => data.name))}`, "keep one Shim for the class", { fact });
  const platform = `${node.operatingSystem ?? "linux"}/${node.arch ?? "of no architecture"}`;
  const own = fact.data.platforms.find(({ os, arch }) => `${os}/${arch}` === platform)?.sha256;
  const text = `${platform} ${own?.slice(0, 12) ?? "without a digest"}`;
  const more = { fact, values: { shim: `${platform} ${own ?? "none"}` } };
  const asked = Object.hasOwn(wanted, platform) ? wanted[platform] : undefined;
  if (own === undefined || asked === undefined) return unknown(asked === undefined ? `${text}, of which the profile names none` : text, asked === undefined ? `add \`${platform}\` to \`runtime.shim.sha256\`` : "give the Shim object a `sha256` for each platform", { fact });
  if (own !== asked) return fail("T3", text, "install the shim that the profile names, or write this one's digest into `runtime.shim`", more);
  const state = Object.hasOwn(node.labels, fact.data.name) ? node.labels[fact.data.name] : undefined;
  return state === PROVISIONED ? pass("T3", text, more) : unknown(`${text}, ${state === undefined ? "not installed on this node" : `here ${state}`}`, `look at the jobs of runtime-class-manager for \`${fact.data.name}\`: it labels a node \`${fact.data.name}=${PROVISIONED}\` when it has installed the shim`, { fact });
}
