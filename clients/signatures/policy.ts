import type { KeyObject } from "node:crypto";
import type { JsonObject, SignaturePolicy } from "#engine";
import { identityPatternFault, matchesIdentity } from "#values";
import type { Identity } from "./certificate.ts";
import { isUsable, keyDigest, publicKeyOf } from "./public-key.ts";
import { PolicyFault, shown } from "./refused.ts";
import type { SigstoreModules } from "./sigstore.ts";
import { NO_ROOT, readTrustedRoot, type Root } from "./trusted-root.ts";

/** A key that may sign. */
export interface AllowedKey {
  readonly key: KeyObject;
  /** SHA-256 of its SPKI, hex. */
  readonly sha256: string;
}

/** Who may sign, ready for use. */
export interface Allowed {
  readonly keys: readonly AllowedKey[];
  readonly identities: readonly AllowedIdentity[];
  readonly root: Omit<Root, "sha256">;
  /** Left out: no root is used. */
  readonly rootSha256?: string | undefined;
  /** How many entries in a log a signature needs: by a certificate, by a key. */
  readonly logs: { readonly certificate: 0 | 1; readonly key: 0 | 1 };
}

export interface AllowedIdentity {
  readonly issuer: string;
  /** As the user wrote it. */
  readonly text: string;
  readonly fits: (identity: string) => boolean;
}

/**
 * Reads what a user allows. Nobody who may sign, a pattern that is none, a key or a root that cannot be used: each throws PolicyFault, and nothing is
 * judged. What the root does not name (a log, a log of certificates) is not asked for; a time that somebody vouches for always is, of certificates.
 */
export async function readPolicy(policy: SignaturePolicy, sigstore: SigstoreModules): Promise<Allowed> {
  const keys = (policy.keys ?? []).map(keyOf);
  const identities = (policy.keyless ?? []).map(identityOf);
  if (keys.length + identities.length === 0) throw new PolicyFault("`signature` names nobody who may sign", "give `keyless` with issuer and identity, or `keys`");
  const isLogged = policy.log === true;
  if (identities.length === 0 && policy.trustedRoot === undefined && !isLogged) return { keys, identities, root: NO_ROOT, logs: { certificate: 0, key: 0 } };
  const root = await rootOf(policy.trustedRoot, sigstore);
  if (identities.length > 0 && root.certificateAuthorities.length === 0) throw new PolicyFault("the trusted root names no authority for certificates, and `keyless` needs one", "add it with `cosign trusted-root create --fulcio`");
  if (isLogged && root.tlogs.length === 0) throw new PolicyFault("the trusted root names no transparency log, and `log: true` needs one", "add it with `cosign trusted-root create --rekor`, or leave `log` out");
  const certificate = policy.log === false || root.tlogs.length === 0 ? 0 : 1;
  return { keys, identities, root, rootSha256: root.sha256, logs: { certificate, key: isLogged ? 1 : 0 } };
}

/** Is the signer one of those that may sign? */
export function isAllowed({ issuer, identity }: Identity, identities: readonly AllowedIdentity[]): boolean {
  return identities.some((allowed) => allowed.issuer === issuer && allowed.fits(identity));
}

async function rootOf(given: JsonObject | undefined, sigstore: SigstoreModules): Promise<Root> {
  if (given !== undefined) return readTrustedRoot(text(given, "path"), text(given, "content"), sigstore);
  const { default: root } = await import("./public-good-root.json", { with: { type: "json" } });
  return readTrustedRoot("of this release", root.text, sigstore);
}

function keyOf(file: JsonObject): AllowedKey {
  const [path, content] = [shown(text(file, "path")), text(file, "content")];
  const remedy = "write the public key with `cosign public-key --key …`: a text that begins with `-----BEGIN PUBLIC KEY-----`";
  if (content.includes("PRIVATE KEY-----")) throw new PolicyFault(`\`${path}\` holds a private key`, `keep it away from here, and ${remedy}`);
  let key: KeyObject | undefined;
  try {
    key = publicKeyOf(content);
  } catch {
    throw new PolicyFault(`the key in \`${path}\` cannot be read`, remedy);
  }
  if (key === undefined) throw new PolicyFault(`\`${path}\` holds no public key in PEM, or more than one`, remedy);
  if (!isUsable(key)) throw new PolicyFault(`the key in \`${path}\` is of a kind that cannot be used`, "use ECDSA (P-256, P-384, P-521), Ed25519, or RSA with 2048 bits or more");
  return { key, sha256: keyDigest(key) };
}

function identityOf(allowed: JsonObject): AllowedIdentity {
  const [issuer, identity, pattern] = [allowed["issuer"], allowed["identity"], allowed["identityPattern"]];
  const remedy = "give `issuer`, and one of `identity` and `identityPattern`";
  if (typeof issuer !== "string" || issuer === "") throw new PolicyFault("`keyless` names an identity without an issuer: whoever vouches for it would count", remedy);
  if ((identity === undefined) === (pattern === undefined)) throw new PolicyFault("`keyless` needs one of `identity` and `identityPattern`", remedy);
  if (typeof identity === "string" && identity !== "") return { issuer, text: identity, fits: (name) => name === identity };
  if (typeof pattern !== "string") throw new PolicyFault("`identity` is empty", remedy);
  const fault = identityPatternFault(pattern);
  if (fault !== undefined) throw new PolicyFault(`the pattern \`${shown(pattern)}\` ${fault}`, "correct `identityPattern`, or write the whole `identity`");
  return { issuer, text: pattern, fits: (name) => matchesIdentity(pattern, name) };
}

function text(file: JsonObject, name: string): string {
  const value = file[name];
  return typeof value === "string" ? value : "";
}
