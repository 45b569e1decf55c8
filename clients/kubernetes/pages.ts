import { setImmediate } from "node:timers/promises";
import { CollectError, type KubeObject, type ListOptions, type Page, type Resource } from "#engine";
import { checkStatus, notKubernetes, statusReason, TooLarge, type Answer, type Connection, type Question } from "./connection.ts";
import type { Asked } from "./faults.ts";
import { keepFields, listRules, type Rules } from "./kept-fields.ts";

/** One collection of the API: `/apis/apps/v1/namespaces/x/deployments`. */
export interface Collection {
  readonly path: string;
  readonly asked: Asked;
  readonly resource: Resource;
  readonly version: string;
}

/** The server no longer keeps the version that a list was begun with. */
export class Expired extends Error {}

interface List {
  readonly items: readonly KubeObject[];
  readonly next: string | undefined;
}

const pageSizes = [500, 50, 5] as const;

/**
 * One list, page by page. While a page is consumed the next one is fetched, but not parsed: at most one page of objects
 * and one of bytes are in memory. Throws {@link Expired} on 410 and CollectError on everything else; 404 is an empty list.
 */
export async function* pagesOf(connection: Connection, collection: Collection, { metadataOnly = false, fields }: ListOptions = {}): AsyncGenerator<Page> {
  const abandoned = new AbortController();
  const sizes = [...pageSizes];
  const fetchPage = (next: string | undefined) => {
    const answer = askPage(connection, collection, next, sizes, { abandoned: abandoned.signal, ...(metadataOnly ? { accept: METADATA_ONLY } : {}) });
    // Its failure is told when it is its turn; a consumer that has gone does not care.
    answer.catch(() => undefined);
    return answer;
  };
  const source = sourceIn(collection);
  const rules = fields === undefined ? undefined : listRules(fields);

  try {
    let pending: Promise<Answer> | undefined = fetchPage(undefined);
    for (let token: string | undefined; pending !== undefined; ) {
      const list = readList(await pending, collection, connection, { isLater: token !== undefined, rules });
      if (list === undefined) return;
      if (list.next !== undefined && list.next === token) throw endless(connection, collection);
      token = list.next;
      pending = token === undefined ? undefined : fetchPage(token);
      yield { items: list.items, source };
    }
  } finally {
    abandoned.abort();
  }
}

/** A server that does not know this form of a list answers with the whole one. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** Asks for fewer objects where a page is too large, and goes on doing so for the rest of the list. */
async function askPage(connection: Connection, { path, asked }: Collection, next: string | undefined, sizes: number[], how: Pick<Question, "abandoned" | "accept">): Promise<Answer> {
  // The connection that the page before came over is free again one turn later; asked at once, a second one would be opened.
  if (next !== undefined) await setImmediate();
  for (;;) {
    const query = new URLSearchParams({ limit: String(sizes[0] ?? 1), ...(next === undefined ? {} : { continue: next }) });
    try {
      return await connection.ask({ asked, path: `${path}?${query.toString()}`, limit: connection.limits.pageBytes, ...how });
    } catch (error) {
      if (!(error instanceof TooLarge) || sizes.length === 1) throw error;
      sizes.shift();
    }
  }
}

function readList(answer: Answer, collection: Collection, connection: Connection, { isLater, rules }: { readonly isLater: boolean; readonly rules: Rules | undefined }): List | undefined {
  const { login } = connection;
  checkStatus(answer, collection.asked, login);
  if (answer.status === 410) throw new Expired();
  if (answer.status === 404 && !isLater) return undefined;
  if (answer.status === 404) {
    throw new CollectError(`\`${collection.resource.plural}\` was removed from the API server while it was listed`, { remedy: "run again" });
  }
  const list = parseObject(answer, login.shown, rules);
  const { items = null, metadata, apiVersion, kind } = list;
  if (typeof kind !== "string" || !kind.endsWith("List") || !(items === null || isObjects(items))) throw notAList(login.shown, collection);
  complete(items ?? [], apiVersion, kind.slice(0, -"List".length));
  const next: unknown = isObject(metadata) ? metadata["continue"] : undefined;
  return { items: items ?? [], next: typeof next === "string" && next !== "" ? next : undefined };
}

/** A list of a built-in kind says what its items are once, for all of them. */
function complete(items: readonly KubeObject[], apiVersion: unknown, kind: string): void {
  for (const item of items) if (item.kind === undefined) Object.assign(item, { apiVersion, kind });
}

/**
 * The JSON object of a successful answer. Throws where it is none, or an error in the clothes of a success.
 * With rules it is a list, whose answer is used up: its bytes are moved while fields are left out.
 */
export function parseObject(answer: Answer, shown: string, rules?: Rules): KubeObject {
  const value = parseJson(answer, shown, rules);
  if (!isObject(value)) throw notKubernetes(shown, answer);
  if (value.kind !== "Status") return value;
  const reason = statusReason(answer);
  throw new CollectError(`the API server \`${shown}\` answered ${answer.status}, but with an error in it (kind: Status${reason ? `, ${reason}` : ""})`, {
    remedy: "check what lies between: an API server sends errors with a status of their own",
  });
}

function parseJson(answer: Answer, shown: string, rules: Rules | undefined): unknown {
  try {
    return JSON.parse((rules === undefined ? answer.body : keepFields(answer.body, rules)).toString("utf8"));
  } catch {
    if (answer.type !== "application/json") throw notKubernetes(shown, answer);
    throw new CollectError(`the API server \`${shown}\` sent JSON that breaks off or is not valid, after ${answer.body.length} bytes`, {
      remedy: "run again; if it stays, check what lies between: a proxy may cut answers short",
      unreachable: true,
    });
  }
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isObjects(value: unknown): value is readonly KubeObject[] {
  return Array.isArray(value) && value.every(isObject);
}

function notAList(shown: string, { resource }: Collection): CollectError {
  return new CollectError(`the API server \`${shown}\` sent something that is not a list of \`${resource.plural}\``, { remedy: "check that the address is that of an API server" });
}

function endless({ login }: Connection, { resource }: Collection): CollectError {
  return new CollectError(`the API server \`${login.shown}\` gives the same page of \`${resource.plural}\` again and again`, { remedy: "check what lies between: a cache must not answer for the API server" });
}

function sourceIn({ resource, version }: Collection): Page["source"] {
  return (item) => {
    const metadata = isObject(item.metadata) ? item.metadata : {};
    const { name, namespace, resourceVersion } = metadata;
    return {
      locator: objectPath(resource, version, typeof namespace === "string" ? namespace : "", typeof name === "string" ? name : ""),
      ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    };
  };
}

/** The path of a resource; `namespace` is left out for "". */
export function collectionPath({ group, plural }: Resource, version: string, namespace: string): string {
  const root = group === "" ? `/api/${version}` : `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`;
  return `${root}${namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${encodeURIComponent(plural)}`;
}

export function objectPath(resource: Resource, version: string, namespace: string, name: string): string {
  return `${collectionPath(resource, version, namespace)}/${encodeURIComponent(name)}`;
}
