import { createPublicKey, type X509Certificate } from "node:crypto";
import type { Root } from "./trusted-root.ts";
import type { SigstoreModules } from "./sigstore.ts";
import { Refused, SIGN_AGAIN } from "./refused.ts";

/** What was being verified when the library refused. */
export interface Attempt {
  readonly certificate: X509Certificate | undefined;
  /** As time stamps and logs say it. */
  readonly times: readonly Date[];
  readonly root: Pick<Root, "certificateAuthorities">;
  /** The signature itself fits its key. */
  readonly isSigned: () => boolean;
}

/** Why the library refused, in words. Whatever it throws is a refusal: hostile bytes make it throw errors of every kind. */
export function explain(error: unknown, attempt: Attempt, { verify }: SigstoreModules): Refused {
  if (error instanceof Refused) return error;
  const message = error instanceof Error ? error.message : "";
  if (!(error instanceof verify.VerificationError)) {
    if (message === "invalid time") return new Refused("unknown", "carries a time stamp whose fraction of a second this release cannot read", "sign with an authority that writes whole seconds");
    return new Refused("invalid", "cannot be read", SIGN_AGAIN);
  }
  switch (error.code) {
    case "TIMESTAMP_ERROR":
      return message.startsWith("expected")
        ? new Refused("invalid", "says not when it was made, in a way that somebody of the trusted root vouches for: its certificate may have ended before", "sign with a time stamp authority, or with a log that gives a time")
        : new Refused("invalid", "carries a time stamp that no authority of the trusted root made for it", "add the authority to the trusted root, or sign the image again");
    case "CERTIFICATE_ERROR":
      return ofCertificate(message, attempt);
    case "TLOG_ERROR":
      return message.startsWith("expected")
        ? new Refused("invalid", "has no entry in a transparency log of the trusted root", "sign with the log, or say `log: false` where signatures are not logged")
        : new Refused("invalid", "names the same entry of a log twice", SIGN_AGAIN);
    case "TLOG_BODY_ERROR":
      return message.startsWith("unsupported")
        ? new Refused("unknown", "has an entry in a log of a kind that this release does not read", "sign the image again with `cosign sign`")
        : new Refused("invalid", "has an entry in a log that is about another signature", SIGN_AGAIN);
    case "TLOG_INCLUSION_PROOF_ERROR":
    case "TLOG_INCLUSION_PROMISE_ERROR":
    case "TLOG_MISSING_INCLUSION_ERROR":
      return new Refused("invalid", "has an entry that no log of the trusted root vouches for", "check the log in the trusted root, or sign the image again");
    case "SIGNATURE_ERROR":
      return new Refused("invalid", "does not fit what it signs, or was made with another key", SIGN_AGAIN);
    case "PUBLIC_KEY_ERROR":
      return new Refused("invalid", "is made with a key that cannot be used", SIGN_AGAIN);
    default:
      return new Refused("invalid", "cannot be verified", SIGN_AGAIN);
  }
}

function ofCertificate(message: string, { certificate, times, root, isSigned }: Attempt): Refused {
  if (message.startsWith("expected")) return new Refused("invalid", "is made with a certificate that no log of certificates has seen", "sign with an authority that logs its certificates, or name none in the trusted root");
  if (message.includes("SCT")) return new Refused("invalid", "is made with a certificate whose place in a log of certificates no log of the trusted root vouches for", "add that log to the trusted root");
  const stranger = new Refused("invalid", "is made with a certificate that no authority of the trusted root has issued", "add the authority to the trusted root, or sign with one that it names");
  if (certificate === undefined || !isSigned()) return stranger;
  const issuers = root.certificateAuthorities.filter(({ certChain }) => certChain.some((issuer) => isIssuedBy(certificate, issuer.publicKey)));
  if (issuers.length === 0) return stranger;
  const [from, to] = [certificate.validFromDate, certificate.validToDate];
  const outside = times.find((time) => time < from || time > to);
  if (outside !== undefined) {
    return new Refused("expired", `was made at ${outside.toISOString()}, and its certificate was valid from ${from.toISOString()} to ${to.toISOString()}`, "sign the image again");
  }
  const late = times.find((time) => !issuers.some(({ validFor }) => validFor.start <= time && time <= validFor.end));
  if (late !== undefined) return new Refused("expired", `was made at ${late.toISOString()}, when the trusted root did not count the authority of its certificate`, "check `validFor` of the authority in the trusted root, or sign the image again");
  return stranger;
}

function isIssuedBy(certificate: X509Certificate, spki: Buffer): boolean {
  try {
    return certificate.verify(createPublicKey({ key: spki, format: "der", type: "spki" }));
  } catch {
    return false;
  }
}
