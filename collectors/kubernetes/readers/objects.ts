import {
  CollectError,
  digestOf,
  fullName,
  groupOf,
  isSecretKind,
  selectsObject,
  type Cluster,
  type Fact,
  type FoundKind,
  type Gap,
  type Io,
  type KindSeen,
  type KubeObject,
  type KubernetesApi,
  type ObjectSeen,
  type ObjectSelection,
  type Request,
  type Resource,
} from "#engine";
import type { ObjectPath } from "#values";
import { fieldsIn, textIn } from "../fields.ts";
import { contentOf, type Keeping } from "./object-content.ts";
import { markersOf } from "./object-schema.ts";

const MOST_NAMESPACES = 200;

/** What one assertion asks of a kind. */
interface Question extends Partial<ObjectSelection> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly also?: readonly string[];
  readonly paths?: readonly ObjectPath[];
  readonly only?: boolean;
}

/**
 * Objects of any kind that assertions select.
 *
 * Guarantees:
 *
 * 1. Each kind is listed once in each version that is selected, whatever the number of assertions; only its metadata where nothing else is looked at.
 * 2. Secrets are never read.
 * 3. A kind that the API does not serve, one that is served and has no objects, and one that could not be listed are three answers.
 * 4. One kind that cannot be read hides no other.
 */
export async function* readObjects(cluster: Cluster, requests: readonly Request[], io: Io): AsyncIterable<Fact<"objects"> | Gap> {
  const api = await io.kubernetes();
  const byKind = Map.groupBy(requests, ({ selector = "" }) => selector);
  for (const [selector, group] of byKind) {
    const questions = group.map(({ options }) => options as unknown as Question);
    try {
      yield* await readKind(cluster, selector, questions, api, io);
    } catch (error) {
      if (!(error instanceof CollectError) || error.unreachable) throw error;
      yield { type: "gap", kind: "objects", selector, cluster: cluster.name, subject: `${cluster.name}/${questions[0]?.kind ?? ""}`, reason: error.message, remedy: error.remedy };
    }
  }
}

async function readKind(cluster: Cluster, selector: string, questions: readonly Question[], api: KubernetesApi, io: Io): Promise<readonly Fact<"objects">[]> {
  const [first] = questions;
  if (first === undefined) return [];
  const found = await lookUp(first, api);
  if (found.resource === undefined) return [kindFact(cluster, selector, first, { what: "kind", served: false, versions: found.versions, kinds: found.kinds, total: 0, namespaces: [], written: api.place === "live" })];

  const keeping = keepingOf(questions);
  const objects = await listKind(cluster, selector, questions, found.resource, keeping, api, io);
  const schema = keeping.only ? { written: api.place === "live" } : await schemaOf(found.resource, api);
  return [kindFact(cluster, selector, first, { what: "kind", served: true, versions: found.versions, ...(objects.total === 0 && api.place === "manifests" ? { kinds: found.kinds } : {}), total: objects.total, namespaces: [...objects.namespaces].sort().slice(0, MOST_NAMESPACES), ...(found.resource.namespaced && api.namespaces !== undefined ? { listed: [...api.namespaces].sort() } : {}), ...schema }), ...objects.facts];
}

/** Throws where the kind may not be read, or where another version of it is served than the one asked for. */
async function lookUp({ apiVersion, kind }: Question, api: KubernetesApi): Promise<FoundKind> {
  if (isSecretKind({ apiVersion, kind })) throw secret();
  const found = await api.find(apiVersion, kind);
  if (found.resource !== undefined) {
    if (found.resource.group === "" && found.resource.plural === "secrets") throw secret();
    if (await api.unseen(found.resource)) throw unseen(kind);
    return found;
  }
  const group = groupOf(apiVersion);
  if (found.versions.length > 0) {
    throw new CollectError(`\`${kind}\` is served in ${found.versions.map((version) => `\`${group === "" ? "" : `${group}/`}${version}\``).join(", ")}, not in \`${apiVersion}\``, {
      remedy: "select it in a version that every cluster serves, or bring the CRDs of this cluster up to date",
    });
  }
  if (await api.unseen({ group, versions: [apiVersion.slice(apiVersion.indexOf("/") + 1)], plural: kind.toLowerCase(), kind, namespaced: true })) throw unseen(kind);
  return found;
}

