import { isDeepStrictEqual } from "node:util";
import { CollectError, type FoundKind, type FoundSchema, type KubernetesApi, type KubeObject, type Page, type Resource } from "#engine";
import { definitionOf, findKind } from "./definitions.ts";
import { ended } from "./faults.ts";
import { readManifests, type Folder, type Manifest } from "./folder.ts";
import type { KubernetesPlace, Surroundings } from "./place.ts";

type ManifestsPlace = Extract<KubernetesPlace, { form: "manifests" }>;

const pageSize = 500;

/** A folder of manifests, or one file, behind the face of an API server. Files are read at the first question. */
export function openManifests(place: ManifestsPlace, surroundings: Surroundings): Promise<KubernetesApi> {
  return Promise.resolve(new ManifestsApi(place, surroundings));
}

class ManifestsApi implements KubernetesApi {
  readonly place = "manifests";
  readonly complete: boolean;
  readonly namespaces: readonly string[] | undefined;
  readonly #place: ManifestsPlace;
  readonly #surroundings: Surroundings;
  #index: Promise<Index> | undefined;

  constructor(place: ManifestsPlace, surroundings: Surroundings) {
    this.#place = place;
    this.complete = place.complete;
    this.namespaces = place.namespaces;
    this.#surroundings = surroundings;
  }

