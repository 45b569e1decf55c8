import { dirname, resolve } from "node:path";
import type { Cluster, Probe, UserError } from "#engine";
import { istioMapEntriesOf, IstioMapError, type IstioMapEntry } from "#values";
import type { Document } from "../../clients/documents/index.ts";
import type { KubernetesPlace } from "../../clients/kubernetes/index.ts";
import type { RegistrySettings } from "../../clients/registry/place.ts";
import type { NamedState } from "../../clients/states/index.ts";
import type { FleetCluster as DeclaredCluster, FleetDocument, FleetKubernetes, FleetRegistry } from "../schemas/fleet.generated.ts";
import { InvalidDocumentError } from "./errors.ts";
import { checkOwn, throwAll } from "./own.ts";
import { readDocuments } from "./read.ts";
import { stateOf } from "./states.ts";
import { checkLinks, must, pathFrom, refusal, refusedPath, shownFrom, type LoadOptions, type Refused } from "./trust.ts";

/** The clusters that must agree, as the fleet file says it; paths are absolute. */
export interface Fleet {
  readonly name: string;
  readonly clusters: readonly FleetCluster[];
  /** Rows that the fleet adds to our own map. */
  readonly istioMap: readonly IstioMapEntry[];
  /** As the user named it; left out when flags name the clusters. */
  readonly file?: string | undefined;
  /** Under `--untrusted` with a fleet file: the folder that nothing which only files name may lie outside of. */
  readonly within?: string | undefined;
  /** What a reader of the report should know about how the file was read: what `--untrusted` left out. One line each. */
  readonly notes: readonly string[];
}

export interface FleetCluster {
  readonly cluster: Cluster;
  /** Left out: nothing of this cluster's API can be asked. */
  readonly kubernetes?: KubernetesPlace | SnapshotPlace | undefined;
  /** Set when `kubernetes` may not be used: a gap in these words, for everything that needs it. */
  readonly refused?: Refused | undefined;
  readonly probes: readonly Probe[];
  /** The states and configurations that declare the cluster. */
  readonly terraform: readonly NamedState[];
  readonly registry: RegistrySettings;
  /** The kube-system UID that the cluster must have. */
  readonly pin?: string | undefined;
}

interface SnapshotPlace {
  readonly form: "snapshot";
  readonly file: string;
  /** As somebody in the working directory would write it. */
  readonly shown: string;
}

export const emptyRegistry: RegistrySettings = { credentials: [], pullSecrets: [], plainHttp: [], mirrors: {}, privateHosts: [] };

/**
 * Reads a fleet file (`path` as the user wrote it, relative to `cwd`).
 *
 * 1. Every mistake of the file is found in one go, with its place.
 * 2. Paths are absolute afterwards: relative ones start at the file, `~/` is the home.
 * 3. Under `--untrusted` what the file may not name is refused as {@link LoadOptions} says; the rest stays usable.
 *
 * Throws UserErrors, or a UserError where there is one mistake only.
 */
export async function loadFleet(path: string, options: LoadOptions): Promise<Fleet> {
  const document = await onlyDocument(path, options);
  const value = structuredClone(document.value);
  checkKind(value, document, path);
  throwAll(await checkOwn("fleet", value, document));
  const { metadata, spec } = value as FleetDocument;
  throwAll(sameNames(spec.clusters, document));

  const clusters = await Promise.all(spec.clusters.map((cluster) => clusterOf(cluster, path, options)));
  return {
    name: metadata.name,
    clusters: clusters.map(({ cluster }) => cluster),
    istioMap: spec.istioMap === undefined ? [] : await readIstioMap(spec.istioMap, document, path, options),
    file: path,
    ...(options.untrusted ? { within: dirname(resolve(options.cwd, path)) } : {}),
    notes: clusters.flatMap(({ notes }) => notes),
  };
}

async function onlyDocument(path: string, options: LoadOptions): Promise<Document> {
  await checkLinks(path, options);
  const documents = await readDocuments({ path: resolve(options.cwd, path), shown: path }, options);
  const fleets = documents.filter(({ value }) => Object(value)["kind"] === "Fleet");
  const [first, second] = fleets.length > 0 ? fleets : documents;
  if (first === undefined) throw new InvalidDocumentError(`\`${path}\` holds no document`, { at: { file: path, line: 1, column: 1 }, remedy: HOW_TO_START });
  if (second === undefined && documents.length === 1) return first;
  throw new InvalidDocumentError(`\`${path}\` holds ${documents.length} documents; a fleet file holds one of kind \`Fleet\``, {
    at: (second ?? documents.find((document) => document !== first) ?? first).at,
    remedy: "move the others into files of their own: assertions into `assertions/`, waivers into `waivers.yaml`",
  });
}

const HOW_TO_START = "`assert init` writes a first one from your kubeconfig";

function checkKind(value: unknown, document: Document, path: string): void {
  const kind: unknown = Object(value)["kind"];
  if (kind === "Fleet" || kind === undefined) return;
  throw new InvalidDocumentError(`\`${path}\` is no fleet file: its kind is \`${String(kind).slice(0, 80)}\``, {
    at: document.positionOf(["kind"]),
    remedy: `name a file of kind \`Fleet\` with --fleet; ${HOW_TO_START}`,
  });
}

