import { foreignText } from "#values";
import { parseStrictJson, refuseOtherSpellings } from "../documents/strict-json.ts";
import { Unreadable, cleaned } from "./unreadable.ts";

/** What a manifest says of a blob or of another manifest. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** `linux/amd64` */
  readonly platform?: string | undefined;
}

export interface Index {
  readonly form: "index";
  readonly manifests: readonly Descriptor[];
}

export interface Manifest {
  readonly form: "manifest";
  /** As the document itself says it; `""` where it does not. */
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly config?: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
/** What is asked for. */
export const ACCEPTED = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(", ");

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MOST_ENTRIES = 10_000;
/** Whatever is read of such a document, at any place in it. Istio's agent is written in Go, which takes `Layers` for `layers`. */
const READ = ["mediaType", "artifactType", "config", "layers", "manifests", "subject", "digest", "size", "platform", "os", "architecture"];

/** Is it a digest of the one kind that is checked? */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * Reads a manifest or an index whose bytes have the right digest.
 *
 * One document must not be two things to two readers: what the server calls it (`type`), what it calls itself and what it holds must agree. Throws Unreadable.
 */
export function parseManifest(bytes: Uint8Array, type: string, shown: string): Index | Manifest {
  const document = documentIn(bytes, type, shown);
  const own = document["mediaType"] === undefined ? "" : textIn(document, "mediaType", shown);
  if (own !== "" && isKnown(type) && own !== type) throw unsupported(shown, `says that it is ${cleaned(own)}, and the registry says ${type}`);
  const is = own === "" ? type : own;
  const hasManifests = Object.hasOwn(document, "manifests");
  if (hasManifests && (Object.hasOwn(document, "layers") || Object.hasOwn(document, "config"))) throw unsupported(shown, "is an index and a manifest at once");
  if (hasManifests !== (is === OCI_INDEX || is === DOCKER_LIST)) {
    if (isKnown(is)) throw unsupported(shown, `says that it is ${is} and does not look like it`);
    throw unsupported(shown, `has the type ${cleaned(is)}, which is none of an image`);
  }
  if (!isKnown(is)) throw unsupported(shown, `has the type ${cleaned(is)}, which is none of an image`);
  if (hasManifests) return { form: "index", manifests: descriptorsIn(document, "manifests", shown) };
  const artifactType = typeof document["artifactType"] === "string" ? document["artifactType"] : undefined;
  return {
    form: "manifest",
    mediaType: own,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document["config"] === undefined ? {} : { config: descriptorOf(document["config"], shown) }),
    layers: descriptorsIn(document, "layers", shown),
    ...(document["subject"] === undefined || document["subject"] === null ? {} : { subject: descriptorOf(document["subject"], shown) }),
    annotations: annotationsOf(document["annotations"]),
  };
}

function isKnown(type: string): boolean {
  return type === OCI_INDEX || type === OCI_MANIFEST || type === DOCKER_LIST || type === DOCKER_MANIFEST;
}

type Fields = Readonly<Record<string, unknown>>;

function documentIn(bytes: Uint8Array, type: string, shown: string): Fields {
  let document: unknown;
  try {
    document = parseStrictJson(bytes);
    refuseOtherSpellings(document, READ);
  } catch (error) {
    throw type === "text/html" ? webPage(shown) : unsupported(shown, error instanceof Error ? error.message : "is no JSON");
  }
  if (!isFields(document)) throw unsupported(shown, "is no JSON object");
  return document;
}

/** A server answered with what people read: a login page, a proxy, another program. */
export function webPage(shown: string): Unreadable {
  return new Unreadable("unreachable", `a web page came where ${shown} was expected`, "check the host: a login page or another program may answer in the registry's place");
}

function unsupported(shown: string, what: string): Unreadable {
  return new Unreadable("unsupported", `${shown} ${what}`, "push the module again as an OCI image");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textIn(fields: Fields, key: string, shown: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value.length > 1_000) throw unsupported(shown, `has a \`${key}\` that is no text`);
  return value;
}

function descriptorsIn(document: Fields, key: string, shown: string): readonly Descriptor[] {
  const list = document[key] ?? [];
  if (!Array.isArray(list) || list.length > MOST_ENTRIES) throw unsupported(shown, `has \`${key}\` that are no list, or too many`);
  return list.map((entry) => descriptorOf(entry, shown));
}

function descriptorOf(value: unknown, shown: string): Descriptor {
  if (!isFields(value)) throw unsupported(shown, "holds a descriptor that is no object");
  const digest = textIn(value, "digest", shown);
  if (!DIGEST.test(digest)) throw unsupported(shown, `names the digest \`${cleaned(digest, 80)}\`, and only SHA-256 is checked`);
  const size = value["size"];
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw unsupported(shown, "holds a descriptor without a size");
  const platform = isFields(value["platform"]) ? `${foreignText(value["platform"]["os"])}/${foreignText(value["platform"]["architecture"])}` : undefined;
  return { mediaType: textIn(value, "mediaType", shown), digest, size, annotations: annotationsOf(value["annotations"]), ...(platform === undefined ? {} : { platform }) };
}

function annotationsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isFields(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