function secret(): CollectError {
  return new CollectError("objects of kind Secret are never read", { remedy: "assert something else: a Certificate, an ExternalSecret, what uses the secret" });
}

function unseen(kind: string): CollectError {
  return new CollectError(`the manifests hold no \`${kind}\`, which does not show that the cluster has none`, {
    remedy: "add them to the folder, or write `complete: true` in the fleet file if the folder is the whole dump",
  });
}

function keepingOf(questions: readonly Question[]): Keeping {
  return { clear: questions.flatMap(({ paths }) => paths ?? []), only: questions.every(({ only, paths }) => only === true && paths !== undefined) };
}

/** True when no path leads beyond what a list of metadata holds. */
function isMetadataOnly({ clear, only }: Keeping): boolean {
  return only && clear.every(([first]) => first === "metadata" || first === "kind" || first === "apiVersion");
}

interface Listed {
  readonly facts: readonly Fact<"objects">[];
  readonly total: number;
  readonly namespaces: ReadonlySet<string>;
}

async function listKind(cluster: Cluster, selector: string, questions: readonly Question[], resource: Resource, keeping: Keeping, api: KubernetesApi, io: Io): Promise<Listed> {
  let facts: Fact<"objects">[] = [];
  let total = 0;
  let namespaces = new Set<string>();
  const keepingFor = keepings(questions);
  for await (const page of api.list(resource, { metadataOnly: isMetadataOnly(keeping) })) {
    io.signal.throwIfAborted();
    if (page.restarted) {
      facts = [];
      total = 0;
      namespaces = new Set();
    }
    for (const item of page.items) {
      const about = aboutOf(item);
      total += 1;
      namespaces.add(about.namespace);
      const wanted = keepingFor(about);
      if (wanted === undefined) continue;
      const object = { ...item, apiVersion: questions[0]?.apiVersion, kind: resource.kind };
      const data: ObjectSeen = { what: "object", ...about, ...contentOf(object, resource.group, resource.kind, wanted) };
      facts.push({ type: "fact", kind: "objects", cluster: cluster.name, selector, subject: fullName(about), data, source: { collector: "kubernetes", ...page.source(item) } });
    }
    io.progress(`${total} ${resource.plural}`);
  }
  return { facts, total, namespaces };
}

/** What is kept of an object: what the questions that select it look at, and nothing for the sake of the others; undefined where none selects it. */
function keepings(questions: readonly Question[]): (about: About) => Keeping | undefined {
  const known = new Map<string, Keeping>();
  return (about) => {
    const mine = questions.filter((question) => isWanted(question, about));
    if (mine.length === 0) return undefined;
    const key = mine.map((question) => questions.indexOf(question)).join(" ");
    const keeping = known.get(key) ?? keepingOf(mine);
    known.set(key, keeping);
    return keeping;
  };
}

type About = Pick<ObjectSeen, "namespace" | "name" | "labels">;

function aboutOf(item: KubeObject): About {
  const { metadata } = item;
  const labels = Object.entries(fieldsIn(metadata, "labels")).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { namespace: textIn(metadata, "namespace", 253) ?? "", name: textIn(metadata, "name", 253) ?? "", labels: Object.fromEntries(labels) };
}

function isWanted({ also = [], ...selection }: Question, about: About): boolean {
  return selectsObject(selection, about) || also.includes(fullName(about));
}

async function schemaOf(resource: Resource, api: KubernetesApi): Promise<Pick<KindSeen, "written" | "schema" | "schemaSha256" | "schemaGap">> {
  try {
    const { schema, written } = await api.schemaOf(resource, resource.versions[0] ?? "");
    if (schema === undefined) return { written };
    return { written, schema: markersOf(schema.root, schema.document) ?? {}, schemaSha256: digestOf(schema.root) };
  } catch (error) {
    if (!(error instanceof CollectError) || error.unreachable) throw error;
    return { written: api.place === "live", schemaGap: { reason: error.message, remedy: error.remedy } };
  }
}

function kindFact(cluster: Cluster, selector: string, { apiVersion, kind }: Question, data: KindSeen): Fact<"objects"> {
  return { type: "fact", kind: "objects", cluster: cluster.name, selector, subject: `kind ${kind}`, data, source: { collector: "kubernetes", locator: apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}` } };
}
