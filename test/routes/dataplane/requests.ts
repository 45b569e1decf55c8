import type { Chain, Condition, FieldMatch, HttpTable, Listener, PathMatch, Request, StringMatch, ViewTable, VirtualHost } from "#routes";
import type { Random } from "../../support/tables.ts";
import { edges } from "./worlds.ts";

/** Requests that stand at the boundaries of the rules of a view: what a rule asks for, and what just misses it. */
export function requestsFor(view: ViewTable, next: Random, count: number): readonly Request[] {
  const listener = view.readings[0]?.listener;
  return listener === undefined ? [] : Array.from({ length: count }, () => new Aim(next, view, listener).request());
}

const otherHosts = ["other.org", "s.com", "x", "a.t.com", "x.a.svc", "10.0.0.1", "[::1]", "ext.com"] as const;
const plainPaths = ["/", "/a", "/a/b", "/b", "/A", "/x.y", "/c", "/a//b", "/a%20b", "/a%2Fb"] as const;

class Aim {
  readonly #next: Random;
  readonly #view: ViewTable;
  readonly #listener: Listener;

  constructor(next: Random, view: ViewTable, listener: Listener) {
    this.#next = next;
    this.#view = view;
    this.#listener = listener;
  }

  request(): Request {
    const { chains } = this.#listener;
    const chain = chains.length === 0 ? undefined : this.#pick(chains);
    const connection = this.#connection(chain);
    return chain?.then.type === "http" ? this.#http(chain.then, connection) : { method: "GET", scheme: "http", authority: "a.com", path: "/", headers: [], ...connection };
  }