function sameNames(clusters: readonly DeclaredCluster[], document: Document): readonly UserError[] {
  return clusters.flatMap(({ name }, index) => {
    const first = clusters.findIndex((other) => other.name === name);
    if (first === index) return [];
    const other = document.positionOf(["spec", "clusters", first, "name"]);
    return [
      new InvalidDocumentError(`two clusters are named \`${name}\``, {
        at: document.positionOf(["spec", "clusters", index, "name"]),
        remedy: `give each a name of its own; the first is at ${other.file}:${other.line}:${other.column}`,
      }),
    ];
  });
}

async function clusterOf(
  { name, cloud, region, labels, kubernetes, terraform, registry, identity }: DeclaredCluster,
  file: string,
  options: LoadOptions,
): Promise<{ readonly cluster: FleetCluster; readonly notes: readonly string[] }> {
  const place = kubernetes === undefined ? undefined : await placeOf(kubernetes, file, options);
  const sources = terraform === undefined ? [] : "length" in terraform ? terraform : [terraform];
  const reach = registryOf(registry, name, file, options);
  return {
    cluster: {
      cluster: { name, cloud, region, labels: { ...labels } },
      kubernetes: place?.place,
      refused: place?.refused,
      probes: kubernetes?.probes ?? [],
      terraform: await Promise.all(sources.map((source) => stateOf(source, file, options))),
      registry: reach.registry,
      pin: identity?.kubeSystemUid.toLowerCase(),
    },
    notes: reach.notes,
  };
}

/** Where the objects are read, unless a stranger may not say so. */
async function placeOf(
  declared: FleetKubernetes,
  file: string,
  options: LoadOptions,
): Promise<{ readonly place?: KubernetesPlace | SnapshotPlace; readonly refused?: Refused | undefined }> {
  const { kubeconfig, context, server, ca, tokenFile, manifests, complete, snapshot, namespaces } = declared;
  const path = (named: string) => pathFrom(file, named, options);
  const limits = namespaces === undefined ? {} : { namespaces };
  if (manifests !== undefined) {
    const refused = await refusedPath(file, manifests, path(manifests), options);
    return refused ? { refused } : { place: { form: "manifests", dir: path(manifests), shown: shownFrom(options.cwd, path(manifests)), complete: complete ?? false, ...limits } };
  }
  if (snapshot !== undefined) {
    const refused = await refusedPath(file, snapshot, path(snapshot), options);
    return refused ? { refused } : { place: { form: "snapshot", file: path(snapshot), shown: shownFrom(options.cwd, path(snapshot)) } };
  }
  if (server !== undefined && tokenFile !== undefined) {
    if (options.untrusted) return { refused: refusal("server` with `tokenFile", "name the cluster with --context or --cluster") };
    return { place: { form: "server", server, ca: ca === undefined ? undefined : path(ca), tokenFile: path(tokenFile), ...limits } };
  }
  if (declared.inCluster) return { place: { form: "inCluster", ...limits } };
  if (kubeconfig !== undefined && options.untrusted) {
    return { refused: refusal("kubeconfig", "name the kubeconfig with --kubeconfig, and leave it out of the file") };
  }
  return { place: { form: "kubeconfig", kubeconfig: kubeconfig === undefined ? undefined : path(kubeconfig), context, ...limits } };
}

function registryOf(declared: FleetRegistry | undefined, cluster: string, file: string, options: LoadOptions) {
  if (declared === undefined) return { registry: emptyRegistry, notes: [] };
  const registry: RegistrySettings = { ...declared, credentials: declared.credentials.map((named) => pathFrom(file, named, options)) };
  if (!options.untrusted) return { registry, notes: [] };
  const dropped = (["credentials", "pullSecrets", "mirrors", "privateHosts"] as const).filter((field) => Object.keys(registry[field]).length > 0);
  return {
    registry: { ...emptyRegistry, plainHttp: registry.plainHttp },
    notes: dropped.map((field) => `--untrusted: \`registry.${field}\` of \`${cluster}\` is left out, because only \`${file}\` names it`),
  };
}

/** More rows for the map, from a YAML or JSON file that holds a list of `{ istio, envoy }`. */
async function readIstioMap(named: string, fleet: Document, file: string, options: LoadOptions): Promise<readonly IstioMapEntry[]> {
  const at = fleet.positionOf(["spec", "istioMap"]);
  const path = pathFrom(file, named, options);
  must(await refusedPath(file, named, path, options), at);
  const [document, ...others] = await readDocuments({ path, shown: named, at }, options);
  if (document === undefined || others.length > 0) {
    throw new InvalidDocumentError(`\`${named}\` holds ${document === undefined ? "no document" : "several documents"}`, {
      at,
      remedy: 'write one list, for example `- { istio: 1.29.2, envoy: ["1.37.2"] }`',
    });
  }
  const value = structuredClone(document.value);
  throwAll(await checkOwn("istioMap", value, document));
  try {
    return istioMapEntriesOf(value);
  } catch (error) {
    if (!(error instanceof IstioMapError)) throw error;
    throw new InvalidDocumentError(`\`${named}\`: ${error.message}`, { at, remedy: 'write rows such as `- { istio: 1.29.2, envoy: ["1.37.2"] }`' });
  }
}
