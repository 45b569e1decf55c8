import type { X509Certificate } from "node:crypto";
import type { CertificateIdentity } from "./sigstore.ts";
import { Refused, SIGN_AGAIN } from "./refused.ts";

/** Who a certificate says has signed. */
export interface Identity {
  readonly issuer: string;
  readonly identity: string;
}

const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
/** Both go into reports. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,2048}$/u;
const ISSUER_V1 = "1.3.6.1.4.1.57264.1.1";
const ISSUER_V2 = "1.3.6.1.4.1.57264.1.8";

/** Is the certificate one that may sign code, and no authority? The library does not look. Throws Refused. */
export function checkUsage(certificate: X509Certificate): void {
  if (certificate.ca) throw new Refused("invalid", "is made with the certificate of an authority, which signs certificates only", SIGN_AGAIN);
  // Node calls the extended usages so.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages?.includes(CODE_SIGNING) !== true) throw new Refused("invalid", "is made with a certificate that is not for signing code", "have the certificate issued for code signing");
}

/**
 * Who signed. A certificate that the library has verified names exactly one identity, and one issuer: in the old form, the new one, or the same in both.
 * More than one would be read differently by different readers. Throws Refused.
 */
export function identityOf(certificate: X509Certificate, verified: CertificateIdentity | undefined): Identity {
  const identity = nameOf(certificate.subjectAltName);
  if (verified?.subjectAlternativeName !== identity) throw new Refused("invalid", "names its signer in a way that two readers read differently", SIGN_AGAIN);
  const [issuer, other] = new Set([...extension(verified, ISSUER_V2, utf8String), ...extension(verified, ISSUER_V1, (value) => value.toString("utf8"))]);
  if (issuer === undefined || issuer === "") throw new Refused("invalid", "is made with a certificate that does not say who vouches for the identity: it has no issuer", "sign with a certificate of Fulcio");
  if (other !== undefined) throw new Refused("invalid", "is made with a certificate that names two issuers", SIGN_AGAIN);
  if (!PRINTABLE.test(issuer) || !PRINTABLE.test(identity)) throw new Refused("invalid", "is made with a certificate whose identity or issuer cannot be shown: it is too long, or holds more than printable text", SIGN_AGAIN);
  return { issuer, identity };
}

/** Node writes `URI:…` or `email:…`, and quotes what could be mistaken for another name. */
function nameOf(names: string | undefined): string {
  const [, plain, quoted] = /^(?:URI|email):(?:([^",]+)|("(?:[^"\\]|\\.)*"))$/.exec(names ?? "") ?? [];
  if (plain !== undefined) return plain;
  if (quoted !== undefined) return String(JSON.parse(quoted));
  if (names?.startsWith("othername:") === true && !names.includes(",")) throw new Refused("unknown", "names its signer in a form that this release does not read", "sign with an identity that is an address or an e-mail address");
  throw new Refused("invalid", names === undefined ? "is made with a certificate that names nobody" : "is made with a certificate that does not name exactly one address or e-mail address", SIGN_AGAIN);
}

function* extension(verified: CertificateIdentity | undefined, oid: string, read: (value: Buffer) => string): Generator<string> {
  for (const { oid: found, value } of verified?.oids ?? []) if (found?.id.join(".") === oid) yield read(Buffer.from(value));
}

/** A UTF8String in DER: `0c`, its length, its bytes. */
function utf8String(der: Buffer): string {
  const [tag, first = 0, second = 0] = der;
  const header = first < 0x80 ? 2 : first === 0x81 ? 3 : 4;
  const length = first < 0x80 ? first : first === 0x81 ? second : first === 0x82 ? der.readUInt16BE(2) : -1;
  if (tag !== 0x0c || length !== der.length - header) throw new Refused("invalid", "is made with a certificate whose issuer cannot be read", SIGN_AGAIN);
  return der.subarray(header).toString("utf8");
}
