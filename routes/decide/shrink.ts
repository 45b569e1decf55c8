/**
 * The simplest request that still shows what a given one shows.
 *
 * @module
 */

import type { HeaderLine, Request } from "./model.ts";

/** Most requests that are tried. Each is answered by every table, which costs as much as all their rules. */
const MOST_TRIED = 40;

/**
 * Leaves out of a request, one after the other, what it does not need: claims, the method, an unusual spelling of the authority,
 * headers, parameters. What is left cannot be left out alone; the path stays, as the search has found a shortest one.
 *
 * `usual` is the authority that people would write; `shows` tells whether a request still serves.
 */
export function shrink(request: Request, usual: string, shows: (candidate: Request) => boolean): Request {
  let best = request;
  let tried = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(best, usual)) {
      if (tried++ >= MOST_TRIED) return best;
      if (!shows(candidate)) continue;
      best = candidate;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** Requests that lack one thing. */
function* smaller(request: Request, usual: string): Generator<Request> {
  const { claims, headers, path } = request;
  if (claims !== undefined) {
    yield withoutClaims(request);
    const names = Object.keys(claims);
    if (names.length > 1) for (const name of names) yield { ...request, claims: Object.fromEntries(Object.entries(claims).filter(([other]) => other !== name)) };
  }
  if (request.method !== "GET") yield { ...request, method: "GET" };
  if (request.authority !== usual) yield { ...request, authority: usual };
  if (headers.length > 1) yield { ...request, headers: [] };
  for (const line of headers) yield { ...request, headers: headers.filter((other: HeaderLine) => other !== line) };
  const mark = path.indexOf("?");
  if (mark < 0) return;
  yield { ...request, path: path.slice(0, mark) };
  const parameters = path.slice(mark + 1).split("&");
  if (parameters.length > 1) for (const parameter of parameters) yield { ...request, path: `${path.slice(0, mark)}?${parameters.filter((other) => other !== parameter).join("&")}` };
}

function withoutClaims(request: Request): Request {
  const copy = { ...request };
  Reflect.deleteProperty(copy, "claims");
  return copy;
}
