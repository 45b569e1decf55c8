import { hash, X509Certificate } from "node:crypto";
import type { SignatureArtifact } from "#engine";
import { Refused, SIGN_AGAIN } from "./refused.ts";
import { field, parseStrictJson, strictBase64 } from "../documents/strict-json.ts";

/** What an artifact holds, in the one form that the rest works on. Nothing of it has been verified. */
export interface Candidate {
  /** A Sigstore bundle for the library. */
  readonly document: Readonly<Record<string, unknown>>;
  /** What the signature says, and how to read it. */
  readonly payload: Buffer;
  readonly says: "statement" | "simple signing";
  /** The very bytes that the signature is over. */
  readonly signed: Buffer;
  readonly certificate?: X509Certificate | undefined;
  /** What a bundle without a certificate says of its key; Cosign: the digest of the key, base64. */
  readonly hint?: string | undefined;
  /** Anything that may still be verified with a key although a certificate stands beside it: the form of Cosign 1 and 2. */
  readonly isLegacy: boolean;
}

/** Cosign's own bundles are 5 kB; this is room for large statements. */
const LARGEST = 4 << 20;
const LARGEST_CERTIFICATE = 64 << 10;
const MOST_ENTRIES = 8;

const VERSIONS = [
  "application/vnd.dev.sigstore.bundle+json;version=0.1",
  "application/vnd.dev.sigstore.bundle+json;version=0.2",
  "application/vnd.dev.sigstore.bundle+json;version=0.3",
  "application/vnd.dev.sigstore.bundle.v0.3+json",
];
const IN_TOTO = "application/vnd.in-toto+json";
const ENVELOPE = "application/vnd.dsse.envelope.v1+json";
const ANNOTATION = {
  signature: "dev.cosignproject.cosign/signature",
  certificate: "dev.sigstore.cosign/certificate",
  log: "dev.sigstore.cosign/bundle",
  time: "dev.sigstore.cosign/rfc3161timestamp",
} as const;

/** Reads an artifact. Throws Refused for what it is not. */
export function readCandidate(artifact: SignatureArtifact): Candidate {
  if (artifact.bytes.length > LARGEST) throw new Refused("invalid", `is larger than ${LARGEST >> 20} MiB`, SIGN_AGAIN);
  if (artifact.form === "bundle") return ofBundle(json(artifact.bytes, "its bundle"));
  return artifact.mediaType === ENVELOPE ? ofLegacyEnvelope(artifact) : ofLegacySignature(artifact);
}

function ofBundle(document: unknown): Candidate {
  const mediaType = text(document, "mediaType");
  if (!VERSIONS.includes(mediaType)) {
    if (!mediaType.startsWith("application/vnd.dev.sigstore.bundle")) throw new Refused("invalid", "is no Sigstore bundle", SIGN_AGAIN);
    throw new Refused("unknown", "is a bundle of a version that this release does not know", "use a newer release of cloud-assert, or sign with Cosign 3");
  }
  if (get(document, "messageSignature") !== undefined) {
    throw new Refused("unknown", "signs the bytes of a manifest and not a statement about it, a form that this release does not read", "sign the image with `cosign sign`");
  }
  const material = get(document, "verificationMaterial");
  bounded(get(material, "tlogEntries"), "entries of logs");
  bounded(get(get(material, "timestampVerificationData"), "rfc3161Timestamps"), "time stamps");
  const rest = { document: record(document), isLegacy: false, ...ofEnvelope(get(document, "dsseEnvelope")) };
  const chain = get(get(material, "x509CertificateChain"), "certificates");
  const leaf = get(material, "certificate") ?? (Array.isArray(chain) ? (chain[0] as unknown) : undefined);
  if (leaf !== undefined) return { ...rest, certificate: certificateOf(binary(leaf, "rawBytes")) };
  const hint = get(get(material, "publicKey"), "hint");
  return { ...rest, hint: typeof hint === "string" && hint.length <= 1000 ? hint : "" };
}

/** One envelope with one signature over an in-toto statement. */
function ofEnvelope(envelope: unknown): Pick<Candidate, "payload" | "says" | "signed"> {
  const type = text(envelope, "payloadType");
  if (type !== IN_TOTO) throw new Refused("invalid", "signs a payload that is no in-toto statement", SIGN_AGAIN);
  const signatures = get(envelope, "signatures");
  if (!Array.isArray(signatures) || signatures.length !== 1) throw new Refused("invalid", "needs exactly one signature in its envelope", SIGN_AGAIN);
  binary(signatures[0], "sig");
  const payload = binary(envelope, "payload");
  // https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
  return { payload, says: "statement", signed };
}

function ofLegacySignature({ bytes, annotations }: SignatureArtifact): Candidate {
  const payload = Buffer.from(bytes);
  const signature = annotations[ANNOTATION.signature];
  if (strictBase64(signature) === undefined || signature === "") throw new Refused("invalid", `has no base64 in its annotation \`${ANNOTATION.signature}\``, SIGN_AGAIN);
  const { material, certificate } = ofAnnotations(annotations);
  const messageDigest = { algorithm: "SHA2_256", digest: digest(payload) };
  return { document: { mediaType: VERSIONS[0], verificationMaterial: material, messageSignature: { messageDigest, signature } }, payload, says: "simple signing", signed: payload, certificate, isLegacy: true };
}

