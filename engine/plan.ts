import { requestKey } from "./asked.ts";
import type { AnyCollector, AnyKind } from "./define.ts";
import { PluginError } from "./errors.ts";
import type { FactKind } from "./facts.ts";
import { byText } from "./json.ts";
import type { Assertion, Cluster, Request } from "./model.ts";
import { selects } from "./selection.ts";

/** All requests of one kind of fact for one cluster, and who answers them. */
export interface Step {
  readonly fact: FactKind;
  readonly collector: AnyCollector;
  readonly requests: readonly Request[];
}

/** Steps of one stage run side by side; a stage starts when the one before is done. */
export type Plan = readonly (readonly Step[])[];

/**
 * Merges what all assertions need of one cluster into one list of requests per kind of fact, in stages.
 *
 * Guarantees:
 *
 * 1. Nothing is asked that no assertion which selects the cluster needs; a request made by several is asked once.
 * 2. A collector runs after those that provide what it names in `after`, as far as they run at all.
 */
export function plan(
  cluster: Cluster,
  assertions: readonly Assertion[],
  kinds: ReadonlyMap<string, AnyKind>,
  collectors: readonly AnyCollector[],
): Plan {
  const requests = assertions
    .filter((assertion) => selects(assertion.clusters, cluster) === "yes")
    .flatMap((assertion) => needsOf(assertion, kinds));
  return stages(requests, collectors);
}

/** The requests of one assertion. Throws {@link PluginError} where the kind's own code fails. */
export function needsOf(assertion: Assertion, kinds: ReadonlyMap<string, AnyKind>): readonly Request[] {
  const kind = kindOf(assertion, kinds);
  try {
    return kind.needs(assertion.spec as never);
  } catch (cause) {
    throw brokenKind(kind.name, cause);
  }
}

export function kindOf(assertion: Assertion, kinds: ReadonlyMap<string, AnyKind>): AnyKind {
  const kind = kinds.get(assertion.kind);
  if (kind === undefined) throw new TypeError(`assertion \`${assertion.name}\` was loaded with an unknown kind`);
  return kind;
}

export function brokenKind(name: string, cause: unknown): PluginError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PluginError(`the kind \`${name}\` failed: ${what}`, {
    remedy: `this is a fault of the kind, not of your clusters: report it to whoever maintains the folder of \`${name}\``,
    cause,
  });
}

/** Requests in stages, without those asked twice. */
export function stages(requests: readonly Request[], collectors: readonly AnyCollector[]): Plan {
  const unique = new Map(requests.map((request) => [requestKey(request), request]));
  const sorted = [...unique].sort(([a], [b]) => byText(a, b)).map(([, request]) => request);
  const steps = [...Map.groupBy(sorted, (request) => request.fact)].map(([fact, group]) => ({
    fact,
    collector: providerOf(fact, collectors),
    requests: group,
  }));
  return inOrder(steps);
}

function providerOf(fact: FactKind, collectors: readonly AnyCollector[]): AnyCollector {
  const provider = collectors.find((collector) => (collector.provides as readonly string[]).includes(fact));
  if (provider) return provider;
  throw new PluginError(`no collector provides \`${fact}\``, {
    remedy: "load the collector that does with --plugin DIR, or correct `needs` of the kind that asks for it",
  });
}

function inOrder(steps: readonly Step[]): Plan {
  const plan: Step[][] = [];
  let waiting = [...steps];
  while (waiting.length > 0) {
    const ahead = new Set(waiting.map((step) => step.fact));
    const ready = waiting.filter((step) => !(step.collector.after ?? []).some((fact) => ahead.has(fact)));
    if (ready.length === 0) {
      const names = waiting.map((step) => `\`${step.collector.name}\``).join(", ");
      throw new PluginError(`the collectors ${names} wait for each other`, { remedy: "remove one `after` from them" });
    }
    plan.push(ready);
    waiting = waiting.filter((step) => !ready.includes(step));
  }
  return plan;
}
