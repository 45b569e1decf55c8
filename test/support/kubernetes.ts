import { createHash } from "node:crypto";
import { CollectError, type Fact, type FactKind, type Gap, type Io, type KubeObject, type KubernetesApi, type Permission, type Probe, type RegistryApi, type ResolvedModule, type Resource, type SignatureVerifier, type StateSource, type WasmSignatures } from "#engine";
import { parseDocuments } from "../../clients/documents/index.ts";
import { asked } from "./asked.ts";

/** What one place answers; plain JSON, so that an example can hold it in a file. */
export interface Exchange {
  readonly place?: "live" | "manifests";
  readonly serverVersion?: string;
  readonly caSha256?: string;
  readonly host?: string;
  /** By plural name; each list is one page, a list of lists is several. */
  readonly lists?: Readonly<Record<string, readonly KubeObject[] | readonly (readonly KubeObject[])[]>>;
  /** What discovery tells. */
  readonly kinds?: readonly { readonly apiVersion: string; readonly kind: string; readonly plural: string; readonly namespaced?: boolean; readonly schema?: unknown }[];
  /** `POD:PORT` -> metrics text. */
  readonly metrics?: Readonly<Record<string, string>>;
  /** `POD:PORT/PATH` -> the status with which the pod itself refuses. */
  readonly refused?: Readonly<Record<string, number>>;
  /** `POD` -> output of the command. */
  readonly commands?: Readonly<Record<string, string>>;
  /** What this identity may not do: `list pods`, `get pods/proxy`. */
  readonly forbidden?: readonly string[];
  /** Page numbers, from 0, before which the list begins anew. */
  readonly restartsAt?: readonly number[];
  readonly probes?: readonly Probe[];
  /** What the fleet names under `terraform:`. */
  readonly states?: readonly StateExample[];
  /** Facts of earlier stages. */
  readonly earlier?: readonly Fact[];
  /** What references resolve to; of others the server says that there is none. */
  readonly modules?: readonly ResolvedModule[];
  /** By digest of the manifest: what is found when its signatures are judged. */
  readonly signatures?: Readonly<Record<string, WasmSignatures>>;
}

/** A state and what its backend tells of it. */
interface StateExample {
  readonly name: string;
  readonly cluster?: string;
  readonly lineage?: string;
  /** Text as it is kept, or JSON. */
  readonly state?: unknown;
  readonly modified?: string;
  readonly locked?: boolean;
  /** In place of `state`: why it cannot be read. */
  readonly fault?: { readonly reason: string; readonly remedy: string };
}

/** A stand-in for one cluster; `calls` tells what was asked of it. */
export class FakeCluster implements Io {
  readonly calls: string[] = [];
  readonly said: string[] = [];
  readonly exchange: Exchange;
  readonly signal: AbortSignal;

  constructor(exchange: Exchange, signal: AbortSignal = new AbortController().signal) {
    this.exchange = exchange;
    this.signal = signal;
  }

  allows(probe: Probe): boolean {
    return this.exchange.probes?.includes(probe) ?? false;
  }

  yaml(text: string): Promise<unknown> {
    return Promise.resolve(parseDocuments(text, "inside", "kubernetes")[0]?.value);
  }

  states(): readonly StateSource[] {
    return (this.exchange.states ?? []).map(({ name, cluster, lineage, state, fault, ...told }) => ({
      name,
      ...(cluster === undefined ? {} : { cluster }),
      ...(lineage === undefined ? {} : { lineage }),
      read: async () => {
        this.calls.push(`read ${name}`);
        this.signal.throwIfAborted();
        if (fault !== undefined) throw new CollectError(fault.reason, fault);
        const bytes = Buffer.from(typeof state === "string" ? state : JSON.stringify(state));
        return Promise.resolve({ bytes, locator: name, sha256: createHash("sha256").update(bytes).digest("hex"), ...told });
      },
    }));
  }

