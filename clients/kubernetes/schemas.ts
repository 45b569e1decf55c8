import { CollectError, type FoundSchema, type KubeObject, type Resource } from "#engine";
import { checkStatus, type Connection } from "./connection.ts";
import { parseObject } from "./pages.ts";

const largestDocument = 64 * 1024 * 1024;

/** The schemas that one API server publishes, a document for each group and version; each is asked for once. */
export class Schemas {
  readonly #connection: Connection;
  readonly #documents = new Map<string, Promise<KubeObject | undefined>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async of({ group, kind }: Resource, version: string): Promise<FoundSchema> {
    const path = `/openapi/v3/${group === "" ? "api" : `apis/${encodeURIComponent(group)}`}/${encodeURIComponent(version)}`;
    const document = await (this.#documents.get(path) ?? this.#ask(path));
    const root = document === undefined ? undefined : schemaIn(document, { group, version, kind });
    return { written: true, ...(root === undefined ? {} : { schema: { root, document } }) };
  }

  #ask(path: string): Promise<KubeObject | undefined> {
    const asked = { verb: "get", group: "", resource: "", path };
    const answer = this.#connection.ask({ asked, path, limit: largestDocument }).then((found) => {
      checkStatus(found, asked, this.#connection.login);
      return found.status === 404 || found.status === 410 ? undefined : parseObject(found, this.#connection.login.shown);
    });
    this.#documents.set(path, answer);
    return answer;
  }
}

interface Wanted {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The schema that says of itself which kind it is. */
function schemaIn(document: KubeObject, wanted: Wanted): unknown {
  const schemas = inside(inside(document, "components"), "schemas");
  if (typeof schemas !== "object" || schemas === null) throw new CollectError("the API server sent an OpenAPI document without schemas", { remedy: "check that the address is that of an API server" });
  return Object.values(schemas).find((schema: unknown) => {
    const kinds = inside(schema, "x-kubernetes-group-version-kind");
    return Array.isArray(kinds) && kinds.some((kind: unknown) => (["group", "version", "kind"] as const).every((part) => inside(kind, part) === wanted[part]));
  });
}

function inside(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (Reflect.get(value, key) as unknown) : undefined;
}
