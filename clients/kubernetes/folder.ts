import { readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { CollectError, UserError, type KubeObject, type Position } from "#engine";
import { DocumentError, FileError, parseDocuments, readText, type Document } from "../documents/index.ts";
import { codeOf, ended } from "./faults.ts";
import { expandHome } from "./kubeconfig.ts";

/** One object of a folder, and where it stands. */
export interface Manifest {
  readonly object: KubeObject;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** "" where the object names none; undefined where what stands there is no text. */
  readonly namespace: string | undefined;
  /** As `namespace`. */
  readonly name: string | undefined;
  readonly file: string;
  /** Found out when asked for: most objects are never cited. */
  line(): number;
  /** `file:line`. */
  at(): string;
}

type Keys = readonly (string | number)[];

const largestFile = 64 * 1024 * 1024;
const largestFolder = 512 * 1024 * 1024;
const mostFiles = 20_000;
const mostObjects = 500_000;
const deepestFolder = 32;
/** A List of Lists of Lists is nobody's dump. */
const deepestList = 4;

/**
 * Every Kubernetes object in a folder's .yaml, .yml and .json files, or in one file; in the order of the file names.
 * Documents that are no Kubernetes objects (values of a chart, other people's configuration) are passed over; a file that
 * cannot be read or parsed is a CollectError with its place. Links are not followed: one that leads out of the folder is an error.
 */
export async function readManifests(dir: string, home: string, signal: AbortSignal, shown = dir): Promise<Folder> {
  const manifests: Manifest[] = [];
  const versions = new Map<string, string>();
  let bytes = 0;
  for (const file of manifestFiles(dir, home, shown)) {
    if (signal.aborted) throw ended(signal);
    const text = await inOurWords(() => readText(file.real, largestFile, file.shown), file.shown);
    bytes += text.length;
    if (bytes > largestFolder) throw tooMuch(shown, `more than ${largestFolder} bytes of manifests`);
    // One by one: as arguments of one call, a hundred thousand objects would overflow the stack.
    const documents = await inOurWords(() => parseDocuments(text, file.shown, "kubernetes"), file.shown);
    for (const manifest of await inOurWords(() => documents.flatMap((document) => manifestsIn(document, file.shown)), file.shown)) manifests.push(manifest);
    for (const document of documents) noteVersion(document.value, file.shown, versions);
    if (manifests.length > mostObjects) throw tooMuch(shown, `more than ${mostObjects} objects`);
  }
  if (versions.size > 1) throw twoVersions(versions);
  return { manifests, serverVersion: [...versions.keys()][0] };
}

/** What a folder holds. */
export interface Folder {
  readonly manifests: readonly Manifest[];
  /** `gitVersion` of the API server, where somebody saved what `kubectl version -o yaml` or `/version` told. */
  readonly serverVersion: string | undefined;
}

function manifestsIn(document: Document, file: string): readonly Manifest[] {
  const at = (keys: Keys) => (keys.length === 0 ? document.at : document.positionOf(keys));
  return objectsIn(document.value, [], {}, 0, at).map(({ object, keys }) => toManifest(object, file, () => at(keys).line));
}

function noteVersion(value: unknown, file: string, versions: Map<string, string>): void {
  if (!isObject(value) || value.kind !== undefined) return;
  const info = isObject(value["serverVersion"]) ? value["serverVersion"] : value;
  const { gitVersion, gitCommit } = info;
  if (typeof gitVersion === "string" && typeof gitCommit === "string" && gitVersion.length <= 100) versions.set(gitVersion, file);
}

function twoVersions(versions: ReadonlyMap<string, string>): CollectError {
  const told = [...versions].map(([version, file]) => `\`${version}\` in \`${file}\``);
  return new CollectError(`the folder holds versions of ${told.length} API servers: ${told.slice(0, 3).join(", ")}`, { remedy: "keep the one of this cluster; a folder stands for one cluster" });
}

interface Inherited {
  readonly apiVersion?: string;
  readonly kind?: string;
}

/** The objects of a document: itself, or the items of a List, which may leave out what the list's own kind says. */
function objectsIn(value: unknown, keys: Keys, inherited: Inherited, depth: number, at: (keys: Keys) => Position): { readonly object: KubeObject; readonly keys: Keys }[] {
  const { apiVersion = inherited.apiVersion, kind = inherited.kind, items }: KubeObject = isObject(value) ? value : {};
  if (!isObject(value) || typeof apiVersion !== "string" || typeof kind !== "string") {
    // Beside a list other documents may be anything; within one, an object would be lost in silence.
    if (depth === 0) return [];
    throw new DocumentError("an item of a List is no Kubernetes object", { at: at(keys), remedy: "give it apiVersion and kind, or remove it" });
  }
  if (kind.endsWith("List") && Array.isArray(items) && depth < deepestList) {
    const given = kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
    return items.flatMap((item: unknown, index) => objectsIn(item, [...keys, "items", index], given, depth + 1, at));
  }
  return [{ object: value.apiVersion === undefined || value.kind === undefined ? { apiVersion, kind, ...value } : value, keys }];
}

function toManifest(object: KubeObject, file: string, line: () => number): Manifest {
  const apiVersion = String(object.apiVersion);
  const slash = apiVersion.indexOf("/");
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const text = (value: unknown) => (typeof value === "string" ? value : value === undefined || value === null ? "" : undefined);
  return {
    object,
    group: slash === -1 ? "" : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: String(object.kind),
    namespace: text(metadata["namespace"]),
    name: text(metadata["name"]),
    file,
    line,
    at: () => `${file}:${line()}`,
  };
}

interface ManifestFile {
  readonly shown: string;
  readonly real: string;
}

function manifestFiles(dir: string, home: string, shownRoot: string): readonly ManifestFile[] {
  const root = onDisk(() => realpathSync(dir.startsWith("~/") ? expandHome(dir, home) : dir), shownRoot);
  if (onDisk(() => statSync(root), shownRoot).isFile()) return [{ shown: shownRoot, real: root }];
  const found: ManifestFile[] = [];
  walk(root, shownRoot, "", found, 0);
  return found;
}

function walk(root: string, shownRoot: string, below: string, found: ManifestFile[], depth: number): void {
  const folder = path.join(root, below);
  const shown = path.join(shownRoot, below);
  if (depth > deepestFolder) throw tooMuch(shownRoot, `more than ${deepestFolder} levels of folders`);
  const entries = onDisk(() => readdirSync(folder, { withFileTypes: true }), shown);
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory() && entry.name !== ".git") walk(root, shownRoot, name, found, depth + 1);
    if (entry.isSymbolicLink()) found.push(...behindLink(root, path.join(shownRoot, name), path.join(root, name)));
    if (entry.isFile() && isManifest(entry.name)) found.push({ shown: path.join(shownRoot, name), real: path.join(root, name) });
    if (found.length > mostFiles) throw tooMuch(shownRoot, `more than ${mostFiles} manifest files`);
  }
}