function ofLegacyEnvelope({ bytes, annotations }: SignatureArtifact): Candidate {
  const envelope = json(bytes, "its envelope");
  const { material, certificate } = ofAnnotations(annotations);
  return { document: { mediaType: VERSIONS[0], verificationMaterial: material, dsseEnvelope: envelope }, ...ofEnvelope(envelope), certificate, isLegacy: true };
}

/** A bundle's material out of annotations. The chain that may stand there is nobody's word: paths are built from the trusted root. */
function ofAnnotations(annotations: SignatureArtifact["annotations"]): { readonly material: Readonly<Record<string, unknown>>; readonly certificate: X509Certificate | undefined } {
  const pem = annotations[ANNOTATION.certificate];
  const certificate = pem === undefined || pem === "" ? undefined : certificateOf(derOf(pem));
  const stamp = annotations[ANNOTATION.time];
  const entry = annotations[ANNOTATION.log];
  return {
    certificate,
    material: {
      ...(certificate === undefined ? { publicKey: { hint: "" } } : { x509CertificateChain: { certificates: [{ rawBytes: certificate.raw.toString("base64") }] } }),
      tlogEntries: entry === undefined || entry === "" ? [] : [logEntryOf(json(Buffer.from(entry), `its annotation \`${ANNOTATION.log}\``))],
      timestampVerificationData: { rfc3161Timestamps: stamp === undefined || stamp === "" ? [] : [{ signedTimestamp: text(json(Buffer.from(stamp), `its annotation \`${ANNOTATION.time}\``), "SignedRFC3161Timestamp") }] },
    },
  };
}

/** `{ SignedEntryTimestamp, Payload: { body, integratedTime, logIndex, logID } }`: a log's promise, as Rekor 1 gives it. */
function logEntryOf(entry: unknown): Readonly<Record<string, unknown>> {
  const payload = get(entry, "Payload");
  const [index, time, id] = [get(payload, "logIndex"), get(payload, "integratedTime"), text(payload, "logID")];
  if (!isCount(index) || !isCount(time) || !/^[0-9a-f]{64}$/.test(id)) throw new Refused("invalid", `has no entry of a log in its annotation \`${ANNOTATION.log}\``, SIGN_AGAIN);
  const body = json(binary(payload, "body"), "the entry of its log");
  return {
    logIndex: String(index),
    logId: { keyId: Buffer.from(id, "hex").toString("base64") },
    kindVersion: { kind: text(body, "kind"), version: text(body, "apiVersion") },
    integratedTime: String(time),
    inclusionPromise: { signedEntryTimestamp: text(entry, "SignedEntryTimestamp") },
    canonicalizedBody: text(payload, "body"),
  };
}

/** One certificate in PEM, with nothing beside it. */
function derOf(pem: string): Buffer {
  const der = strictBase64(/^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,90000})-----END CERTIFICATE-----\s*$/.exec(pem)?.[1]?.replace(/\s+/g, ""));
  if (der === undefined) throw new Refused("invalid", "carries no certificate in PEM, or more than one", SIGN_AGAIN);
  return der;
}

function certificateOf(der: Buffer): X509Certificate {
  if (der.length <= LARGEST_CERTIFICATE) {
    try {
      const certificate = new X509Certificate(der);
      // What follows the certificate would be read by one reader and not by another.
      if (certificate.raw.equals(der)) return certificate;
    } catch {
      // Told below.
    }
  }
  throw new Refused("invalid", "carries a certificate that cannot be read", SIGN_AGAIN);
}

function json(bytes: Uint8Array, what: string): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    throw new Refused("invalid", `cannot be read: ${what} ${error instanceof Error ? error.message : "is no JSON"}`, SIGN_AGAIN);
  }
}

/** The field of an object, spelled in this one way. */
export function get(value: unknown, name: string): unknown {
  try {
    return field(value, name);
  } catch (error) {
    throw new Refused("invalid", error instanceof Error ? error.message : "cannot be read", SIGN_AGAIN);
  }
}

function text(value: unknown, name: string): string {
  const found = get(value, name);
  if (typeof found !== "string") throw new Refused("invalid", `has no \`${name}\``, SIGN_AGAIN);
  return found;
}

function binary(value: unknown, name: string): Buffer {
  const bytes = strictBase64(get(value, name));
  if (bytes === undefined || bytes.length === 0) throw new Refused("invalid", `has no base64 in \`${name}\``, SIGN_AGAIN);
  return bytes;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function bounded(list: unknown, what: string): void {
  if (Array.isArray(list) && list.length > MOST_ENTRIES) throw new Refused("invalid", `has ${list.length} ${what}, and at most ${MOST_ENTRIES} are read`, SIGN_AGAIN);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function digest(bytes: Buffer): string {
  return hash("sha256", bytes, "base64");
}
