import type { Fact } from "#engine";
import type { Compared } from "./compare.ts";

type Facts = readonly Fact<"routing">[];

/** More orders than this are not tried. */
const MOST_ORDERS = 24;

const ASSUMED = { text: "objects that both revisions hold keep their order: which of two was made first is taken to be the same in both" };

/**
 * Two revisions of one place say nothing of the age of objects. Where that leaves a comparison open, it is made again for each order in
 * which the objects that both hold may have been made, the same one on both sides: an answer counts when all orders give it.
 */
export function withKeptOrder(compared: Compared, facts: readonly [Facts, Facts], compare: (left: Facts, right: Facts) => Compared): Compared {
  if (compared.verdict !== "undecided") return compared;
  const shared = sharedOf(facts);
  if (shared.length < 2 || shared.length > MOST_ORDERS) return compared;
  const answers = shared.map((first) => compare(aged(facts[0], shared, first), aged(facts[1], shared, first)));
  const [one] = answers;
  if (one === undefined || answers.some(({ verdict }) => verdict !== one.verdict)) return compared;
  return { ...one, assumptions: [...one.assumptions, ASSUMED] };
}

/** VirtualServices of unknown age in both that share a host with another one of them. */
function sharedOf([left, right]: readonly [Facts, Facts]): readonly string[] {
  const both = new Set(right.filter(isUnaged).map(({ subject }) => subject));
  const candidates = left.filter((fact) => isUnaged(fact) && both.has(fact.subject));
  const owners = new Map<string, string[]>();
  for (const fact of candidates) for (const host of hostsOf(fact)) owners.set(host, [...(owners.get(host) ?? []), fact.subject]);
  // A wildcard may meet any other host.
  const wild = candidates.some((fact) => hostsOf(fact).some((host) => host.startsWith("*")));
  const meeting = wild ? candidates.map(({ subject }) => subject) : [...owners.values()].filter((names) => names.length > 1).flat();
  return [...new Set(meeting)].toSorted();
}

function isUnaged({ data }: Fact<"routing">): boolean {
  return data.type === "object" && data.kind === "VirtualService" && data.created === undefined;
}

function hostsOf({ data }: Fact<"routing">): readonly string[] {
  const hosts: unknown = data.type === "object" ? data.spec["hosts"] : undefined;
  return Array.isArray(hosts) ? hosts.filter((host): host is string => typeof host === "string") : [];
}

/** The same facts with an age for each of these objects: one is the oldest, the others follow by name. */
function aged(facts: Facts, shared: readonly string[], first: string): Facts {
  const order = new Map([first, ...shared.filter((name) => name !== first)].map((name, index) => [name, `2000-01-01T00:00:${String(index).padStart(2, "0")}Z`]));
  return facts.map((fact) => {
    const created = order.get(fact.subject);
    return created === undefined || fact.data.type !== "object" ? fact : { ...fact, data: { ...fact.data, created } };
  });
}
