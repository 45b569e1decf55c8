import type { SignatureArtifact, SignatureMaterial, SignedImage, WasmFailure } from "#engine";
import { OCI_INDEX, parseManifest, webPage, type Descriptor, type Manifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";
import { cleaned, Unreadable } from "./unreadable.ts";

const BUNDLE = "application/vnd.dev.sigstore.bundle";
const COSIGN_ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json";
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE = "application/vnd.dsse.envelope.v1+json";

/** Artifacts in the order in which they were found, and what could not be read. */
interface Gathered {
  readonly artifacts: SignatureArtifact[];
  readonly unread: WasmFailure[];
}

/**
 * Everything in a repository that may sign an image: referrers by the API of OCI 1.1, those that the fallback tag lists, and the tags of Cosign 1 and 2;
 * of the index, where there is one, and of the manifest.
 *
 * 1. What a referrer is, its own manifest says: lists are written by anybody, and some registries write wrong types into them.
 * 2. A tag that does not exist is no signature; an answer that is none (401, 429, 5xx, a web page) is in `unread`, and so is what lies beyond a limit.
 */
export async function readSignatures(repository: Repository, { manifestDigest, topDigest }: SignedImage, signal: AbortSignal): Promise<SignatureMaterial> {
  const gathered: Gathered = { artifacts: [], unread: [] };
  const subjects = topDigest === manifestDigest ? [{ on: "manifest", digest: manifestDigest } as const] : [{ on: "index", digest: topDigest } as const, { on: "manifest", digest: manifestDigest } as const];
  for (const subject of subjects) await gather(repository, subject, gathered, signal);
  return { manifestDigest, ...(topDigest === manifestDigest ? {} : { indexDigest: topDigest }), ...gathered };
}

interface Subject {
  readonly on: SignatureArtifact["on"];
  readonly digest: string;
}

async function gather(repository: Repository, subject: Subject, gathered: Gathered, signal: AbortSignal): Promise<void> {
  const orUnread = async <T>(otherwise: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gathered.unread.push(error.failure);
      return otherwise;
    }
  };
  const tag = subject.digest.replace(":", "-");
  const listed = await orUnread([], () => referrers(repository, subject.digest, gathered, signal));
  const tagged = await orUnread([], () => fallback(repository, tag, signal));
  const unique = [...new Map([...listed, ...tagged].map((each) => [each.digest, each])).values()];
  if (unique.length > repository.limits.referrers) gathered.unread.push(tooMany(unique.length, repository.limits.referrers, "artifacts refer to the image"));
  for (const referrer of unique.slice(0, repository.limits.referrers)) await orUnread(undefined, () => readReferrer(repository, referrer, subject, gathered, signal));
  for (const suffix of ["sig", "att"]) {
    await orUnread(undefined, async () => {
      const found = await repository.manifest(`${tag}.${suffix}`, signal);
      if (found?.document.form === "manifest") await readLayers(repository, found.digest, found.document, subject, gathered, signal);
    });
  }
}

/** Pages of the referrers API; empty where the registry has no such API. */
async function referrers(repository: Repository, digest: string, { unread }: Gathered, signal: AbortSignal): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  let path: string | undefined = `referrers/${digest}`;
  for (let page = 0; path !== undefined; page += 1) {
    if (page >= repository.limits.pages) {
      unread.push(tooMany(page, repository.limits.pages, "pages of referrers were read, and there are more"));
      break;
    }
    const reply = await repository.referrers(path, signal);
    if (reply === undefined) break;
    const { type } = reply;
    const shown = `the list of referrers of \`${digest.slice(0, 19)}…\``;
    const link = reply.header("link");
    const bytes = await reply.bytes(repository.limits.manifestBytes);
    if (type === "text/html") throw webPage(shown);
    const document = parseManifest(bytes, type, shown);
    if (document.form === "index") found.push(...document.manifests);
    if (found.length > repository.limits.referrers) break;
    path = nextPage(link, reply.url, repository.endpoint.origin);
  }
  return found;
}

/** `Link: <…>; rel="next"`, on the same origin only: the page is asked for with credentials. */
function nextPage(link: string | undefined, base: URL, origin: string): string | undefined {
  const target = /<([^>]{1,2000})>[^,]{0,200};\s*rel="?next"?/i.exec(link ?? "")?.[1];
  if (target === undefined) return undefined;
  const url = URL.parse(target, base);
  if (url === null || url.origin !== origin) throw new Unreadable("refused", "the list of referrers goes on at another host", "check the registry");
  return url.pathname + url.search;
}

/** The index at the tag of a digest. `cosign copy` puts the image itself there, which signs nothing. */
async function fallback(repository: Repository, tag: string, signal: AbortSignal): Promise<readonly Descriptor[]> {
  const found = await repository.manifest(tag, signal);
  return found?.document.form === "index" ? found.document.manifests : [];
}

async function readReferrer(repository: Repository, { digest, mediaType }: Descriptor, subject: Subject, gathered: Gathered, signal: AbortSignal): Promise<void> {
  if (mediaType === OCI_INDEX) return;
  const found = await repository.manifest(digest, signal);
  if (found === undefined) throw new Unreadable("not-found", `an artifact that refers to the image, \`${digest.slice(0, 19)}…\`, is not there`, "sign the image again, or delete the entry");
  const { document } = found;
  if (document.form !== "manifest" || document.subject?.digest !== subject.digest) return;
  const type = document.artifactType ?? document.config?.mediaType ?? "";
  if (type === COSIGN_ARTIFACT) return readLayers(repository, digest, document, subject, gathered, signal);
  const bundles = document.layers.filter((layer) => layer.mediaType.startsWith(BUNDLE));
  if (!type.startsWith(BUNDLE) && bundles.length === 0) return;
  const [layer] = document.layers;
  if (layer === undefined || document.layers.length !== 1) throw new Unreadable("unsupported", `the bundle \`${digest.slice(0, 19)}…\` has ${document.layers.length} layers in place of one`, "sign the image again");
  gathered.artifacts.push({
    on: subject.on,
    form: "bundle",
    digest,
    mediaType: layer.mediaType,
    annotations: document.annotations,
    bytes: await repository.blob(layer, repository.limits.bundleBytes, signal),
  });
}

/** One layer for each signature or attestation. */
async function readLayers(repository: Repository, digest: string, { layers }: Manifest, subject: Subject, gathered: Gathered, signal: AbortSignal): Promise<void> {
  const signing = layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING || mediaType === ENVELOPE);
  if (signing.length > repository.limits.layers) gathered.unread.push(tooMany(signing.length, repository.limits.layers, "signatures are in one manifest"));
  for (const layer of signing.slice(0, repository.limits.layers)) {
    try {
      const bytes = await repository.blob(layer, repository.limits.payloadBytes, signal);
      gathered.artifacts.push({ on: subject.on, form: "legacy", digest, mediaType: layer.mediaType, annotations: layer.annotations, bytes });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      gathered.unread.push(error.failure);
    }
  }
}

function tooMany(found: number, most: number, what: string): WasmFailure {
  return { kind: "too-large", reason: `${found} ${cleaned(what)}, and at most ${most} are read`, remedy: "delete what is not needed" };
}
