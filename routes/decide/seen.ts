import { lowerAscii, toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { TextReading } from "../languages/re2-syntax.ts";
import type { SeenRequest } from "./effect.ts";
import type { HttpTable, PathNormalization, Request } from "./model.ts";

/** What the meaning of rules rests on beside the request. */
export interface Setting {
  readonly pathNormalization: PathNormalization;
  readonly scheme: HttpTable["scheme"];
  readonly overwritten: Readonly<Record<string, string>>;
  readonly regexText: TextReading;
  readonly headerLines: "joined" | "each";
}

/** The setting of a table. */
export function settingOf(table: HttpTable): Setting {
  const { pathNormalization, scheme, overwritten, reading } = table;
  return { pathNormalization, scheme, overwritten: overwritten ?? {}, ...reading };
}

/** A request as a table sees it. `target` is its path after normalisation. Without a setting there is no table, only a connection. */
export function seenBy(table: Setting | undefined, request: Request, target: Bytes): SeenRequest {
  const headers = new Map<string, Bytes[]>();
  for (const [name, value] of request.headers) {
    const lines = headers.get(name);
    if (lines === undefined) headers.set(name, [toBytes(value)]);
    else lines.push(toBytes(value));
  }
  for (const [name, value] of Object.entries(table?.overwritten ?? {})) headers.set(name, [toBytes(value)]);
  return {
    method: toBytes(request.method),
    scheme: schemeOf(table, headers.get("x-forwarded-proto"), request),
    authority: toBytes(request.authority),
    target,
    sent: toBytes(request.path),
    headers,
    regexText: table?.regexText ?? "bytes",
  };
}

function schemeOf(table: Setting | undefined, forwarded: readonly Bytes[] | undefined, request: Request): "http" | "https" {
  if (table === undefined) return request.scheme;
  const told = table.scheme.from === "x-forwarded-proto" && forwarded?.length === 1 ? lowerAscii(forwarded[0] ?? "") : "";
  return told === "http" || told === "https" ? told : table.scheme.default;
}
