import type { ResolvedModule, WasmBytes } from "#engine";
import type { OciReference } from "#values";
import { carryings, type Carrying } from "./layouts.ts";
import type { Descriptor, Index } from "./manifest.ts";
import type { Found, Repository } from "./repository.ts";
import type { Shared } from "./shared.ts";
import { fileInTar, gunzipped } from "./unpack.ts";
import { cleaned, Unreadable } from "./unreadable.ts";
import { WasmReading } from "./wasm-bytes.ts";

/** What an image resolves to. A failure says how far it got: digests that were seen are there. */
export type ImageFound = Omit<ResolvedModule, "reference" | "wrapping">;

/**
 * Resolves an image as Istio's agent does: tag or digest, then of an index the child for `linux/amd64`, then the layer that carries the module.
 * The tag is asked for once in a look; everything behind it by digest.
 */
export async function readImage(repository: Repository, reference: OciReference, shared: Shared, signal: AbortSignal): Promise<ImageFound> {
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

async function bytesOf(repository: Repository, { layer, isArchive }: Carrying, signal: AbortSignal): Promise<WasmBytes> {
  const { moduleBytes } = repository.limits;
  const blob = watched(repository.blobStream(layer, moduleBytes, signal));
  const module = await readModule(isArchive ? fileInTar(gunzipped(blob.bytes, moduleBytes), isPlugin, "`plugin.wasm`") : blob.bytes);
  if (!blob.isWhole()) throw unfinished(layer);
  return module;
}

/** Also `./plugin.wasm` and `a/b/plugin.wasm`: only the last part of a name counts, and nothing is ever written. */
function isPlugin(name: string): boolean {
  return name.split("/").findLast((part) => part !== "") === "plugin.wasm";
}

/** Digest and sections of the module that passes by. */
export async function readModule(bytes: AsyncIterable<Buffer>): Promise<WasmBytes> {
  const reading = new WasmReading();
  for await (const chunk of bytes) reading.push(chunk);
  return reading.end();
}

/** A stream, and whether it was read to its checked end. */
function watched(source: AsyncIterable<Buffer>): { readonly bytes: AsyncIterable<Buffer>; isWhole(): boolean } {
  let whole = false;
  async function* bytes(): AsyncGenerator<Buffer> {
    yield* source;
    whole = true;
  }
  return { bytes: bytes(), isWhole: () => whole };
}

function unfinished({ digest }: Descriptor): Unreadable {
  return new Unreadable("unsupported", `the layer \`${digest.slice(0, 19)}…\` goes on behind the end of its gzip`, "push the image again");
}
