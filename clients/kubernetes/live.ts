import { CollectError, type FoundKind, type FoundSchema, type KubernetesApi, type ListOptions, type KubeObject, type Page, type Permission, type PodAddress, type Resource } from "#engine";
import { checkStatus, Connection } from "./connection.ts";
import { Discovery } from "./discovery.ts";
import type { Asked } from "./faults.ts";
import { signIn } from "./login.ts";
import { collectionPath, Expired, objectPath, pagesOf, parseObject, type Collection } from "./pages.ts";
import { Schemas } from "./schemas.ts";
import type { KubernetesPlace, Limits, Surroundings } from "./place.ts";
import { podExec, podGet } from "./pod.ts";

const largestReview = 1024 * 1024;
const namespaces: Resource = { group: "", versions: ["v1"], plural: "namespaces", kind: "Namespace", namespaced: false };

/** An API server behind the face that collectors read. */
export async function openLive(place: Exclude<KubernetesPlace, { form: "manifests" }>, surroundings: Surroundings, limits: Limits): Promise<KubernetesApi> {
  const login = await signIn(place, surroundings, limits);
  // A credential that cannot be had is told at once, not as the failure of the first list.
  await login.present();
  return new LiveApi(new Connection(login, surroundings.signal, limits), place.namespaces);
}

class LiveApi implements KubernetesApi {
  readonly place = "live";
  readonly caSha256: string | undefined;
  readonly host: string;
  readonly namespaces: readonly string[] | undefined;
  readonly #connection: Connection;
  readonly #discovery: Discovery;
  readonly #schemas: Schemas;
  readonly #namespaces: readonly string[] | undefined;
  #missing: Promise<readonly string[]> | undefined;

  constructor(connection: Connection, onlyIn: readonly string[] | undefined) {
    this.#connection = connection;
    this.#discovery = new Discovery(connection);
    this.#schemas = new Schemas(connection);
    this.#namespaces = onlyIn === undefined ? undefined : [...new Set(onlyIn)];
    this.namespaces = this.#namespaces;
    this.caSha256 = connection.login.caSha256;
    this.host = connection.login.server.hostname.toLowerCase();
  }

  async *list(resource: Resource, options: ListOptions = {}): AsyncGenerator<Page> {
    const version = await this.#discovery.versionOf(resource);
    if (version === undefined) return;
    if (resource.namespaced) await this.#checkNamespaces();
    try {
      yield* this.#listOnce(resource, version, false, options);
      return;
    } catch (error) {
      if (!(error instanceof Expired)) throw error;
    }
    try {
      yield* this.#listOnce(resource, version, true, options);
    } catch (error) {
      throw error instanceof Expired ? tooSlow(resource) : error;
    }
  }

