import { createPublicKey, X509Certificate, type KeyObject } from "node:crypto";
import type { Root } from "./trusted-root.ts";
import type { LogEntry } from "./sigstore.ts";
import { keyDigest } from "./public-key.ts";
import { Refused, SIGN_AGAIN } from "./refused.ts";
import { field, parseStrictJson, strictBase64 } from "../documents/strict-json.ts";

const LARGEST_TEXT = 64 << 10;

/** What reaches the library must have the form that it assumes: it converts long numbers before it has checked any signature. Throws Refused. */
export function checkEntryForm({ integratedTime, logIndex, inclusionProof, canonicalizedBody }: LogEntry): void {
  const numbers = [integratedTime, logIndex, inclusionProof?.logIndex ?? "0", inclusionProof?.treeSize ?? "0"];
  const isBounded = canonicalizedBody.length <= 4 << 20 && (inclusionProof?.hashes.length ?? 0) <= 64 && (inclusionProof?.checkpoint?.envelope.length ?? 0) <= LARGEST_TEXT;
  const size = inclusionProof?.checkpoint?.envelope.split("\n", 2)[1] ?? "0";
  if (!isBounded || ![...numbers, size].every((number) => /^\d{1,19}$/.test(number))) throw new Refused("invalid", "carries an entry of a log that cannot be read", SIGN_AGAIN);
}

/**
 * A log entry must be about the key that signed: the library compares signature and digest only, so that an entry could name somebody else.
 * The kinds are those that the library reads. Throws Refused.
 */
export function checkEntryKey(entry: LogEntry, key: KeyObject, certificate: X509Certificate | undefined): void {
  const named = [...verifiersOf(entry)];
  const wanted = keyDigest(key);
  const isOurs = ({ certificate: other, key: spki }: Verifier): boolean => (other === undefined ? spki === wanted : certificate !== undefined && other.equals(certificate.raw));
  if (named.length === 0) throw new Refused("invalid", "has an entry in a log that names no key", SIGN_AGAIN);
  if (!named.every(isOurs)) throw new Refused("invalid", "has an entry in a log that names another key or certificate than the one it is made with", SIGN_AGAIN);
}

/** Every time that is vouched for must lie in the years in which the log counts. Throws Refused. */
export function checkEntryTimes(entry: LogEntry, times: readonly Date[], root: Pick<Root, "tlogs">): void {
  const logs = logsOf(entry, root);
  const counts = (time: Date): boolean => logs.some(({ validFor }) => validFor.start <= time && time <= validFor.end);
  const outside = times.find((time) => !counts(time));
  if (outside !== undefined) throw new Refused("expired", `was made at ${outside.toISOString()}, when the trusted root did not count its log`, "check `validFor` of the log in the trusted root, or sign the image again");
}

/** The logs of the root that go by the entry's id. */
export function logsOf({ logId }: LogEntry, { tlogs }: Pick<Root, "tlogs">): Root["tlogs"] {
  return tlogs.filter(({ logID }) => logID.equals(logId.keyId));
}

interface Verifier {
  /** DER. */
  readonly certificate?: Buffer | undefined;
  /** Digest of the SPKI, hex. */
  readonly key?: string | undefined;
}

function* verifiersOf(entry: LogEntry): Generator<Verifier> {
  try {
    const spec = field(parseStrictJson(entry.canonicalizedBody), "spec");
    // Rekor 1: PEM in base64.
    yield* ofPem(field(field(field(spec, "signature"), "publicKey"), "content"));
    for (const signature of list(field(spec, "signatures"))) yield* ofPem(field(signature, "verifier"));
    for (const signature of list(field(field(field(spec, "content"), "envelope"), "signatures"))) yield* ofPem(field(signature, "publicKey"));
    // Rekor 2: DER in base64.
    yield* ofDer(field(field(field(spec, "hashedRekordV002"), "signature"), "verifier"));
    for (const signature of list(field(field(spec, "dsseV002"), "signatures"))) yield* ofDer(field(signature, "verifier"));
  } catch {
    throw new Refused("invalid", "has an entry in a log that cannot be read", SIGN_AGAIN);
  }
}

function* ofPem(content: unknown): Generator<Verifier> {
  if (content === undefined) return;
  const pem = strictBase64(content)?.toString("latin1") ?? "";
  if (pem.startsWith("-----BEGIN CERTIFICATE-----")) yield { certificate: new X509Certificate(pem).raw };
  else yield { key: keyDigest(createPublicKey(pem)) };
}

function* ofDer(verifier: unknown): Generator<Verifier> {
  const certificate = field(field(verifier, "x509Certificate"), "rawBytes");
  const key = field(field(verifier, "publicKey"), "rawBytes");
  if (certificate !== undefined) yield { certificate: strictBase64(certificate) ?? Buffer.alloc(0) };
  if (key !== undefined) yield { key: keyDigest(createPublicKey({ key: strictBase64(key) ?? Buffer.alloc(0), format: "der", type: "spki" })) };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