  registry(): RegistryApi {
    const absent = { kind: "not-found", reason: "the registry has no such image", remedy: "push it" } as const;
    return {
      module: async (reference, loader) => {
        this.calls.push(`resolve ${reference}${loader === "runtime" ? " as a runtime" : ""}`);
        this.signal.throwIfAborted();
        return Promise.resolve(this.exchange.modules?.find((module) => module.reference === reference) ?? { reference, failure: absent });
      },
      signatures: async ({ manifestDigest, topDigest }, repository) => {
        this.calls.push(`signatures ${manifestDigest}${repository === undefined ? "" : ` in ${repository}`}`);
        this.signal.throwIfAborted();
        return Promise.resolve({ manifestDigest, ...(topDigest === manifestDigest ? {} : { indexDigest: topDigest }), artifacts: [], unread: [] });
      },
    };
  }

  signatures(): SignatureVerifier {
    return {
      verify: async ({ manifestDigest }) => Promise.resolve(this.exchange.signatures?.[manifestDigest] ?? { verdict: "unsigned", found: [] }),
    };
  }

  facts<K extends FactKind>(kind: K): readonly Fact<K>[] {
    return (this.exchange.earlier ?? []).filter((fact): fact is Fact<K> => fact.kind === kind);
  }

  progress(text: string): void {
    this.said.push(text);
  }

  kubernetes(): Promise<KubernetesApi> {
    const { exchange, signal } = this;
    const ask = (call: string, ...permissions: readonly string[]) => {
      this.calls.push(call);
      signal.throwIfAborted();
      const lacking = permissions.find((permission) => exchange.forbidden?.includes(permission));
      if (lacking === undefined) return;
      const [verb, resource] = lacking.split(" ");
      throw new CollectError(`\`auditor\` may not ${verb} \`${resource}\``, { remedy: `add { resources: ["${resource}"], verbs: ["${verb}"] }` });
    };
    const absent = (what: string) => new CollectError(`nothing answers for ${what}`, { remedy: "look at the pod" });
    // two groups have a plural `gateways`
    const isOf = (item: KubeObject, group: string) => typeof item.apiVersion !== "string" || !item.apiVersion.includes(".") || item.apiVersion.startsWith(`${group}/`);
    const listed = ({ plural, group }: Resource) => pagesOf(exchange.lists?.[plural] ?? []).map((page) => page.filter((item) => isOf(item, group)));

    return Promise.resolve({
      place: exchange.place ?? "live",
      ...(exchange.caSha256 === undefined ? {} : { caSha256: exchange.caSha256 }),
      ...(exchange.host === undefined ? {} : { host: exchange.host }),
      async *list(resource, options) {
        const shown = (item: KubeObject) => (options?.fields === undefined ? item : asked(item, options.fields));
        ask(`list ${resource.plural}`, `list ${resource.plural}`);
        for (const [index, items] of listed(resource).entries()) {
          signal.throwIfAborted();
          yield { items: items.map(shown), ...(exchange.restartsAt?.includes(index) ? { restarted: true as const } : {}), source: (item) => ({ locator: locatorOf(resource, item) }) };
        }
      },
      async get(resource, namespace, name) {
        ask(`get ${resource.plural} ${name}`, `get ${resource.plural}`);
        return listed(resource).flat().find((item) => metadataOf(item)["name"] === name && (metadataOf(item)["namespace"] ?? "") === namespace);
      },
      serves: () => Promise.resolve(true),
      unseen: (resource) => Promise.resolve(exchange.place === "manifests" && listed(resource).flat().length === 0),
      find: (apiVersion, kind) => {
        signal.throwIfAborted();
        const known = (exchange.kinds ?? []).filter((each) => each.apiVersion === apiVersion);
        const found = known.find((each) => each.kind === kind);
        const slash = apiVersion.indexOf("/");
        return Promise.resolve({
          ...(found === undefined ? {} : { resource: { group: slash < 0 ? "" : apiVersion.slice(0, slash), versions: [apiVersion.slice(slash + 1)], plural: found.plural, kind, namespaced: found.namespaced ?? true } }),
          versions: found === undefined ? [] : [apiVersion.slice(slash + 1)],
          kinds: known.map((each) => each.kind),
        });
      },
      schemaOf: ({ kind }) => {
        const found = (exchange.kinds ?? []).find((each) => each.kind === kind);
        return Promise.resolve({ written: exchange.place !== "manifests", ...(found?.schema === undefined ? {} : { schema: { root: found.schema, document: undefined } }) });
      },
      serverVersion: () => Promise.resolve(exchange.serverVersion),
      async podGet(pod, port, path) {
        ask(`podGet ${pod.name}:${port}${path}`, "get pods/proxy");
        const status = exchange.refused?.[`${pod.name}:${port}${path}`];
        if (status !== undefined) throw new CollectError(`the pod answered ${status}`, { remedy: "look at the pod", answered: status });
        const text = exchange.metrics?.[`${pod.name}:${port}${path}`] ?? exchange.metrics?.[`${pod.name}:${port}`];
        if (text === undefined) throw absent(`\`${pod.name}:${port}\``);
        return text;
      },
      async podExec(pod, container, command) {
        ask(`podExec ${pod.name} ${container} ${command.join(" ")}`, "get pods/exec", "create pods/exec");
        const text = exchange.commands?.[pod.name];
        if (text === undefined) throw absent(`\`${pod.name}\``);
        return text;
      },
      whoAmI: () => Promise.resolve("auditor"),
      may: ({ verb, resource }: Permission) => Promise.resolve(!exchange.forbidden?.includes(`${verb} ${resource}`)),
    });
  }
}

