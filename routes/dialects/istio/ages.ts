import type { Unmodelled } from "../../decide/model.ts";
import type { DestinationRules, MergedRule } from "./destination-rules.ts";
import { canonical } from "./json.ts";
import { add, type Named, type Registry, type Service } from "./registry.ts";

/**
 * Objects of which the older one counts, where nothing tells which that is.
 *
 * @module
 */

/** One entry for each two objects that say different things of the same clients and of which one has no known age. */
export function unagedRivals(registry: Registry, rules: DestinationRules): readonly Unmodelled[] {
  return [...rivalServices(registry), ...rivalRules(rules)];
}

/** Hosts that several namespaces have; a client of another one gets the oldest (sidecar.go `selectServices`). */
function rivalServices({ services, destinationRules }: Registry): readonly Unmodelled[] {
  const byHost = new Map<string, Service[]>();
  for (const service of services) if (!service.kubernetes && isOpen(service)) add(byHost, service.host, service);
  // Whose a service is also decides which DestinationRules are looked at.
  const ruled = new Set(destinationRules.map(({ namespace }) => namespace));
  const said = ({ ports, addresses, passesOn, namespace }: Service): string => canonical([ports, addresses, passesOn, ruled.has(namespace) ? namespace : ""]);
  return [...byHost].flatMap(([host, [first, ...others]]) => {
    const other = others.find((one) => first !== undefined && one.namespace !== first.namespace && said(one) !== said(first));
    return first === undefined || other === undefined || isAged(first.source, other.source) ? [] : [ageless(first.source, other.source, `both have \`${host}\``)];
  });
}

/** Whether clients of a namespace other than its own see it. */
function isOpen({ exportTo, namespace }: Service): boolean {
  return exportTo.some((target) => target !== "." && target !== "~" && target !== namespace);
}

/** Rules of one host with selectors that one client can meet both. */
function rivalRules({ local }: DestinationRules): readonly Unmodelled[] {
  const out: Unmodelled[] = [];
  for (const byHost of local.values()) {
    for (const [host, list] of byHost) {
      const selecting = list.filter((rule) => rule.selector !== undefined);
      selecting.forEach((rule, at) => {
        const other = selecting.slice(at + 1).find((one) => canBothMatch(rule, one) && canonical([rule.subsets, rule.trafficPolicy]) !== canonical([one.subsets, one.trafficPolicy]));
        const [first] = rule.sources, [second] = other?.sources ?? [];
        if (first !== undefined && second !== undefined && !isAged(first, second)) out.push(ageless(first, second, `can both be for a client of \`${host}\``));
      });
    }
  }
  return out;
}

function canBothMatch({ selector: one = {} }: MergedRule, { selector: other = {} }: MergedRule): boolean {
  return Object.entries(one).every(([key, value]) => !Object.hasOwn(other, key) || other[key] === value);
}

function isAged(...objects: readonly Named[]): boolean {
  return objects.every(({ created }) => created !== undefined);
}

function ageless(first: Named, second: Named, why: string): Unmodelled {
  return { reason: `${first.title} and ${second.title} ${why}, and their age, which decides, is not known`, where: { object: first.title, path: "metadata.creationTimestamp" } };
}
