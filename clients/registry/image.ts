import type { ResolvedModule, WasmBytes } from "#engine";
import type { OciReference } from "#values";
import { readLayer } from "./layer.ts";
import { carryings, type Carrying } from "./layouts.ts";
import type { Index } from "./manifest.ts";
import type { Found, Repository } from "./repository.ts";
import type { Shared } from "./shared.ts";
import { fileInTar, gunzipped } from "./unpack.ts";
import { cleaned, Unreadable } from "./unreadable.ts";
import { workloadModule, type Started } from "./workload.ts";

/** What an image resolves to. A failure says how far it got: digests that were seen are there. */
export type ImageFound = Omit<ResolvedModule, "reference" | "wrapping">;

/** Who loads a module: Istio's agent for a proxy, or the runtime behind a class of pods. */
export type Loader = "proxy" | "runtime";

/** Most images of one index. */
const MOST_CHILDREN = 16;

/** Resolves an image as whoever loads it does. */
export function readImage(repository: Repository, reference: OciReference, shared: Shared, signal: AbortSignal, loader: Loader): Promise<ImageFound> {
  return loader === "proxy" ? asProxy(repository, reference, shared, signal) : asRuntime(repository, reference, shared, signal);
}

/**
 * As runtimes do, each for its own platform: an index counts where all of its images hold the same module.
 */
async function asRuntime(repository: Repository, reference: OciReference, shared: Shared, signal: AbortSignal): Promise<ImageFound> {
  let digests: Pick<ImageFound, "topDigest" | "manifestDigest"> = {};
  try {
    const top = await topOf(repository, reference, shared, signal);
    digests = { topDigest: top.digest };
    const images = top.document.form === "index" ? await childrenOf(repository, top.document, signal) : [top];
    const [first] = images;
    digests = { topDigest: top.digest, ...(first === undefined ? {} : { manifestDigest: first.digest }) };
    const read: Started[] = [];
    for (const { document } of images) {
      if (document.form === "index") throw new Unreadable("unsupported", "the index leads to another index, which nobody follows", "push the module as an image");
      read.push(await workloadModule(repository, document, shared, signal));
    }
    const module = read[0]?.module;
    if (module === undefined || read.some((each) => each.module.wasmSha256 !== module.wasmSha256)) throw new Unreadable("unsupported", "the index holds different modules for its platforms", "push one module for all platforms, or name one of the images by its digest");
    const ways = new Set(read.map(({ namedBy }) => namedBy));
    const [namedBy = "command"] = ways;
    return { ...digests, module, namedBy: ways.size > 1 ? "command" : namedBy };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...digests, failure: error.failure };
  }
}

/** All images of an index; what only tells about another one (provenance) is none. */
async function childrenOf(repository: Repository, index: Index, signal: AbortSignal): Promise<readonly Found[]> {
  const { host, repository: name } = repository.endpoint;
  const named = index.manifests.filter(({ platform }) => platform !== "unknown/unknown");
  if (named.length === 0 || named.length > MOST_CHILDREN) throw new Unreadable("unsupported", named.length === 0 ? "the index holds no image" : `the index holds more than ${MOST_CHILDREN} images`, "push the module as an image, without an index");
  const found: Found[] = [];
  for (const { digest } of named) found.push(must(await repository.manifest(digest, signal), host, `${name}@${digest}`));
  return found;
}

/**
 * Resolves an image as Istio's agent does: tag or digest, then of an index the child for `linux/amd64`, then the layer that carries the module.
 * The tag is asked for once in a look; everything behind it by digest.
 */
async function asProxy(repository: Repository, reference: OciReference, shared: Shared, signal: AbortSignal): Promise<ImageFound> {
  let digests: Pick<ImageFound, "topDigest" | "manifestDigest"> = {};
  try {
    const top = await topOf(repository, reference, shared, signal);
    digests = { topDigest: top.digest };
    const found = top.document.form === "index" ? await childOf(repository, top.document, signal) : top;
    digests = { topDigest: top.digest, manifestDigest: found.digest };
    return { ...digests, ...(await moduleOf(repository, found, shared, signal)) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...digests, failure: error.failure };
  }
}

async function topOf(repository: Repository, { tag, digest }: OciReference, shared: Shared, signal: AbortSignal): Promise<Found> {
  const { origin, repository: name, host } = repository.endpoint;
  if (digest !== undefined) return must(await repository.manifest(digest, signal), host, `${name}@${digest}`);
  const named = tag ?? "latest";
  let mine: Found | undefined;
  const resolved = await shared.tags.get(`${origin} ${name}:${named}`, async () => {
    mine = must(await repository.manifest(named, signal), host, `${name}:${named}`);
    return mine.digest;
  });
  return mine ?? must(await repository.manifest(resolved, signal), host, `${name}@${resolved}`);
}

function must(found: Found | undefined, host: string, what: string): Found {
  if (found !== undefined) return found;
  throw new Unreadable("not-found", `the registry \`${host}\` has no \`${cleaned(what)}\``, "push the image there, or correct the reference");
}

/** The agent asks for no platform: the library behind it takes `linux/amd64` on every node, and a child that names none counts as that. go-containerregistry: pkg/v1/remote/index.go. */
async function childOf(repository: Repository, index: Index, signal: AbortSignal): Promise<Found> {
  const child = index.manifests.find(({ platform }) => platform === undefined || platform === "linux/amd64");
  if (child === undefined) throw new Unreadable("unsupported", "the index holds no image for linux/amd64, which is what Istio's agent takes on every node", "push the module as an image, without an index");
  const found = must(await repository.manifest(child.digest, signal), repository.endpoint.host, `${repository.endpoint.repository}@${child.digest}`);
  if (found.document.form === "index") throw new Unreadable("unsupported", "the index leads to another index, which nobody follows", "push the module as an image");
  return found;
}

/** The first form that yields a module counts; where none does, why the first did not. */
async function moduleOf(repository: Repository, { document }: Found, shared: Shared, signal: AbortSignal): Promise<Pick<ImageFound, "layout" | "module" | "failure">> {
  const ways = document.form === "manifest" ? carryings(document) : [];
  let failure: Unreadable | undefined;
  for (const way of ways) {
    try {
      const module = await shared.blobs.get(`${way.layer.digest} ${way.isArchive ? "archive" : "module"}`, () => bytesOf(repository, way, signal));
      return { layout: way.layout, module };
    } catch (error) {
      if (!(error instanceof Unreadable) || error.failure.kind !== "unsupported") throw error;
      failure ??= error;
    }
  }
  throw failure ?? new Unreadable("unsupported", "the image is none of the forms that carry a Wasm module", "push the module as Istio's documentation says: one layer of type `application/vnd.oci.image.layer.v1.tar+gzip` that holds `plugin.wasm`");
}

function bytesOf(repository: Repository, { layer, isArchive }: Carrying, signal: AbortSignal): Promise<WasmBytes> {
  return readLayer(repository, layer, signal, (bytes) => (isArchive ? fileInTar(gunzipped(bytes, repository.limits.moduleBytes), isPlugin, "`plugin.wasm`") : bytes));
}

/** Also `./plugin.wasm` and `a/b/plugin.wasm`: only the last part of a name counts, and nothing is ever written. */
function isPlugin(name: string): boolean {
  return name.split("/").findLast((part) => part !== "") === "plugin.wasm";
}
