import { gzipSync } from "node:zlib";
import { archiveOf, hex, tarOf, type TarEntry } from "./wasm.ts";

/** A manifest with the blobs that it names, ready to be pushed. */
export interface PushedImage {
  readonly type: string;
  readonly bytes: Buffer;
  /** `sha256:…` */
  readonly digest: string;
  readonly blobs: readonly Buffer[];
  /** Manifests that must be there first. */
  readonly children?: readonly PushedImage[];
}

export const TYPES = {
  docker: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  oci: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  ociLayer: "application/vnd.oci.image.layer.v1.tar+gzip",
  soloLayer: "application/vnd.module.wasm.content.layer.v1+wasm",
  bundle: "application/vnd.dev.sigstore.bundle.v0.3+json",
  simpleSigning: "application/vnd.dev.cosign.simplesigning.v1+json",
} as const;

/** How a manifest names a blob or another manifest. */
export function descriptor(mediaType: string, bytes: Uint8Array, more: object = {}): object {
  return { mediaType, digest: `sha256:${hex(bytes)}`, size: bytes.length, ...more };
}

/** Any document as a manifest. */
export function manifestOf(type: string, document: object, blobs: readonly Buffer[] = [], children: readonly PushedImage[] = []): PushedImage {
  const bytes = Buffer.from(JSON.stringify(document));
  return { type, bytes, digest: `sha256:${hex(bytes)}`, blobs, children };
}

const EMPTY = Buffer.from("{}");

interface LayerParts {
  readonly type: string;
  readonly bytes: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image of these layers; `more` goes into the manifest. */
export function imageOf(layers: readonly LayerParts[], { type = TYPES.oci, config = "application/vnd.oci.image.config.v1+json", ...more }: { type?: string; config?: string } & Readonly<Record<string, unknown>> = {}): PushedImage {
  const document = {
    schemaVersion: 2,
    mediaType: type,
    config: descriptor(config, EMPTY),
    layers: layers.map((layer) => descriptor(layer.type, layer.bytes, layer.annotations === undefined ? {} : { annotations: layer.annotations })),
    ...more,
  };
  return manifestOf(type, document, [EMPTY, ...layers.map(({ bytes }) => bytes)]);
}

/** An image as builders of containers make it: layers of files, and a configuration that names what is started. */
export function container(layers: readonly (readonly TarEntry[])[], config: unknown, { type = "application/vnd.oci.image.layer.v1.tar+gzip", packed = true }: { readonly type?: string; readonly packed?: boolean } = {}): PushedImage {
  const blobs = layers.map((entries) => (packed ? gzipSync(tarOf(entries)) : tarOf(entries)));
  const settings = Buffer.from(typeof config === "string" ? config : JSON.stringify({ architecture: "wasm", os: "wasip1", config }));
  return manifestOf(TYPES.oci, { schemaVersion: 2, mediaType: TYPES.oci, config: descriptor("application/vnd.oci.image.config.v1+json", settings), layers: blobs.map((blob) => descriptor(type, blob)) }, [settings, ...blobs]);
}

/** A module in each form that an image may have. */
export const layouts = {
  oci: (module: Buffer, level?: number) => imageOf([{ type: TYPES.ociLayer, bytes: archiveOf(module, level) }]),
  docker: (module: Buffer) => imageOf([{ type: TYPES.dockerLayer, bytes: archiveOf(module) }], { type: TYPES.docker, config: "application/vnd.docker.container.image.v1+json" }),
  solo: (module: Buffer) => imageOf([{ type: "application/vnd.module.wasm.config.v1+json", bytes: EMPTY }, { type: TYPES.soloLayer, bytes: module }]),
  cncf: (module: Buffer) => imageOf([{ type: "application/wasm", bytes: module }], { config: "application/vnd.wasm.config.v0+json" }),
  cosign: (module: Buffer) => imageOf([{ type: "application/vnd.wasm.content.layer.v1+wasm", bytes: module }], { config: "application/vnd.wasm.config.v1+json" }),
} as const;

/** An index over images, each with the platform that it is for; none: it names none. */
export function indexOf(children: readonly (readonly [PushedImage, string?])[], type: string = TYPES.index): PushedImage {
  const manifests = children.map(([{ type: of, bytes }, platform]) => {
    const [os, architecture] = platform?.split("/") ?? [];
    return descriptor(of, bytes, platform === undefined ? {} : { platform: { os, architecture } });
  });
  return manifestOf(type, { schemaVersion: 2, mediaType: type, manifests }, [], children.map(([child]) => child));
}

/** What Cosign 3 stores beside an image; the bundle itself is only a text here. */
export function bundleFor(subject: PushedImage, text: string): PushedImage {
  return imageOf([{ type: TYPES.bundle, bytes: Buffer.from(text) }], { config: "application/vnd.oci.empty.v1+json", artifactType: TYPES.bundle, subject: descriptor(subject.type, subject.bytes) });
}

/** What Cosign 1 and 2 store at the tag `sha256-….sig`: a layer for each signature. */
export function legacySignature(texts: readonly string[]): PushedImage {
  return imageOf(texts.map((text, index) => ({ type: TYPES.simpleSigning, bytes: Buffer.from(text), annotations: { "dev.cosignproject.cosign/signature": `c2ln${index}` } })));
}

/** Pushes over the distribution protocol, as any client would. */
export async function push(registry: string, repository: string, tag: string, image: PushedImage, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  for (const child of image.children ?? []) await push(registry, repository, child.digest, child, headers);
  for (const blob of image.blobs) {
    const started = await fetch(`${registry}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
    const upload = new URL(started.headers.get("location") ?? "", registry);
    upload.searchParams.set("digest", `sha256:${hex(blob)}`);
    await must(fetch(upload, { method: "PUT", body: new Uint8Array(blob), headers: { ...headers, "content-type": "application/octet-stream" } }));
  }
  await must(fetch(`${registry}/v2/${repository}/manifests/${tag}`, { method: "PUT", body: new Uint8Array(image.bytes), headers: { ...headers, "content-type": image.type } }));
}

async function must(answer: Promise<Response>): Promise<void> {
  const { ok, status, url } = await answer;
  if (!ok) throw new Error(`the registry answered ${status} to ${url}`);
}
