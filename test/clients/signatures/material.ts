import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { SignatureArtifact, SignatureMaterial } from "#engine";
import { paeOf, statementOf } from "./cosign/bundles.ts";

export const DIGEST = `sha256:${"1".repeat(64)}`;
export const OTHER = `sha256:${"2".repeat(64)}`;
export const INDEX = `sha256:${"3".repeat(64)}`;

/** A key pair with what names it. */
export interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly pem: string;
  /** As Cosign names a key in a bundle. */
  readonly hint: string;
}

export function pair(curve = "P-256"): Pair {
  const { publicKey, privateKey } = curve === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: curve });
  const pem = String(publicKey.export({ type: "spki", format: "pem" }));
  const hint = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("base64");
  return { publicKey, privateKey, pem, hint };
}

/** What an artifact says, where a test says something else than Cosign. */
export interface Said {
  readonly statement?: unknown;
  readonly type?: string;
  readonly hint?: string;
  readonly algorithm?: string | null;
  /** Fields of the bundle. */
  readonly more?: object;
  readonly material?: object;
}

/** A bundle that a key signs, as Cosign 3 writes it. */
export function bundleBy({ privateKey, hint }: Pair, digest = DIGEST, said: Said = {}): SignatureArtifact {
  const payload = Buffer.from(typeof said.statement === "string" ? said.statement : JSON.stringify(said.statement ?? statementOf(digest)));
  const type = said.type ?? "application/vnd.in-toto+json";
  const signature = sign(said.algorithm === undefined ? "sha256" : said.algorithm, paeOf(payload, type), privateKey).toString("base64");
  return artifactOf({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: said.hint ?? hint }, tlogEntries: [], ...said.material },
    dsseEnvelope: { payload: payload.toString("base64"), payloadType: type, signatures: [{ sig: signature }] },
    ...said.more,
  });
}

/** Any document as a bundle. */
export function artifactOf(document: unknown, more: Partial<SignatureArtifact> = {}): SignatureArtifact {
  const bytes = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
  return { on: "manifest", form: "bundle", digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", annotations: {}, bytes, ...more };
}

/** A payload with a signature in its annotation, as Cosign 1 and 2 write it. */
export function oldBy({ privateKey }: Pair, payload: string | object = simpleSigning(DIGEST), annotations: Readonly<Record<string, string>> = {}): SignatureArtifact {
  const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const signature = sign("sha256", bytes, privateKey).toString("base64");
  return artifactOf("", { form: "legacy", mediaType: "application/vnd.dev.cosign.simplesigning.v1+json", bytes, annotations: { "dev.cosignproject.cosign/signature": signature, ...annotations } });
}

export function simpleSigning(digest: string, more: object = {}): object {
  return { critical: { identity: { "docker-reference": "registry.example/wasm/auth" }, image: { "docker-manifest-digest": digest }, type: "cosign container image signature", ...more }, optional: null };
}

export function materialOf(artifacts: readonly SignatureArtifact[], more: Partial<SignatureMaterial> = {}): SignatureMaterial {
  return { manifestDigest: DIGEST, artifacts, unread: [], ...more };
}

/** A file as the loader hands it in. */
export function fileOf(path: string, content: string): { readonly path: string; readonly sha256: string; readonly content: string } {
  return { path, sha256: createHash("sha256").update(content).digest("hex"), content };
}
