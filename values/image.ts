import { remembering } from "./remembering.ts";

/** The parts of an image reference, with the defaults of container runtimes filled in. */
export interface ImageReference {
  /** With port: `registry.example:5000`. */
  readonly registry: string;
  /** Without registry, tag and digest: `istio/proxyv2`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:…` */
  readonly digest?: string | undefined;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TAG = /^\w[\w.-]{0,127}$/;
const COMPONENT = /^[a-z0-9][a-z0-9._-]*$/;
const REGISTRY = /^[A-Za-z0-9[][A-Za-z0-9.:[\]-]*$/;

/**
 * Reads an image reference as container runtimes do: a first part with a dot, a colon or the name `localhost` is a registry,
 * else the image comes from Docker Hub. Undefined for what is no reference: an empty text, `auto:`, an image ID.
 */
export const parseImage = remembering((text): ImageReference | undefined => {
  if (text.length > 512) return undefined;
  const [name = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const place = placeOf(colon < 0 ? name : name.slice(0, colon));
  if (place === undefined || DIGEST.test(text)) return undefined;
  return { ...place, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
});

function placeOf(name: string): { readonly registry: string; readonly repository: string } | undefined {
  const [first = "", ...rest] = name.split("/");
  const named = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  const registry = named ? first : "docker.io";
  const path = named ? rest : [first, ...rest];
  if (!REGISTRY.test(registry) || !path.every((part) => COMPONENT.test(part))) return undefined;
  const repository = registry === "docker.io" && path.length === 1 ? `library/${path[0]}` : path.join("/");
  return { registry, repository };
}

/**
 * The digest in what a kubelet reports as `imageID`: `docker.io/istio/proxyv2@sha256:…`, `docker-pullable://…@sha256:…`
 * or the bare `sha256:…`. Equal digests are equal bytes.
 */
export function imageDigest(imageId: string): string | undefined {
  const digest = imageId.slice(-"sha256:".length - 64);
  return DIGEST.test(digest) ? digest : undefined;
}
