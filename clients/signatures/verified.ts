import { hash, type KeyObject } from "node:crypto";
import type { SignedEntity, Signer as LibrarySigner } from "@sigstore/verify";
import type { Candidate } from "./candidate.ts";
import { checkUsage, identityOf } from "./certificate.ts";
import { explain } from "./explain.ts";
import { checkEntryForm, checkEntryKey, checkEntryTimes, logsOf } from "./log-entry.ts";
import { isAllowed, type Allowed, type AllowedKey } from "./policy.ts";
import { isSignedBy } from "./public-key.ts";
import { Refused, SIGN_AGAIN, shown, type Signer } from "./refused.ts";
import type { SignatureContent, SigstoreModules } from "./sigstore.ts";

/**
 * Who made a signature, where it counts. By a certificate: issued by an authority of the root for signing code, seen by a log of certificates, valid when
 * somebody of the root says that the signature was made, entered in a log about this very certificate, and of an allowed identity. By a key: an allowed one.
 * Throws Refused.
 */
export function verified(candidate: Candidate, allowed: Allowed, sigstore: SigstoreModules): Signer {
  const entity = entityOf(candidate, allowed, sigstore);
  const key = candidate.certificate === undefined || candidate.isLegacy ? allowed.keys.find((each) => isSignedBy(each.key, candidate.signed, entity.signature.signature)) : undefined;
  if (key !== undefined) return byKey(candidate, entity, key, allowed, sigstore);
  if (candidate.certificate === undefined) throw noKey(candidate, allowed);
  if (allowed.identities.length === 0) throw new Refused("wrong-identity", "is made with a certificate, and only keys are allowed to sign", "add its issuer and identity to `keyless`, or sign with an allowed key");
  return byCertificate(candidate, candidate.certificate, entity, allowed, sigstore);
}

function noKey({ hint }: Candidate, { keys }: Allowed): Refused {
  if (keys.length === 0) return new Refused("wrong-identity", "is made with a key, and only certificates are allowed to sign", "add the key to `keys`, or sign with an allowed identity");
  const ours = keys.some(({ sha256 }) => Buffer.from(sha256, "hex").toString("base64") === hint);
  if (hint === undefined || hint === "" || ours) return new Refused("invalid", "fits none of the allowed keys: it was made with another one, or changed", "add the key to `keys`, or sign the image again");
  return new Refused("wrong-identity", `fits none of the allowed keys; it says of itself that the digest of its key is \`${shown(hint)}\``, "add the key to `keys`, or sign with an allowed one");
}

function byKey(candidate: Candidate, entity: SignedEntity, { key, sha256 }: AllowedKey, allowed: Allowed, sigstore: SigstoreModules): Signer {
  const content = contentOf(candidate, entity, key);
  const options = { tlogThreshold: allowed.logs.key, ctlogThreshold: 0, timestampThreshold: 0 };
  const attempt = (timestamps: SignedEntity["timestamps"]): readonly Date[] => {
    const tried: SignedEntity = { ...entity, timestamps, key: { $case: "public-key", hint: "" }, signature: content };
    run(candidate, tried, allowed, options, sigstore, key);
    return timesOf(tried);
  };
  // A key needs no time: a stamp of somebody whom the root does not name says nothing, and does no harm.
  const isKnown = allowed.root.timestampAuthorities.length > 0;
  const times = attempt(isKnown ? entity.timestamps : entity.timestamps.filter(({ $case }) => $case === "transparency-log"));
  checkEntries(entity, times, key, undefined, allowed);
  return { key: sha256, ...witnesses(entity, times, allowed) };
}

function byCertificate(candidate: Candidate, certificate: NonNullable<Candidate["certificate"]>, entity: SignedEntity, allowed: Allowed, sigstore: SigstoreModules): Signer {
  checkUsage(certificate);
  const tried: SignedEntity = { ...entity, signature: contentOf(candidate, entity) };
  const options = { tlogThreshold: allowed.logs.certificate, ctlogThreshold: allowed.root.ctlogs.length === 0 ? 0 : 1, timestampThreshold: 1 };
  const { key, identity } = run(candidate, tried, allowed, options, sigstore);
  const times = timesOf(tried);
  checkEntries(entity, times, key, certificate, allowed);
  const signer = { ...identityOf(certificate, identity), ...witnesses(entity, times, allowed) };
  if (!isAllowed(signer, allowed.identities)) {
    throw new Refused("wrong-identity", `is valid, and by \`${shown(signer.identity)}\` of \`${shown(signer.issuer)}\`, who is not allowed to sign`, "add issuer and identity to `keyless`, or sign with an allowed identity", signer);
  }
  return signer;
}

