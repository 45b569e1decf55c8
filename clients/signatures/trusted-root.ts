import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import type { TrustedRoot } from "@sigstore/protobuf-specs";
import { foreignText } from "#values";
import type { CertAuthority, SigstoreModules, TLogAuthority } from "./sigstore.ts";
import { isUsable } from "./public-key.ts";
import { PolicyFault, shown } from "./refused.ts";
import { field, parseStrictJson, strictBase64 } from "../documents/strict-json.ts";

/** Whom a run believes: who may issue certificates, which logs exist, who tells the time. */
export interface Root {
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly certificateAuthorities: CertAuthority[];
  readonly timestampAuthorities: CertAuthority[];
  readonly tlogs: TLogAuthority[];
  readonly ctlogs: TLogAuthority[];
}

/** A root that names nobody: for keys alone. */
export const NO_ROOT: Omit<Root, "sha256"> = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

const MEDIA_TYPES = [
  "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];
const MOST_ENTRIES = 100;
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";

/**
 * Reads a `trusted_root.json`. The library takes what is missing as unlimited trust; here every authority and log must say since when it counts,
 * every certificate must be signed by the one after it up to a root that signs itself, and an authority for time must be one.
 * Throws PolicyFault, which names the file and the field.
 */
export function readTrustedRoot(path: string, content: string, { specs, verify }: SigstoreModules): Root {
  const fault = (reason: string, remedy = "write it with `cosign trusted-root create`, or leave `trustedRoot` out for the public-good root of this release"): PolicyFault =>
    new PolicyFault(`the trusted root \`${shown(path)}\` ${reason}`, remedy);
  const document = parsed(content, fault);
  const checked = new Checks(fault);
  checked.root(document);
  let root: TrustedRoot;
  try {
    root = specs.TrustedRoot.fromJSON(document);
    const { publicKey: _, ...authorities } = verify.toTrustMaterial(root, {});
    return { sha256: createHash("sha256").update(content).digest("hex"), ...authorities };
  } catch {
    throw fault("cannot be read by the verifier");
  }
}

function parsed(content: string, fault: (reason: string) => PolicyFault): unknown {
  try {
    return parseStrictJson(Buffer.from(content));
  } catch (error) {
    throw fault(error instanceof Error ? error.message : "is no JSON");
  }
}

/** Everything that must be said, said. */
class Checks {
  readonly #fault: (reason: string, remedy?: string) => PolicyFault;

  constructor(fault: (reason: string, remedy?: string) => PolicyFault) {
    this.#fault = fault;
  }

  root(document: unknown): void {
    const mediaType = field(document, "mediaType");
    if (typeof mediaType !== "string" || !MEDIA_TYPES.includes(mediaType)) throw this.#fault("is no trusted root: its `mediaType` is not one that is known");
    for (const [name, isTime] of [["certificateAuthorities", false], ["timestampAuthorities", true]] as const) {
      for (const [at, entry] of this.#list(document, name)) this.#authority(at, entry, isTime);
    }
    for (const [name, isCt] of [["tlogs", false], ["ctlogs", true]] as const) {
      const seen = new Set<string>();
      for (const [at, entry] of this.#list(document, name)) {
        const id = this.#log(at, entry, isCt);
        if (seen.has(id)) throw this.#fault(`names the same log twice, at \`${at}\``);
        seen.add(id);
      }
    }
  }

  *#list(document: unknown, name: string): Generator<readonly [at: string, entry: unknown]> {
    const list = field(document, name) ?? [];
    if (!Array.isArray(list)) throw this.#fault(`has \`${name}\` that is no list`);
    if (list.length > MOST_ENTRIES) throw this.#fault(`has ${list.length} entries in \`${name}\`, and at most ${MOST_ENTRIES} are read`);
    for (const [index, entry] of list.entries()) yield [`${name}[${index}]`, entry];
  }

  #log(at: string, entry: unknown, isCt: boolean): string {
    const key = field(entry, "publicKey");
    const bytes = this.#bytes(`${at}.publicKey.rawBytes`, field(key, "rawBytes"));
    this.#period(`${at}.publicKey.validFor`, field(key, "validFor"));
    const id = this.#bytes(`${at}.logId.keyId`, field(field(entry, "logId"), "keyId"));
    const url = field(entry, "baseUrl");
    if (typeof url !== "string" || url === "") throw this.#fault(`has no \`baseUrl\` at \`${at}\``);
    const isPkcs1 = ["PKCS1_RSA_PKCS1V5", "PKIX_RSA_PKCS1V5"].includes(foreignText(field(key, "keyDetails")));
    try {
      if (!isUsable(createPublicKey({ key: bytes, format: "der", type: isPkcs1 ? "pkcs1" : "spki" }))) throw new Error("not usable");
    } catch {
      throw this.#fault(`has a key at \`${at}\` that cannot be used`);
    }
    // RFC 6962: the id of a certificate log is the digest of its key. Logs of signatures may also go by the id of their checkpoints.
    if (isCt && !createHash("sha256").update(bytes).digest().equals(id)) throw this.#fault(`has a \`logId\` at \`${at}\` that is not the digest of its key`);
    return id.toString("hex");
  }

  #authority(at: string, entry: unknown, isTime: boolean): void {
    this.#period(`${at}.validFor`, field(entry, "validFor"));
    const list = field(field(entry, "certChain"), "certificates");
    if (!Array.isArray(list) || list.length === 0 || list.length > 10) throw this.#fault(`needs one to ten certificates at \`${at}.certChain.certificates\``);
    const chain = list.map((item: unknown, index) => this.#certificate(`${at}.certChain.certificates[${index}]`, item));
    for (const [index, certificate] of chain.entries()) {
      const issuer = chain[index + 1] ?? certificate;
      if (!isSigned(certificate, issuer)) {
        throw this.#fault(issuer === certificate ? `has a chain at \`${at}\` that ends before a root: its last certificate does not sign itself` : `has a chain at \`${at}\` in which certificate ${index} is not signed by the one after it`);
      }
      const isSigner = isTime && index === 0;
      if (certificate.ca === isSigner) throw this.#fault(`has a certificate at \`${at}.certChain.certificates[${index}]\` that is ${isSigner ? "an authority, and must be the one that signs times" : "no authority"}`);
    }
    const usages = chain[0]?.keyUsage;
    if (isTime && (chain.length < 2 || usages?.includes(TIME_STAMPING) !== true)) throw this.#fault(`has an authority for time at \`${at}\` whose first certificate is not for time stamps, or stands without its root`);
    if (!isTime && usages !== undefined && usages.length > 0 && !usages.includes(CODE_SIGNING)) throw this.#fault(`has an authority at \`${at}\` that may not sign certificates for code`);
  }

  #certificate(at: string, item: unknown): X509Certificate {
    try {
      return new X509Certificate(this.#bytes(`${at}.rawBytes`, field(item, "rawBytes")));
    } catch (error) {
      if (error instanceof PolicyFault) throw error;
      throw this.#fault(`has a certificate at \`${at}\` that cannot be read`);
    }
  }

  #bytes(at: string, text: unknown): Buffer {
    const bytes = strictBase64(text);
    if (bytes === undefined || bytes.length === 0) throw this.#fault(`has no base64 at \`${at}\``);
    return bytes;
  }

  #period(at: string, period: unknown): void {
    const [start, end] = [field(period, "start"), field(period, "end")];
    if (start === undefined) throw this.#fault(`does not say since when to believe: \`${at}.start\` is missing`, "give `start-time` to `cosign trusted-root create`");
    const [from, to] = [instant(start), end === undefined ? Infinity : instant(end)];
    if (from === undefined || to === undefined) throw this.#fault(`has a time at \`${at}\` that is none`);
    if (to < from) throw this.#fault(`ends before it starts at \`${at}\``);
  }
}

function isSigned(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** RFC 3339 in milliseconds. */
function instant(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
