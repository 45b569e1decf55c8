import type { ControlPlaneFact } from "#engine";
import { parseImage } from "#values";
import { parseRelease, releaseOfAgent, type Release } from "./releases.ts";
import { fail, noneThere, pass, unknown, type Seen } from "./tiers.ts";
import type { AgentFact, ClusterView } from "./view.ts";

/** Minor releases of Istio, the first and the last. */
type Range = readonly [first: number, last: number];

/** Which releases of Istio 1 a release of Kmesh is for. Source: `docs/en/kmesh_support.md`; 1.2 is not on that page, but its own end-to-end tests run with 1.24 to 1.26. */
const FOR_ISTIO: Readonly<Record<string, Range>> = { "0.3": [22, 22], "0.4": [22, 23], "0.5": [22, 23], "1.0": [22, 24], "1.1": [23, 25], "1.2": [23, 26] };

/** Does Kmesh know the control plane that it gets its configuration from? */
export function seeIstio(view: ClusterView): Seen {
  const agents = [...new Map(view.nodes.flatMap((node) => node.agents.filter(({ data }) => data.product === "kmesh")).map((fact) => [fact.subject, fact])).values()];
  if (agents.length === 0) return view.complete("node-agents") ? noneThere("no Kmesh on these nodes") : unknown("agents were not all seen", "repair what the gap names");
  const planes = view.controlPlanes.map(({ data }) => data);
  if (!view.complete("control-planes")) return unknown("control planes were not all seen", "repair what the gap names", { fact: agents[0] });
  if (planes.length === 0) return unknown("no control plane of Istio", "let this identity list pods in all namespaces; of one that runs elsewhere nothing here tells the release", { fact: agents[0] });
  const seen = agents.map((agent) => seeAgent(agent, planes));
  const worst = seen.find(({ outcome }) => outcome === "fail") ?? seen.find(({ outcome }) => outcome === "unknown");
  return worst ?? pass("T3", [...new Set(seen.map(({ observed }) => observed))].join(", "), { fact: agents[0] });
}

/** One of several control planes is the one that it asks, and nothing here tells which: a fault is what no choice could heal. */
function seeAgent(fact: AgentFact, planes: readonly ControlPlaneFact[]): Seen {
  const pairs = planes.map((plane) => seePair(fact, plane));
  const text = [...new Set(pairs.map(({ observed }) => observed))].join(", ");
  const wrong = pairs.find(({ outcome }) => outcome === "fail");
  const open = pairs.find(({ outcome }) => outcome === "unknown");
  if (wrong === undefined) return open ?? pass("T3", text, { fact });
  if (pairs.every(({ outcome }) => outcome === "fail")) return wrong;
  return unknown(`${text}: which of them it asks was not seen`, "let Kmesh be for every control plane of the cluster while a new one is tried", { fact });
}

function seePair(fact: AgentFact, { image, revision }: ControlPlaneFact): Seen {
  const [kmesh, istio] = [releaseOfAgent(fact.data)?.release, image === undefined ? undefined : parseRelease(parseImage(image)?.tag ?? "")];
  const text = `Kmesh ${textOf(kmesh)} with Istio ${textOf(istio)}`;
  if (istio === undefined) return unknown(`${text} (revision ${revision})`, "give the image of the control plane a tag that names its release", { fact });
  const range = kmesh === undefined ? undefined : FOR_ISTIO[`${kmesh[0]}.${kmesh[1]}`];
  if (range === undefined || istio[0] !== 1) return unknown(`${text}: which releases of Istio this Kmesh is for is not known`, "run a release of Kmesh whose page on support names its releases of Istio", { fact });
  const [first, last] = range;
  if (istio[1] >= first && istio[1] <= last) return pass("T3", text, { fact });
  // its page: in this mode an older one works in theory
  if (istio[1] < first && fact.data.mode === "kernel-native") return unknown(`${text}: in its kernel-native mode an older Istio may do`, `run Istio 1.${first} to 1.${last}, for which this Kmesh is`, { fact });
  return fail("T3", text, `run Istio 1.${first}${first === last ? "" : ` to 1.${last}`}, or a release of Kmesh that is for Istio 1.${istio[1]}`, { fact });
}

function textOf(release: Release | undefined): string {
  return release === undefined ? "of an unknown release" : release.join(".");
}

/** The last one: from 1.18 to 1.20 istio-cni could redirect pods of the ambient mesh by eBPF; in 1.21 it was taken out with the redirection in the node's own network. Source: its chart and `cni/` at these tags. */
export const LAST_EBPF: Release = [1, 20, 99];
