import { isJoined } from "./alphabets.ts";
import { lowerAscii, toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { TextReading } from "../languages/re2-syntax.ts";
import type { SeenRequest } from "./effect.ts";
import { portStart } from "./hosts.ts";
import type { HttpTable, PathNormalization, Request, Strips } from "./model.ts";

/** What the meaning of rules rests on beside the request. */
export interface Setting {
  readonly pathNormalization: PathNormalization;
  readonly scheme: HttpTable["scheme"];
  readonly overwritten: Readonly<Record<string, string>>;
  readonly regexText: TextReading;
  readonly headerLines: "joined" | "each";
  readonly strips?: Strips;
}

/** The setting of a table. */
export function settingOf(table: HttpTable): Setting {
  const { pathNormalization, scheme, overwritten, reading, strips } = table;
  return { pathNormalization, scheme, overwritten: overwritten ?? {}, ...reading, ...(strips === undefined ? {} : { strips }) };
}

/** A request as a table sees it. `target` is its path after normalisation. Without a setting there is no table, only a connection. */
export function seenBy(table: Setting | undefined, request: Request, target: Bytes): SeenRequest {
  const headers = new Map<string, Bytes[]>();
  for (const [name, value] of request.headers) {
    const lines = headers.get(name);
    if (lines === undefined) headers.set(name, [toBytes(value)]);
    else if (isJoined(name)) lines[0] += `,${toBytes(value)}`;
    else lines.push(toBytes(value));
  }
  for (const [name, value] of Object.entries(table?.overwritten ?? {})) headers.set(name, [toBytes(value)]);
  return {
    method: toBytes(request.method),
    scheme: schemeOf(table, headers.get("x-forwarded-proto"), request),
    authority: stripped(toBytes(request.authority), table?.strips),
    sentAuthority: toBytes(request.authority),
    target,
    sent: toBytes(request.path),
    headers,
    regexText: table?.regexText ?? "bytes",
  };
}

/** What Envoy reads as a port here: a number of 32 bits. */
const MOST_PORT = 4_294_967_295;

/** conn_manager_utility.cc `maybeNormalizeHost`: the dot goes first, and a port that is none stays. */
function stripped(authority: Bytes, { port, dot }: Strips = {}): Bytes {
  const start = portStart(authority);
  const [host, ending] = start < 0 ? [authority, ""] : [authority.slice(0, start), authority.slice(start)];
  const name = dot === true && host.endsWith(".") ? host.slice(0, -1) : host;
  const isPort = /^:\d+$/.test(ending) && Number(ending.slice(1)) <= MOST_PORT;
  return isPort && (port === "any" || port === Number(ending.slice(1))) ? name : name + ending;
}

function schemeOf(table: Setting | undefined, forwarded: readonly Bytes[] | undefined, request: Request): "http" | "https" {
  if (table === undefined) return request.scheme;
  const told = table.scheme.from === "x-forwarded-proto" && forwarded?.length === 1 ? lowerAscii(forwarded[0] ?? "") : "";
  return told === "http" || told === "https" ? told : table.scheme.default;
}
