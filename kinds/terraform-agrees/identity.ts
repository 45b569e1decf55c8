import { assume, byText, cite, fault, undecided, type Evidence, type Finding, type Judgement } from "#engine";
import { citeDeclared, type ClusterFact, type View } from "./view.ts";
import { several } from "./words.ts";

/** Whether the states are this cluster's at all. Where they may not be, nothing else of them says anything about it. */
export interface Identity {
  readonly holds: boolean;
  readonly told: readonly Judgement[];
}

/**
 * Are the declared cluster and the one that runs the same?
 *
 * 1. Another cloud, region, account or group of nodes is another cluster, as is another host name of EKS, which gives it to one cluster for ever.
 * 2. Names of AKS belong to one cluster, which may get a second one; an address can change, and so can an authority: where these are others, it is undecided.
 * 3. Behind any other name there may be a proxy with an authority of its own: then it is an assumption that they are the same.
 */
export function identity(view: View): Identity {
  const told = view.clusters.map((fact) => elsewhere(view, fact) ?? reachedAs(view, fact)).filter((each) => each !== undefined);
  const [first] = told.filter((each) => each.type === "finding");
  return first === undefined ? { holds: true, told } : { holds: false, told: [first] };
}

function elsewhere(view: View, fact: ClusterFact): Finding | undefined {
  const { cloud, region, account, nodeGroup } = fact.data;
  // Of the fleet file only a cloud that has a name of its own here counts: other words, and those for regions, are the user's.
  const said = CLOUDS.has(view.cluster.cloud ?? "") ? view.cluster.cloud : undefined;
  // A project has a number, too: nodes are named by its id.
  const told = cloud === "gcp" && /^\d+$/.test(account ?? "") ? undefined : account;
  const differs =
    difference("cloud", cloud, [said, ...view.nodes.map(({ data }) => data.cloud)]) ??
    difference("region", region, view.nodes.map(({ data }) => data.region)) ??
    difference("account", told, view.nodes.map(({ data }) => data.account)) ??
    difference("group", nodeGroup, view.nodes.map(({ data }) => data.group));
  if (differs === undefined) return undefined;
  const node = view.nodes.find(({ data }) => data[differs.what] !== undefined);
  const what = differs.what === "group" ? "resource group of its nodes" : differs.what;
  return fault({
    subject: `${view.name}/${differs.what}`,
    cause: `${view.name} is another cluster: ${differs.what} ${differs.declared} ${differs.seen.join(" ")}`,
    message: `the state \`${fact.data.state}\` declares \`${fact.data.name}\` ${differs.what === "group" ? "with" : "in"} the ${what} \`${differs.declared}\`, and \`${view.name}\` is in ${several(differs.seen)}: it is another cluster`,
    remedy: remedyOf(view, fact),
    evidence: [citeDeclared(view, fact, `${what} ${differs.declared}`), ...(node === undefined ? [] : [cite(node, "nodes", `${what} ${node.data[differs.what] ?? ""}`)])],
  });
}

function remedyOf({ name }: View, { data }: ClusterFact): string {
  return `correct \`terraform:\` of \`${name}\` in the fleet file${data.name === name ? "" : `, or write \`cluster: ${name}\` there where its state holds several`}; or correct its \`kubernetes:\``;
}

const CLOUDS: ReadonlySet<string> = new Set(["aws", "gcp", "azure"]);

interface Differs {
  readonly what: "cloud" | "region" | "account" | "group";
  readonly declared: string;
  readonly seen: readonly string[];
}

/** Set where something else is seen and what is declared is not. */
function difference(what: Differs["what"], declared: string | undefined, all: readonly (string | undefined)[]): Differs | undefined {
  const seen = [...new Set(all.flatMap((value) => value?.toLowerCase() ?? []))].toSorted(byText);
  return declared === undefined || seen.length === 0 || seen.includes(declared.toLowerCase()) ? undefined : { what, declared, seen };
}

/** By what the API server is reached, against what the state says of it: one that agrees is enough. */
function reachedAs(view: View, fact: ClusterFact): Judgement | undefined {
  const { api, name } = view;
  const { hostsSha256: hosts = [], caSha256, nodeGroup } = fact.data;
  // A group of nodes belongs to one cluster: `elsewhere` has compared it.
  const isProven = nodeGroup !== undefined && view.nodes.some(({ data }) => data.group !== undefined);
  if (isProven || api === undefined || hosts.includes(api.data.hostSha256) || (caSha256 !== undefined && caSha256 === api.data.caSha256)) return undefined;
  const subject = `${name}/api-server`;
  const cause = `${name} is another cluster: ${fact.data.id} ${api.data.hostSha256.slice(0, 16)}`;
  const declares = `the state \`${fact.data.state}\` declares \`${fact.data.name}\``;
  const evidence: readonly Evidence[] = [citeDeclared(view, fact, shown(hosts[0], caSha256)), cite(api, "reached", shown(api.data.hostSha256, api.data.caSha256))];
  const refreshed = `refresh the state (\`terraform apply -refresh-only\`); if it stays, ${remedyOf(view, fact)}`;
  if (api.data.named === "eks" && hosts.length > 0) {
    return fault({ subject, cause, message: `${declares}, whose API server has another name than the one by which \`${name}\` is reached, and EKS gives that name to one cluster only: it is another cluster`, remedy: remedyOf(view, fact), evidence });
  }
  if (api.data.named === "aks" && hosts.length > 0) {
    return undecided({ subject, cause, message: `${declares}, whose API server has other names than the one by which \`${name}\` is reached: it is another cluster, or got a name since`, remedy: refreshed, evidence });
  }
  if (caSha256 === undefined || api.data.caSha256 === undefined) return undefined;
  if (api.data.named === "other") return assume(`the states are those of \`${name}\`, although its API server is reached by another name and another certificate authority than they declare: a proxy in between has both`, name);
  return undecided({
    subject,
    cause,
    message: `${declares}, whose API server has another certificate authority and another address than the one by which \`${name}\` is reached: it is another cluster, or both were changed since`,
    remedy: refreshed,
    evidence,
  });
}

/** Digests, as short as people compare them. */
function shown(host: string | undefined, authority: string | undefined): string {
  const part = (what: string, digest: string | undefined) => (digest === undefined ? [] : [`${what} sha256:${digest.slice(0, 16)}`]);
  return [...part("host", host), ...part("authority", authority)].join(", ");
}