/** The library's own verification; what it throws is put in words. */
function run(candidate: Candidate, entity: SignedEntity, { root }: Allowed, options: object, sigstore: SigstoreModules, key?: KeyObject): LibrarySigner {
  try {
    const publicKey = (): { publicKey: KeyObject; validFor: () => boolean } => {
      if (key === undefined) throw new Refused("invalid", "names no key", SIGN_AGAIN);
      return { publicKey: key, validFor: () => true };
    };
    return new sigstore.verify.Verifier({ ...root, publicKey }, options).verify(entity);
  } catch (error) {
    const { certificate } = candidate;
    throw explain(error, { certificate, times: timesOf(entity), root, isSigned: () => certificate !== undefined && entity.signature.verifySignature(certificate.publicKey) }, sigstore);
  }
}

/** Entries of logs that the root does not name are nobody's word, and left out: they can neither help nor harm. */
function entityOf(candidate: Candidate, { root }: Allowed, sigstore: SigstoreModules): SignedEntity {
  let entity: SignedEntity;
  try {
    const bundle = sigstore.bundle.bundleFromJSON(candidate.document);
    entity = sigstore.verify.toSignedEntity(bundle, candidate.payload);
  } catch (error) {
    throw explain(error, { certificate: undefined, times: [], root, isSigned: () => false }, sigstore);
  }
  const isKnown = (entry: SignedEntity["tlogEntries"][number]): boolean => logsOf(entry, root).length > 0;
  const tlogEntries = entity.tlogEntries.filter(isKnown);
  tlogEntries.forEach(checkEntryForm);
  return { ...entity, tlogEntries, timestamps: entity.timestamps.filter((stamp) => stamp.$case === "timestamp-authority" || isKnown(stamp.tlogEntry)) };
}

/** What is signed, for the library: it takes SHA-256 for every key of an envelope. `fits` is a key of which it is known already. */
function contentOf({ payload, signed }: Candidate, { signature: { signature } }: SignedEntity, fits?: KeyObject): SignatureContent {
  const isDigestOf = (bytes: Buffer, digest: Buffer, names: readonly string[]): boolean => names.some((name) => hash(name, bytes, "buffer").equals(digest));
  return {
    signature,
    compareSignature: (other) => signature.equals(other),
    compareDigest: (digest) => isDigestOf(payload, digest, ["sha256"]),
    compareSignedDigest: (digest) => isDigestOf(signed, digest, ["sha256", "sha384", "sha512"]),
    verifySignature: (key) => key === fits || isSignedBy(key, signed, signature),
  };
}

/** The times that stamps and promises of logs tell; the library has verified each, or thrown. */
function timesOf({ timestamps }: SignedEntity): readonly Date[] {
  return timestamps.flatMap((stamp) => {
    if (stamp.$case === "timestamp-authority") return [stamp.timestamp.signingTime];
    return stamp.tlogEntry.inclusionPromise === undefined ? [] : [new Date(Number(stamp.tlogEntry.integratedTime) * 1000)];
  });
}

function checkEntries({ tlogEntries }: SignedEntity, times: readonly Date[], key: KeyObject, certificate: Candidate["certificate"], { root }: Allowed): void {
  for (const entry of tlogEntries) {
    checkEntryKey(entry, key, certificate);
    checkEntryTimes(entry, times, root);
  }
}

/** The earliest time, and the first log. */
function witnesses({ tlogEntries }: SignedEntity, times: readonly Date[], { root }: Allowed): Pick<Signer, "time" | "log"> {
  const [entry] = tlogEntries;
  const log = entry === undefined ? undefined : logsOf(entry, root)[0]?.baseURL;
  const time = times.length === 0 ? undefined : new Date(Math.min(...times.map(Number))).toISOString();
  return { ...(time === undefined ? {} : { time }), ...(log === undefined ? {} : { log }) };
}
