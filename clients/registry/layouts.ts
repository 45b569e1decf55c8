import type { WasmImage } from "#engine";
import { DOCKER_MANIFEST, type Descriptor, type Manifest } from "./manifest.ts";

/** One way in which an image may carry a module. */
export interface Carrying {
  readonly layout: NonNullable<WasmImage["layout"]>;
  readonly layer: Descriptor;
  /** The layer is a tar under gzip that holds `plugin.wasm`; else it is the module. */
  readonly isArchive: boolean;
}

const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const SOLO_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm";

/**
 * Where in an image the module is, in the order in which Istio's agent tries it (pkg/wasm/imagefetcher.go): a docker manifest has one form only, others
 * are read as a plain image first. Then the two forms that Istio does not load. Empty: none.
 */
export function carryings(manifest: Manifest): readonly Carrying[] {
  const { layers, config } = manifest;
  const [first, last] = [layers[0], layers.at(-1)];
  if (first === undefined || last === undefined) return [];
  if (manifest.mediaType === DOCKER_MANIFEST) return last.mediaType === DOCKER_LAYER ? [{ layout: "docker", layer: last, isArchive: true }] : [];
  const solo = layers.length === 2 ? layers.find(({ mediaType }) => mediaType === SOLO_LAYER) : undefined;
  return [
    ...(last.mediaType === OCI_LAYER ? [{ layout: "oci", layer: last, isArchive: true } as const] : []),
    ...(solo === undefined ? [] : [{ layout: "solo", layer: solo, isArchive: false } as const]),
    ...(config?.mediaType === "application/vnd.wasm.config.v0+json" && layers.length === 1 && first.mediaType === "application/wasm" ? [{ layout: "cncf", layer: first, isArchive: false } as const] : []),
    ...(config?.mediaType === "application/vnd.wasm.config.v1+json" && first.mediaType === "application/vnd.wasm.content.layer.v1+wasm" ? [{ layout: "cosign", layer: first, isArchive: false } as const] : []),
  ];
}