/**
 * What a link inside the folder leads to is read where it is (mounted ConfigMaps are made of such links), unless it has the
 * name of a manifest only here.
 */
function behindLink(root: string, shown: string, link: string): readonly ManifestFile[] {
  const target = orNothing(() => realpathSync(link));
  if (target === undefined || target === root) return [];
  const found = orNothing(() => statSync(target));
  const isRead = found?.isDirectory() === true || isManifest(link);
  if (target.startsWith(root + path.sep)) return isRead && found?.isFile() === true && !isManifest(target) ? [{ shown, real: target }] : [];
  if (!isRead) return [];
  throw new CollectError(`\`${shown}\` is a link out of the folder of manifests`, { remedy: "copy what it leads to into the folder, or remove it", unreachable: true });
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // a link that leads nowhere
    return undefined;
  }
}

function isManifest(name: string): boolean {
  return /\.(ya?ml|json)$/i.test(name);
}

function onDisk<T>(work: () => T, shown: string): T {
  try {
    return work();
  } catch (error) {
    const code = codeOf(error);
    const what = code === "ENOENT" ? "does not exist" : code === "EACCES" ? "may not be read" : `cannot be read (${code})`;
    throw new CollectError(`the folder of manifests \`${shown}\` ${what}`, { remedy: "correct `manifests` of the cluster, or the permissions of that path", unreachable: true });
  }
}

async function inOurWords<T>(work: () => T | Promise<T>, file: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // what is wrong with the file as a whole has named it already, and no rendering would help
    if (error instanceof FileError && error.at === undefined) throw new CollectError(error.message, { remedy: error.remedy, unreachable: true });
    const place = error.at === undefined ? file : `${file}:${error.at.line}:${error.at.column}`;
    throw new CollectError(`\`${place}\`: ${error.message}`, {
      remedy: `${error.remedy}; templates must be rendered first (\`helm template\`, \`kustomize build\`), or the file kept out of the folder`,
      unreachable: true,
    });
  }
}

function tooMuch(dir: string, what: string): CollectError {
  return new CollectError(`the folder of manifests \`${dir}\` holds ${what}`, { remedy: "name a smaller folder: one that holds the manifests of this cluster only", unreachable: true });
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
