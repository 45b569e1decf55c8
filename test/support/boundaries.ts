import type { Claims, Condition, FieldMatch, HeaderLine, HttpTable, PathMatch, Request, StringMatch } from "#routes";
import { parseRegex, type Regex } from "../../routes/languages/re2-syntax.ts";
import type { Random } from "./tables.ts";

/** For each part of a request, the values at which some predicate of some tables changes its mind, and their neighbours. */
export interface Boundaries {
  readonly methods: readonly string[];
  readonly authorities: readonly string[];
  readonly paths: readonly string[];
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  readonly claims: ReadonlyMap<string, { readonly path: readonly string[]; readonly values: readonly string[] }>;
}

/** Reads the boundaries off the tables. Words of expressions are drawn at random. */
export function boundariesOf(tables: readonly HttpTable[], random: Random): Boundaries {
  const methods = new Set(["GET", "POST", "OPTIONS"]);
  const authorities = new Set(["other.example"]);
  const paths = new Set(["/", "/x"]);
  const headers = new Map<string, Set<string>>();
  const parameters = new Map<string, Set<string>>();
  const claims = new Map<string, { path: readonly string[]; values: Set<string> }>();
  const valuesOf = (lists: Map<string, Set<string>>, name: string): Set<string> => {
    const known = lists.get(name) ?? new Set<string>();
    lists.set(name, known);
    return known;
  };
  const look = (when: Condition): void => {
    if (when.path !== undefined) for (const word of around(when.path, random)) paths.add(word);
    for (const header of when.headers ?? []) {
      const values = around(header, random);
      if (header.name === ":method") for (const value of values) methods.add(value);
      else if (header.name === ":authority" || header.name === "host") for (const value of values) authorities.add(value);
      else if (header.name === ":path") for (const value of values) paths.add(value);
      else if (!header.name.startsWith(":")) for (const value of values) valuesOf(headers, header.name).add(value);
    }
    for (const parameter of when.query ?? []) for (const value of around(parameter, random)) valuesOf(parameters, parameter.name).add(value);
    for (const claim of when.claims ?? []) {
      const key = JSON.stringify(claim.path);
      const known = claims.get(key) ?? { path: claim.path, values: new Set<string>() };
      claims.set(key, known);
      for (const value of around(claim, random)) known.values.add(value);
    }
  };
  for (const { scheme, virtualHosts } of tables) {
    if (scheme.from === "x-forwarded-proto") for (const value of ["http", "https", "HTTPS", ""]) valuesOf(headers, "x-forwarded-proto").add(value);
    for (const { domains, rules } of virtualHosts) {
      for (const domain of domains) for (const host of hostsOf(domain)) authorities.add(host);
      for (const { when, action } of rules) {
        look(when);
        if (action.type !== "forward") continue;
        for (const share of action.destinations) {
          if ("invalid" in share) continue;
          if (share.authority !== undefined) authorities.add(share.authority);
          for (const operation of share.request ?? []) valuesOf(headers, operation.name).add(operation.op === "remove" ? "a" : operation.value.replaceAll("%%", "%"));
        }
        if (action.cors === undefined) continue;
        valuesOf(headers, "access-control-request-method").add("GET");
        for (const origin of action.cors.origins) for (const value of around(origin, random)) valuesOf(headers, "origin").add(value);
      }
    }
  }
  return {
    methods: [...methods].filter((method) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) && method !== "CONNECT"),
    authorities: [...authorities].flatMap((host) => [host, `${host}:80`, host.toUpperCase()]).filter((host) => /^[0-9A-Za-z._~-]+(:[0-9]*)?$/.test(host)),
    paths: [...paths].filter((path) => /^\/[\x21-\x7e]*(\?.*)?$/.test(path)),
    headers: new Map([...headers].map(([name, values]) => [name, [...values].filter(isLine)])),
    parameters: new Map([...parameters].map(([name, values]) => [name, [...values].filter((value) => !/[&#]/.test(value))])),
    claims: new Map([...claims].map(([key, { path, values }]) => [key, { path, values: [...values].filter((value) => !/[\udc80-\udcff]$/.test(value)) }])),
  };
}

/** A request made of boundary values. */
export function aimed(at: Boundaries, random: Random): Request {
  const pick = <T>(list: readonly T[], otherwise: T): T => list[random(list.length)] ?? otherwise;
  const headers: HeaderLine[] = [];
  for (const [name, values] of at.headers) {
    for (let lines = pick([0, 0, 1, 1, 1, 2, 3], 0); lines > 0; lines--) headers.push([name, pick(values, "")]);
  }
  const parts: string[] = [];
  for (const [name, values] of at.parameters) {
    for (let count = pick([0, 1, 1, 2], 0); count > 0; count--) parts.push(pick([name, `${name}=`, `${name}=${pick(values, "")}`, `${name}=${pick(values, "")}`, `${name}x=${pick(values, "")}`], name));
  }
  const claims: Record<string, string | readonly string[] | Claims> = {};
  for (const { path, values } of at.claims.values()) {
    const [first, second] = path;
    const value = pick<string | readonly string[] | undefined>([undefined, pick(values, ""), [pick(values, ""), pick(values, "")], []], undefined);
    if (value === undefined || first === undefined || Object.hasOwn(claims, first)) continue;
    claims[first] = second === undefined ? value : { [second]: value };
  }
  const path = pick(at.paths, "/");
  const query = parts.length === 0 ? pick(["", "", "", "?", "?x"], "") : `?${parts.join("&")}`;
  return {
    method: pick(at.methods, "GET"),
    scheme: "http",
    authority: pick(at.authorities, "a.com"),
    path: path.includes("?") && query !== "" ? `${path}&${query.slice(1)}` : path + query,
    headers,
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
  };
}


function isLine(value: string): boolean {
  return !/^[ \t]|[ \t]$|[^\t -~\u0080-\uffff]/.test(value);
}

function hostsOf(domain: string): readonly string[] {
  if (domain === "*") return ["any.org"];
  if (domain.startsWith("*")) return [domain.slice(1).replace(/^\./, ""), `x${domain.slice(1)}`, `x.y${domain.slice(1)}`];
  if (domain.endsWith("*")) return [`${domain.slice(0, -1)}x`, domain.slice(0, -1)];
  return [domain, `x${domain}`, `${domain}x`, `${domain}.`];
}

/** Words in and just outside of what a test takes. */
function around(test: PathMatch | StringMatch | FieldMatch, random: Random): readonly string[] {
  const match = "match" in test ? test.match : test;
  if (match.kind === "any") return ["", "x"];
  const words = match.kind === "regex" ? Array.from({ length: 4 }, () => wordOf(match.pattern, random)) : [match.value];
  return words.flatMap((word) => neighbours(word, random));
}

function neighbours(word: string, random: Random): readonly string[] {
  const characters = [...word];
  const at = random(characters.length + 1);
  const changed = characters.map((character, index) => (index === at ? (character === "a" ? "b" : "a") : character)).join("");
  return [word, `${word}x`, `${word}/`, `${word}/x`, `x${word}`, `x${word}x`, characters.slice(0, -1).join(""), characters.slice(1).join(""), word.toUpperCase(), word.toLowerCase(), changed, `${word}\udcff`, ""];
}

/** A word of an expression, or nearly one: assertions are not looked at. */
function wordOf(pattern: string, random: Random): string {
  const parsed = parseRegex(pattern, "utf-8");
  return parsed.ok ? draw(parsed.regex, random) : pattern;
}

function draw(regex: Regex, random: Random): string {
  switch (regex.type) {
    case "empty":
    case "assert":
      return "";
    case "byte":
      return "y";
    case "set": {
      const pairs = regex.set.length / 2;
      const from = 2 * random(pairs);
      const visible = [0x61, 0x62, 0x41, 0x2f, 0x78, 0xe9].filter((point) => holds(regex.set, point));
      const point = visible.length > 0 && random(4) > 0 ? visible[random(visible.length)] : regex.set[from];
      return String.fromCodePoint(point ?? 0x61);
    }
    case "group":
      return draw(regex.part, random);
    case "concat":
      return regex.parts.map((part) => draw(part, random)).join("");
    case "alternate": {
      const part = regex.parts[random(regex.parts.length)];
      return part === undefined ? "" : draw(part, random);
    }
    case "repeat": {
      const count = Math.min(regex.max, regex.min + random(3));
      return Array.from({ length: Math.min(count, 40) }, () => draw(regex.part, random)).join("");
    }
  }
}

function holds(set: readonly number[], point: number): boolean {
  for (let at = 0; at < set.length; at += 2) if ((set[at] ?? 0) <= point && point <= (set[at + 1] ?? 0)) return true;
  return false;
}