  async *list(resource: Resource): AsyncGenerator<Page> {
    const found = (await this.#of(resource)).filter(({ namespace }) => this.#isWanted(resource, namespace));
    const places = new Map(found.map((manifest) => [manifest.object, manifest]));
    const source: Page["source"] = (item) => sourceOf(places.get(item), this.#place.shown ?? this.#place.dir);
    for (let start = 0; start < found.length; start += pageSize) {
      yield { items: found.slice(start, start + pageSize).map(({ object }) => object), source };
    }
  }

  async get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined> {
    return (await this.#of(resource)).find((manifest) => manifest.name === name && manifest.namespace === namespace)?.object;
  }

  /** A built-in kind, one with an object here, or one whose definition is here. */
  async serves(resource: Resource): Promise<boolean> {
    const index = await this.#loaded();
    if (!resource.group.includes(".") || index.has(resource.group, resource.kind)) return true;
    return index.find("apiextensions.k8s.io", "CustomResourceDefinition").some(({ name }) => name === `${resource.plural}.${resource.group}`);
  }

  async unseen(resource: Resource): Promise<boolean> {
    return !this.#place.complete && !(await this.#loaded()).has(resource.group, resource.kind);
  }

  /** A kind that has an object here, one whose definition is here, or one that every API server has. */
  async find(apiVersion: string, kind: string): Promise<FoundKind> {
    return findKind(await this.#loaded(), apiVersion, kind);
  }

  async schemaOf(resource: Resource, version: string): Promise<FoundSchema> {
    const root = definitionOf(await this.#loaded(), resource)?.versions.find(({ name }) => name === version)?.schema;
    return { written: this.#place.complete, ...(root === undefined ? {} : { schema: { root, document: undefined } }) };
  }

  async serverVersion(): Promise<string | undefined> {
    return (await this.#loaded()).serverVersion;
  }

  podGet(): Promise<never> {
    return Promise.reject(notLive());
  }

  podExec(): Promise<never> {
    return Promise.reject(notLive());
  }

  whoAmI(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  may(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #isWanted(resource: Resource, namespace: string): boolean {
    return !resource.namespaced || this.#place.namespaces === undefined || this.#place.namespaces.includes(namespace);
  }

  async #of(resource: Resource): Promise<readonly Placed[]> {
    const found = (await this.#loaded()).of(resource);
    if (this.#surroundings.signal.aborted) throw ended(this.#surroundings.signal);
    return found;
  }

  #loaded(): Promise<Index> {
    const { dir, shown } = this.#place;
    this.#index ??= readManifests(dir, this.#surroundings.home, this.#surroundings.signal, shown).then((folder) => new Index(folder));
    return this.#index;
  }
}

/** What a folder holds, by group and kind; an object that is there twice counts once where both are the same. */
class Index {
  readonly #byKind = new Map<string, Manifest[]>();
  readonly #listed = new Map<string, readonly Placed[]>();

  readonly serverVersion: string | undefined;

  constructor({ manifests, serverVersion }: Folder) {
    this.serverVersion = serverVersion;
    for (const manifest of manifests) {
      const key = `${manifest.group}/${manifest.kind}`;
      const kind = this.#byKind.get(key);
      if (kind === undefined) this.#byKind.set(key, [manifest]);
      else kind.push(manifest);
    }
  }

  has(group: string, kind: string): boolean {
    return this.#byKind.has(`${group}/${kind}`);
  }

  /** Everything there is, by group and kind. */
  all(): Iterable<readonly Manifest[]> {
    return this.#byKind.values();
  }

  find(group: string, kind: string): readonly Manifest[] {
    return this.#byKind.get(`${group}/${kind}`) ?? [];
  }

  /** As the API server would list them: sorted by namespace and name, and none twice. Kinds that nobody asks for are never checked. */
  of(resource: Resource): readonly Placed[] {
    const key = `${resource.group}/${resource.kind}`;
    const known = this.#listed.get(key) ?? single(this.find(resource.group, resource.kind).map((manifest) => placed(manifest, resource)));
    this.#listed.set(key, known);
    return known;
  }
}

/** An object with the place that an API server would keep it at. */
interface Placed extends Manifest {
  readonly namespace: string;
  readonly name: string;
}

/** A namespaced object without a namespace goes where `kubectl apply` would put it. */
function placed(manifest: Manifest, resource: Resource): Placed {
  if (!resource.versions.includes(manifest.version)) {
    throw new CollectError(`the ${manifest.kind} at \`${manifest.at()}\` is in version \`${manifest.version}\`; known are ${resource.versions.join(", ")}`, {
      remedy: "convert it (the API server does: `kubectl get -o yaml`), or update cloud-assert",
    });
  }
  const name = textOf(manifest, "name");
  if (name === "") throw refused(manifest, "has no metadata.name", "give it one: an API server would refuse it");
  if (!resource.namespaced) return { ...manifest, name, namespace: "" };
  const namespace = textOf(manifest, "namespace");
  if (namespace !== "") return { ...manifest, name, namespace };
  const metadata = typeof manifest.object.metadata === "object" ? manifest.object.metadata : {};
  return { ...manifest, name, namespace: "default", object: { ...manifest.object, metadata: { ...metadata, namespace: "default" } } };
}

function textOf(manifest: Manifest, field: "name" | "namespace"): string {
  const text = manifest[field];
  if (text !== undefined) return text;
  throw refused(manifest, `has a metadata.${field} that is not text`, "put it in quotes: numbers and words such as `y`, `no` and `on` are something else in YAML");
}

function refused(manifest: Manifest, what: string, remedy: string): CollectError {
  return new CollectError(`the ${manifest.kind} at \`${manifest.at()}\` ${what}`, { remedy });
}

function single(manifests: readonly Placed[]): readonly Placed[] {
  const found = new Map<string, Placed>();
  for (const manifest of manifests) {
    const key = `${manifest.namespace}/${manifest.name}`;
    const other = found.get(key);
    if (other === undefined) found.set(key, manifest);
    else if (!isDeepStrictEqual(other.object, manifest.object)) throw twice(other, manifest);
  }
  return [...found.values()].sort((left, right) => compare(left.namespace, right.namespace) || compare(left.name, right.name));
}

function twice(first: Placed, second: Placed): CollectError {
  const name = first.namespace === "" ? first.name : `${first.namespace}/${first.name}`;
  return new CollectError(`${first.kind} \`${name}\` is there twice and differs: \`${first.at()}\` and \`${second.at()}\``, {
    remedy: "keep the one that is deployed; a folder stands for one cluster",
  });
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function sourceOf(manifest: Manifest | undefined, dir: string): ReturnType<Page["source"]> {
  if (manifest === undefined) return { locator: dir };
  const metadata = new Map<string, unknown>(Object.entries(manifest.object.metadata ?? {}));
  const version = metadata.get("resourceVersion");
  return { locator: manifest.file, file: manifest.file, line: manifest.line(), ...(typeof version === "string" ? { resourceVersion: version } : {}) };
}

function notLive(): CollectError {
  return new CollectError("a folder of manifests holds no running pods to ask", { remedy: "use a live cluster for assertions that need a probe" });
}
