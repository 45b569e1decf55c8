import type { Action, Backend, Condition, FieldMatch, HeaderOperation, HttpTable, Listener, PathMatch, PathRewrite, Request, RouteWorld, StringMatch, View } from "#routes";

/** A request of a test: what is left out is `GET http://a.com/`. */
export interface Probe {
  readonly method?: string;
  readonly authority?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly claims?: Request["claims"];
}

/** The plainest reading of the model: what one reading of a view answers, as the client and the backend see it. */
export function answers(world: RouteWorld, view: (view: View) => boolean, probe: Probe): readonly unknown[] {
  const found = world.views.find((candidate) => view(candidate.view));
  if (found === undefined) return ["no such view"];
  return found.readings.map(({ listener }) => answer(listener, probe));
}

function answer(listener: Listener, probe: Probe): unknown {
  const chain = listener.chains.find(({ when }) => when.serverNames === undefined);
  const then = chain?.then ?? listener.otherwise;
  return then.type === "http" ? visit(then, probe) : outcome(then, probe, []);
}

function visit(table: HttpTable, probe: Probe): unknown {
  const host = (probe.authority ?? "a.com").toLowerCase().replace(/:\d+$/, "");
  const domains = table.virtualHosts.flatMap((virtual) => virtual.domains.map((domain) => ({ domain, virtual })));
  const fits = ({ domain }: { domain: string }): boolean => domain === "*" || domain === host || (domain.startsWith("*") && host.length >= domain.length && host.endsWith(domain.slice(1)));
  const best = domains.filter(fits).sort((a, b) => Number(b.domain === host) - Number(a.domain === host) || b.domain.length - a.domain.length)[0];
  if (best === undefined) return outcome(table.otherwise, probe, []);
  const headers = [...(probe.headers ?? []).filter(([name]) => table.overwritten?.[name] === undefined), ...Object.entries(table.overwritten ?? {})];
  const rule = best.virtual.rules.find(({ when }) => holds(when, { ...probe, headers }, table));
  return outcome(rule?.action ?? { type: "notFound" }, probe, headers);
}

function holds(when: Condition, probe: Probe, table: HttpTable): boolean {
  const full = probe.path ?? "/";
  const [path = "", query = ""] = full.split("?");
  const lines = (name: string): readonly string[] => {
    if (name === ":method") return [probe.method ?? "GET"];
    if (name === ":path") return [full];
    if (name === ":authority" || name === "host") return [probe.authority ?? "a.com"];
    if (name === ":scheme") return [table.scheme.default];
    const found = (probe.headers ?? []).filter(([key]) => key === name).map(([, value]) => value);
    return table.reading.headerLines === "joined" && found.length > 1 ? [found.join(",")] : found;
  };
  const parameters = query === "" ? [] : query.split("&").map((pair) => pair.split(/=(.*)/s));
  return (
    (when.path === undefined || fitsPath(when.path, path)) &&
    (when.headers ?? []).every((match) => fitsField(match, lines(match.name))) &&
    (when.query ?? []).every((match) => fitsField(match, parameters.filter(([key]) => key === match.name).slice(0, 1).map(([, value]) => value ?? ""))) &&
    (when.claims ?? []).every((match) => {
      let claim: unknown = probe.claims;
      for (const step of match.path) claim = typeof claim === "object" && claim !== null ? (claim as Record<string, unknown>)[step] : undefined;
      return fitsField(match, typeof claim === "string" ? [claim] : Array.isArray(claim) ? claim : []);
    })
  );
}

function fitsField(match: FieldMatch, lines: readonly string[]): boolean {
  const test = (line: string): boolean => match.match.kind === "any" || fitsText(match.match, line);
  if (lines.length > 0) return lines.some(test) !== (match.invert === true);
  return match.whenAbsent === "as-empty" ? test("") !== (match.invert === true) : match.whenAbsent === true;
}

function fitsPath(match: PathMatch, path: string): boolean {
  return match.kind === "separated-prefix" ? path === match.value || path.startsWith(`${match.value}/`) : fitsText(match, path);
}

function fitsText(match: StringMatch, text: string): boolean {
  if (match.kind === "regex") return new RegExp(`^(?:${match.pattern})$`).test(text);
  const fold = (value: string): string => (match.ignoreCase === true ? value.toLowerCase() : value);
  const [value, line] = [fold(match.value), fold(text)];
  return match.kind === "exact" ? line === value : match.kind === "prefix" ? line.startsWith(value) : match.kind === "suffix" ? line.endsWith(value) : line.includes(value);
}

function rewritten(full: string, rewrite: PathRewrite | undefined): string {
  const [path = "", ...query] = full.split(/(?=\?)/);
  if (rewrite === undefined) return full;
  if (rewrite.kind === "replace") return rewrite.value + (rewrite.value.includes("?") ? "" : query.join(""));
  if (rewrite.kind === "prefix") return rewrite.value + path.slice(rewrite.length) + query.join("");
  return path.replace(new RegExp(rewrite.pattern, "g"), rewrite.substitution.replaceAll("\\", "$")) + query.join("");
}

function applied(lines: readonly (readonly [string, string])[], operations: readonly HeaderOperation[] = []): readonly (readonly [string, string])[] {
  let out = [...lines];
  for (const operation of operations) {
    if (operation.op !== "add") out = out.filter(([name]) => name !== operation.name);
    if (operation.op !== "remove") out.push([operation.name, operation.value]);
  }
  return out.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function outcome(action: Action, probe: Probe, headers: readonly (readonly [string, string])[]): unknown {
  const path = probe.path ?? "/", authority = probe.authority ?? "a.com";
  if (action.type === "redirect") {
    const kept = action.keepPort === true || (action.port === undefined && !/:80$/.test(authority)) ? authority : authority.replace(/:\d+$/, "");
    const host = (action.authority ?? kept) + (action.port === undefined ? "" : `:${action.port}`);
    return { redirect: action.status, location: `${action.scheme ?? "http"}://${host}${rewritten(path, action.path)}`, headers: applied([], action.response), fault: action.fault };
  }
  if (action.type === "respond") return { status: action.status, body: action.body, headers: applied([], action.response), fault: action.fault };
  if (action.type !== "forward") return action.type === "invalid" ? { invalid: action.reason } : { type: action.type };
  const { destinations, rewritePath, type, ...rest } = action;
  const total = destinations.reduce((sum, share) => sum + share.weight, 0);
  const shares = new Map<string, number>();
  for (const share of destinations) {
    if (share.weight === 0) continue;
    const { weight, ...about } = share;
    const backend = about as Omit<Backend, "weight">;
    const seen = "invalid" in about
      ? { status: about.status, response: applied([], about.response) }
      : { ...backend, authority: backend.authority ?? authority, request: applied(headers, backend.request), response: applied([], backend.response) };
    const key = JSON.stringify(seen);
    shares.set(key, (shares.get(key) ?? 0) + weight / total);
  }
  const seenShares = [...shares].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [JSON.parse(key), Math.round(part * 1e9) / 1e9]);
  return { type, path: rewritten(path, rewritePath), shares: seenShares, ...rest, ...(rest.retries ? { retries: { ...rest.retries, on: [...rest.retries.on].sort() } } : {}) };
}