  async *#listOnce(resource: Resource, version: string, restarted: boolean, options: ListOptions): AsyncGenerator<Page> {
    let isFirst = restarted;
    const refused: CollectError[] = [];
    const places = resource.namespaced ? (this.#namespaces ?? [""]) : [""];
    for (const namespace of places) {
      try {
        for await (const page of pagesOf(this.#connection, collection(resource, version, namespace, "list"), options)) {
          yield isFirst ? { ...page, restarted: true } : page;
          isFirst = false;
        }
      } catch (error) {
        // One namespace that may not be read does not hide the others; all that are refused are told at the end.
        if (!(error instanceof CollectError) || error.unreachable || places.length === 1) throw error;
        refused.push(error);
      }
    }
    // Also a list that has become empty makes void what came before it.
    if (isFirst) yield { items: [], source: () => ({ locator: collectionPath(resource, version, "") }), restarted: true };
    const [first] = refused;
    if (first !== undefined) throw refused.length === 1 ? first : new CollectError(refused.map(({ message }) => message).join("; "), { remedy: first.remedy });
  }

  async get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined> {
    const version = await this.#discovery.versionOf(resource);
    if (version === undefined) return undefined;
    const { asked } = collection(resource, version, namespace, "get");
    return this.#object(asked, objectPath(resource, version, namespace, name));
  }

  async serves(resource: Resource): Promise<boolean> {
    return (await this.#discovery.versionOf(resource)) !== undefined;
  }

  unseen(): Promise<boolean> {
    return Promise.resolve(false);
  }

  find(apiVersion: string, kind: string): Promise<FoundKind> {
    return this.#discovery.find(apiVersion, kind);
  }

  schemaOf(resource: Resource, version: string): Promise<FoundSchema> {
    return this.#schemas.of(resource, version);
  }

  async serverVersion(): Promise<string | undefined> {
    const path = "/version";
    const found = await this.#object({ verb: "get", group: "", resource: "", path }, path);
    const version = found?.["gitVersion"];
    return typeof version === "string" ? version : undefined;
  }

  podGet(pod: PodAddress, port: number, path: string, limit: number, withinMs?: number): Promise<string> {
    return podGet(this.#connection, pod, port, path, limit, withinMs);
  }

  podExec(pod: PodAddress, container: string, command: readonly string[], limit: number): Promise<string> {
    return podExec(this.#connection, pod, container, command, limit);
  }

  /** Servers before 1.28 do not serve this review, and who is anonymous may not ask. */
  async whoAmI(): Promise<string | undefined> {
    const found = await this.#review("authentication.k8s.io", "SelfSubjectReview", undefined).catch((error: unknown) => {
      if (error instanceof CollectError && !error.unreachable) return undefined;
      throw error;
    });
    const info = Reflect.get(statusOf(found), "userInfo");
    const name: unknown = typeof info === "object" && info !== null ? Reflect.get(info, "username") : undefined;
    return typeof name === "string" && name !== "" ? name : undefined;
  }

  async may({ verb, group, resource, namespace, name }: Permission): Promise<boolean> {
    const [plural, subresource] = resource.split("/", 2);
    const where = { ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) };
    const resourceAttributes = { verb, group, resource: plural, ...(subresource === undefined ? {} : { subresource }), ...where };
    const found = await this.#review("authorization.k8s.io", "SelfSubjectAccessReview", { resourceAttributes });
    if (found === undefined) throw new CollectError("the API server does not serve SelfSubjectAccessReview", { remedy: "check that the address is that of an API server" });
    return Reflect.get(statusOf(found), "allowed") === true;
  }

  #review(group: string, kind: string, spec: unknown): Promise<KubeObject | undefined> {
    const plural = `${kind.toLowerCase()}s`;
    const path = `/apis/${group}/v1/${plural}`;
    return this.#object({ verb: "create", group, resource: plural, path }, path, { apiVersion: `${group}/v1`, kind, ...(spec === undefined ? {} : { spec }) });
  }

  async #object(asked: Asked, path: string, post?: unknown): Promise<KubeObject | undefined> {
    const limit = post === undefined ? this.#connection.limits.pageBytes : largestReview;
    const answer = await this.#connection.ask({ asked, path, limit, ...(post === undefined ? {} : { post }) });
    checkStatus(answer, asked, this.#connection.login);
    return answer.status === 404 || answer.status === 410 ? undefined : parseObject(answer, this.#connection.login.shown);
  }

  /** The API server answers a list in a namespace that does not exist with an empty one: a slip of the pen would look like "none". */
  async #checkNamespaces(): Promise<void> {
    this.#missing ??= this.#missingNamespaces();
    const missing = await this.#missing;
    if (missing.length === 0) return;
    throw new CollectError(`${missing.map((name) => `\`${name}\``).join(", ")} of \`namespaces\` ${missing.length === 1 ? "does" : "do"} not exist in this cluster`, {
      remedy: "correct `namespaces` of the cluster in the fleet file",
    });
  }

  async #missingNamespaces(): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const name of this.#namespaces ?? []) {
      const path = objectPath(namespaces, "v1", "", name);
      const asked = { verb: "get", group: "", resource: "namespaces", path };
      const answer = await this.#connection.ask({ asked, path, limit: this.#connection.limits.pageBytes });
      // Who may list pods there often may not read the namespace itself.
      if (answer.status !== 403) checkStatus(answer, asked, this.#connection.login);
      if (answer.status === 404) missing.push(name);
    }
    return missing;
  }
}

function collection(resource: Resource, version: string, namespace: string, verb: string): Collection {
  const path = collectionPath(resource, version, namespace);
  const everywhere = resource.namespaced && namespace === "";
  return { path, resource, version, asked: { verb, group: resource.group, resource: resource.plural, path, namespace: namespace === "" ? undefined : namespace, everywhere } };
}

function statusOf(object: KubeObject | undefined): object {
  const status: unknown = object?.["status"];
  return typeof status === "object" && status !== null ? status : {};
}

function tooSlow({ plural }: Resource): CollectError {
  return new CollectError(`the list of \`${plural}\` expired twice before it was read to its end (410 Gone)`, { remedy: "raise --concurrency for fewer waits, or look into why this API server is slow" });
}
