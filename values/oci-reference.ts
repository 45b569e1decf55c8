import { remembering } from "./remembering.ts";

/** An image by its tag or by its digest, all defaults filled in as Istio's agent fills them in. */
export interface OciReference {
  /** As `Host` of the request: `registry.example:5000`; of Docker Hub `index.docker.io`. Letters as they were written. */
  readonly registry: string;
  /** `library/x` for a single word of Docker Hub. */
  readonly repository: string;
  /** Left out where there is a digest: a tag beside it is not looked at. */
  readonly tag?: string | undefined;
  /** `sha256:…` */
  readonly digest?: string | undefined;
}

/** The host of Docker Hub, as its credentials are kept under. */
export const DOCKER_HUB = "index.docker.io";
const SCHEME = "oci://";
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TAG = /^[A-Za-z0-9_.-]{1,128}$/;
const REPOSITORY = /^[a-z0-9_./-]{1,255}$/;
/** An authority of RFC 3986 without a user: a name or an address, and a port. */
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/**
 * Reads `oci://…`, or the same without the scheme, as Istio's agent does (go-containerregistry, `name.ParseReference`): a first part with a dot
 * or a colon, or the word `localhost`, is the registry, else it is Docker Hub's; without tag and digest the tag is `latest`.
 *
 * Stricter than that in two places, where no registry could answer: parts of a path that are empty, `.` or `..`, and digests other than SHA-256.
 * Undefined for everything else.
 */
export const parseOciReference = remembering((text): OciReference | undefined => {
  const plain = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  if (plain.length > 1024) return undefined;
  const [named = "", digest, ...more] = plain.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = named.lastIndexOf(":");
  const isTagged = colon >= 0 && !named.includes("/", colon);
  const tag = isTagged ? named.slice(colon + 1) : "latest";
  const place = placeOf(isTagged ? named.slice(0, colon) : named);
  if (place === undefined || !TAG.test(tag)) return undefined;
  return digest === undefined ? { ...place, tag } : { ...place, digest };
});

function placeOf(name: string): Pick<OciReference, "registry" | "repository"> | undefined {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isRegistry = first === "localhost" || first.includes(".") || first.includes(":");
  const registry = isRegistry && first !== "docker.io" ? first : DOCKER_HUB;
  const path = isRegistry ? name.slice(slash + 1) : name;
  if (!REGISTRY.test(registry) || !REPOSITORY.test(path) || path.split("/").some((part) => part === "" || part === "." || part === "..")) return undefined;
  return { registry, repository: registry === DOCKER_HUB && !path.includes("/") ? `library/${path}` : path };
}

/** Registry and repository in one text, by which Istio's agent calls the folder of a module. */
export function ociName({ registry, repository }: OciReference): string {
  return `${registry}/${repository}`;
}

/** The same image by another digest, as a reference with its scheme. */
export function ociReferenceTo(reference: OciReference, digest: string): string {
  return `${SCHEME}${ociName(reference)}@${digest}`;
}

/** Is it an image of a repository (`registry.example/module`, without tag and digest)? Both with all defaults filled in. */
export function isOfRepository(reference: string, repository: string): boolean {
  const [one, other] = [parseOciReference(reference), parseOciReference(repository)];
  return one !== undefined && other !== undefined && one.registry === other.registry && one.repository === other.repository;
}

/** The image of a repository that a container runs, by the `sha256:…` that its kubelet reports. Undefined: it is of another one, or nothing is reported yet. */
export function workloadReference(image: string, digest: string | undefined, repository: string): string | undefined {
  const parsed = parseOciReference(image);
  return parsed === undefined || digest === undefined || !isOfRepository(image, repository) ? undefined : ociReferenceTo(parsed, digest);
}