function pagesOf(list: readonly KubeObject[] | readonly (readonly KubeObject[])[]): readonly (readonly KubeObject[])[] {
  const nested = list.filter((entry): entry is readonly KubeObject[] => Array.isArray(entry));
  return nested.length === list.length && list.length > 0 ? nested : [list as readonly KubeObject[]];
}

function metadataOf(item: KubeObject): Readonly<Record<string, unknown>> {
  return (item.metadata ?? {}) as Readonly<Record<string, unknown>>;
}

function locatorOf({ plural, namespaced }: Resource, item: KubeObject): string {
  const { namespace, name } = metadataOf(item);
  return namespaced ? `/api/v1/namespaces/${String(namespace)}/${plural}/${String(name)}` : `/api/v1/${plural}/${String(name)}`;
}

/** Everything an iteration yields, facts and gaps apart. */
export async function drain(items: AsyncIterable<Fact | Gap>): Promise<{ readonly facts: readonly Fact[]; readonly gaps: readonly Gap[] }> {
  const facts: Fact[] = [];
  const gaps: Gap[] = [];
  for await (const item of items) {
    if (item.type === "fact") facts.push(item);
    else gaps.push(item);
  }
  return { facts, gaps };
}

interface PodParts {
  readonly namespace?: string;
  readonly image?: string;
  /** What the status says, where it differs. */
  readonly runs?: string;
  readonly imageID?: string;
  readonly args?: readonly string[];
  readonly native?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: readonly [kind: string, name: string];
  readonly phase?: string;
  readonly state?: object;
  readonly metadata?: object;
  readonly container?: object;
  readonly containers?: readonly object[];
  readonly status?: object;
}

/** A pod with a proxy as the injector makes it: a classic sidecar of a Deployment that runs, until told otherwise. */
export function podOf(name: string, parts: PodParts = {}): KubeObject {
  const image = parts.image ?? "docker.io/istio/proxyv2:1.29.2";
  const [kind, owner] = parts.owner ?? ["ReplicaSet", `${name.split("-")[0]}-5d4f8`];
  const proxy = { name: "istio-proxy", image, args: parts.args ?? ["proxy", "sidecar", "--domain", "x"], ...(parts.native ? { restartPolicy: "Always" } : {}), ...parts.container };
  const statuses = [{ name: "istio-proxy", image: parts.runs ?? image, imageID: parts.imageID ?? "", state: parts.state ?? { running: {} } }];
  const app = parts.containers ?? [{ name: "app", image: "shop/cart:7" }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: parts.namespace ?? "shop",
      labels: { "pod-template-hash": "5d4f8", ...parts.labels },
      annotations: { "sidecar.istio.io/status": '{"revision":"default"}', ...parts.annotations },
      ownerReferences: [{ kind, name: owner, controller: true }],
      ...parts.metadata,
    },
    spec: parts.native ? { initContainers: [proxy], containers: app } : { containers: [...app, proxy] },
    status: parts.status ?? { phase: parts.phase ?? "Running", [parts.native ? "initContainerStatuses" : "containerStatuses"]: statuses },
  };
}

export function nodeOf(name: string, providerID: string, labels: Readonly<Record<string, string>>): KubeObject {
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: { providerID } };
}

export function namespaceOf(name: string, uid: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, uid } };
}