  #chance(percent: number): boolean {
    return this.#next(100) < percent;
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[this.#next(list.length)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  #connection(chain: Chain | undefined): Pick<Request, "sni" | "destination"> {
    const { view } = this.#view;
    const when = chain?.when ?? {};
    const name = this.#serverName(when.serverNames);
    const speaksTls = when.transport === "tls" ? !this.#chance(6) : chain !== undefined && chain.then.type !== "http" && this.#chance(20);
    const [range = ""] = when.destinations === undefined ? [] : [this.#pick(when.destinations)];
    const address = range === "" ? (chain?.then.type === "http" && !("mesh" in view) ? undefined : this.#pick(["10.9.9.9", "192.168.1.1"])) : this.#chance(80) ? inside(range) : this.#pick(["10.0.1.1", "10.0.1.2", "11.0.0.0", "192.169.0.1"]);
    return {
      ...(speaksTls ? { sni: name } : {}),
      destination: { port: view.port, ...(address === undefined ? {} : { address }) },
    };
  }

  #serverName(names: readonly string[] | undefined): string {
    if (names === undefined || this.#chance(12)) return this.#pick(["s.com", "t.com", "q.s.com", "other.org", "u.s.com"]);
    const name = this.#pick(names);
    return name.startsWith("*") ? `${this.#pick(["q", "u", "a.b"])}${name.slice(1)}` : this.#chance(10) ? name.toUpperCase() : name;
  }

  #http(table: HttpTable, connection: Pick<Request, "sni" | "destination">): Request {
    const host = table.virtualHosts.length === 0 ? undefined : this.#pick(table.virtualHosts);
    const rule = host === undefined || host.rules.length === 0 ? undefined : this.#pick(host.rules);
    const made: Growing = { method: "GET", path: this.#pick(plainPaths), query: [], headers: [], claims: {} };
    const authority = this.#authority(host);
    let asked = authority;
    const conditions = [rule?.when ?? {}, ...(host !== undefined && host.rules.length > 0 && this.#chance(30) ? [this.#pick(host.rules).when] : [])];
    for (const when of conditions.reverse()) asked = this.#meet(when, made) ?? asked;
    if (this.#chance(8)) made.path = this.#pick(["/a//b", "/a/../b", "/a/./b", "//a", "/a%2Fb", "/%61", "/a/", `${made.path}/../a`, `${made.path}//`, "/a%5Cb", "/a%2fb%2F", "/x/..", "/%2e/a"]);
    if (this.#chance(10)) made.method = this.#pick(["POST", "PUT", "GET", "PATCH", "OPTIONS"]);
    if (this.#chance(5)) made.headers.push(["x-forwarded-proto", this.#pick(["https", "http", "HTTPS"])]);
    if (this.#chance(rulesWithCors(host) ? 35 : 2)) {
      made.headers.push(["origin", this.#pick(["http://o.com", "http://p.com", "https://o.com", "http://q", "x"])]);
      if (this.#chance(40)) {
        made.method = "OPTIONS";
        if (this.#chance(85)) made.headers.push(["access-control-request-method", "GET"]);
      }
    }
    const query = made.query.length > 0 ? `?${made.query.join("&")}` : this.#chance(6) ? "?" : this.#chance(8) ? "?q=1&r=2" : "";
    return {
      method: made.method,
      scheme: connection.sni === undefined ? "http" : "https",
      authority: asked,
      path: (made.path.startsWith("/") ? made.path : `/${made.path}`) + query,
      headers: made.headers,
      ...(Object.keys(made.claims).length === 0 ? {} : { claims: made.claims }),
      ...connection,
    };
  }

  #authority(host: VirtualHost | undefined): string {
    if (host === undefined || this.#chance(8)) return this.#pick(otherHosts);
    const domain = this.#pick(host.domains);
    const name = domain === "*" ? this.#pick(otherHosts) : domain.startsWith("*") ? this.#pick([`q${domain.slice(1)}`, `a.b${domain.slice(1)}`, domain.slice(2)]) : domain.endsWith("*") ? `${domain.slice(0, -1)}q` : domain;
    if (!/^[\w.\-[\]:]+$/.test(name)) return "other.org";
    const cased = this.#chance(6) ? name.toUpperCase() : name;
    return this.#chance(12) && !cased.includes(":") ? `${cased}:${this.#pick(["80", "8080", "443", "9"])}` : cased;
  }

  /** Makes a request meet a condition, each part sometimes not quite; answers with the authority that it wants, if any. */
  #meet(when: Condition, made: Growing): string | undefined {
    let authority: string | undefined;
    if (when.path !== undefined) made.path = this.#word(when.path, plainPaths);
    for (const header of when.headers ?? []) {
      const values = this.#values(header);
      const [value = ""] = values;
      if (header.name === ":method") {
        if (/^(GET|POST|PUT|PATCH|OPTIONS)$/.test(value)) made.method = value;
      } else if (header.name === ":path") {
        if (value.startsWith("/")) [made.path = "/"] = value.split("?");
      } else if (header.name === ":authority" || header.name === "host") {
        if (/^[\w.\-:]+$/.test(value)) authority = value;
      } else if (!header.name.startsWith(":")) {
        if (made.headers.some(([name]) => name === header.name) && !this.#chance(20)) made.headers = made.headers.filter(([name]) => name !== header.name);
        for (const line of header.name === "cookie" ? values.slice(0, 1) : values) made.headers.push([header.name, line]);
      }
    }
    for (const parameter of when.query ?? []) {
      for (const value of this.#values(parameter)) if (/^[!-~]*$/.test(value) && !/[&#]/.test(value)) made.query.push(value === "" && this.#chance(50) ? parameter.name : `${parameter.name}=${value}`);
    }
    for (const claim of when.claims ?? []) {
      const [value] = this.#values(claim);
      if (value !== undefined) made.claims = claim.path.length === 1 ? { ...made.claims, [claim.path[0] ?? ""]: this.#chance(70) ? value : [value, "z"] } : { ...made.claims, [claim.path[0] ?? ""]: { [claim.path[1] ?? ""]: value } };
    }
    return authority;
  }

  /** Lines or values for a test: none, one, or two. */
  #values(field: FieldMatch): readonly string[] {
    if (this.#chance(field.invert === true ? 45 : 12)) return [];
    const value = field.match.kind === "any" ? this.#pick(["", "v"]) : this.#word(field.match, ["v", "w", "", "1"]);
    const clean = value.replaceAll(/\p{Cc}/gu, "").trim();
    return this.#chance(12) ? (this.#chance(50) ? [clean, this.#pick(["v", "q"])] : [this.#pick(["q", "v"]), clean]) : [clean];
  }

  /** A word at the edge of a test. */
  #word(match: StringMatch | PathMatch, others: readonly string[]): string {
    if (this.#chance(10)) return this.#pick(others);
    if (match.kind === "regex") return this.#pick(edges[match.pattern] ?? others);
    const { value } = match;
    const turned = value === value.toLowerCase() ? value.toUpperCase() : value.toLowerCase();
    if (match.kind === "exact") return this.#pick([value, value, value, `${value}x`, `${value}/`, value.slice(0, -1), turned]);
    return this.#pick([value, `${value}x`, `${value}/`, `${value}/x`, `${value}b`, value.slice(0, -1), `${turned}a`]);
  }
}

interface Growing {
  method: string;
  path: string;
  readonly query: string[];
  headers: (readonly [string, string])[];
  claims: NonNullable<Request["claims"]>;
}

function rulesWithCors(host: VirtualHost | undefined): boolean {
  return host?.rules.some(({ action }) => action.type === "forward" && action.cors !== undefined) === true;
}

function inside(range: string): string {
  const [address = ""] = range.split("/");
  return address === "10.0.0.0" ? "10.0.77.1" : address.endsWith(".0") ? `${address.slice(0, -1)}9` : address;
}
