import { CollectError, type FoundKind, type KubeObject, type Resource } from "#engine";
import { checkStatus, type Connection } from "./connection.ts";
import { parseObject } from "./pages.ts";

/** Served by every API server in the one version that there is; asking would only cost a round trip. */
const alwaysServed: readonly string[] = ["", "apps"];
const largestAnswer = 16 * 1024 * 1024;

/**
 * Which version of a resource one API server serves. Groups are asked one by one, so that an aggregated API that is down
 * hurts nobody but those who ask for it; every answer, and every failure, is kept for the life of the connection.
 */
export class Discovery {
  readonly #connection: Connection;
  readonly #answers = new Map<string, Promise<KubeObject | undefined>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * The first of `resource.versions` that the server serves this resource in; undefined where it serves it in none at all.
   * Throws where it serves it in other versions only: that is not the same as having none.
   */
  async versionOf({ group, versions, plural }: Resource): Promise<string | undefined> {
    if (alwaysServed.includes(group)) return versions[0];
    const served = await this.#versions(group);
    for (const version of versions) if (served.includes(version) && (await this.#has(group, version, plural))) return version;
    for (const version of served) {
      if (versions.includes(version) || !(await this.#has(group, version, plural))) continue;
      throw new CollectError(`the API server serves \`${plural}.${group}\` in version \`${version}\` only; known are ${versions.join(", ")}`, {
        remedy: "update cloud-assert to a release that knows this version",
      });
    }
    return undefined;
  }

  /** What is served of a kind, by the word that objects write. */
  async find(apiVersion: string, kind: string): Promise<FoundKind> {
    const slash = apiVersion.indexOf("/");
    const group = slash === -1 ? "" : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const served = group === "" ? ["v1"] : await this.#versions(group);
    const resources = served.includes(version) ? await this.#resources(group, version) : [];
    const found = resources.find((resource) => resource.kind === kind);
    const versions: string[] = [];
    for (const other of served) if (other === version ? found !== undefined : (await this.#resources(group, other)).some((resource) => resource.kind === kind)) versions.push(other);
    return { ...(found === undefined ? {} : { resource: found }), versions, kinds: [...new Set(resources.map((resource) => resource.kind))].sort() };
  }

  /** Without subresources: only what can be listed as a kind of its own. */
  async #resources(group: string, version: string): Promise<readonly Resource[]> {
    const path = group === "" ? `/api/${encodeURIComponent(version)}` : `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`;
    const list = (await this.#get(path))?.["resources"];
    return (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
      const { name, kind, namespaced } = (typeof item === "object" && item !== null ? item : {}) as Readonly<Record<string, unknown>>;
      if (typeof name !== "string" || typeof kind !== "string" || name.includes("/")) return [];
      return [{ group, versions: [version], plural: name, kind, namespaced: namespaced === true }];
    });
  }

  async #versions(group: string): Promise<readonly string[]> {
    const found = await this.#get(`/apis/${encodeURIComponent(group)}`);
    return namesOf(found?.["versions"], "version");
  }

  async #has(group: string, version: string, plural: string): Promise<boolean> {
    const found = await this.#get(`/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`);
    return namesOf(found?.["resources"], "name").includes(plural);
  }

  #get(path: string): Promise<KubeObject | undefined> {
    const known = this.#answers.get(path) ?? this.#ask(path);
    this.#answers.set(path, known);
    return known;
  }

  async #ask(path: string): Promise<KubeObject | undefined> {
    const asked = { verb: "get", group: path.split("/")[2] ?? "", resource: "", path };
    const answer = await this.#connection.ask({ asked, path, limit: largestAnswer });
    checkStatus(answer, asked, this.#connection.login);
    return answer.status === 404 ? undefined : parseObject(answer, this.#connection.login.shown);
  }
}

function namesOf(list: unknown, field: string): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const name: unknown = typeof item === "object" && item !== null ? Reflect.get(item, field) : undefined;
    return typeof name === "string" ? [name] : [];
  });
}
