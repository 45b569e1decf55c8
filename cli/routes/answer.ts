import type { Assumption, DestinationEffect, Effect, Origin, Request, Unmodelled, View } from "#routes";

/** A request as programs read it. */
export function requestJson({ headers, ...rest }: Request): object {
  return { ...rest, headers: headersJson(headers) };
}

function headersJson(lines: Request["headers"]): Readonly<Record<string, string | readonly string[]>> {
  const byName = Map.groupBy(lines, ([name]) => name);
  return Object.fromEntries([...byName].map(([name, own]) => [name, own.length === 1 ? (own[0]?.[1] ?? "") : own.map(([, value]) => value)]));
}

/** What happens to a request, in the form of the contract: what all destinations receive alike stands beside them. */
export function actionJson(effect: Effect): object {
  if (effect.type !== "forward") return effect;
  const { destinations, rewrite, ...rest } = effect;
  const authority = common(destinations, (each) => ("invalid" in each ? undefined : each.authority));
  const headers = common(destinations, (each) => each.headers);
  const plain = destinations.map((each): object => {
    const { headers: own, ...others } = each;
    const { authority: named, ...most } = "authority" in others ? others : { ...others, authority: undefined };
    return { ...most, ...(authority === undefined && named !== undefined ? { authority: named } : {}), ...(headers === undefined && own !== undefined ? { headers: own } : {}) };
  });
  const both = { ...rewrite, ...(authority === undefined ? {} : { authority }) };
  return { ...rest, destinations: plain, ...(Object.keys(both).length === 0 ? {} : { rewrite: both }), ...(headers === undefined ? {} : { headers }) };
}

function common<T>(destinations: readonly DestinationEffect[], read: (each: DestinationEffect) => T | undefined): T | undefined {
  const [first] = destinations;
  const value = first === undefined ? undefined : read(first);
  return value !== undefined && destinations.every((each) => JSON.stringify(read(each)) === JSON.stringify(value)) ? value : undefined;
}

/** A deciding rule; null where none decides. */
export function ruleJson(rule: Origin | undefined): object | null {
  return rule === undefined ? null : { object: rule.object, path: rule.path, ...(rule.file === undefined ? {} : { file: rule.file }), ...(rule.line === undefined ? {} : { line: rule.line }) };
}

/** An open question without what only the engine needs. */
export function openJson({ reason, where, place, view, host }: Unmodelled & { readonly place?: string; readonly view?: View; readonly host?: string }): object {
  return { reason, ...(where === undefined ? {} : { where }), ...(place === undefined ? {} : { place }), ...(view === undefined ? {} : { view }), ...(host === undefined ? {} : { host }) };
}

/** An assumption for a reader. */
export function assumptionText({ text, where }: Assumption): string {
  return where === undefined ? text : `${text} (${where})`;
}
