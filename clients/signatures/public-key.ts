import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";

/** SHA-256 over the SPKI form of a key, hex: how keys are told apart. */
export function keyDigest(key: KeyObject): string {
  return createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("hex");
}

/** What of a key can be used; undefined: its kind or size cannot. */
export function isUsable(key: KeyObject): boolean {
  if (key.asymmetricKeyType === "rsa") return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  return digestsOf(key).length > 0;
}

/** One public key in PEM, and nothing beside it; undefined where the text is anything else. Throws what the platform throws for a broken key. */
export function publicKeyOf(pem: string): KeyObject | undefined {
  return /^\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*$/.test(pem) ? createPublicKey(pem.trim()) : undefined;
}

/** Does the key sign these bytes? With the digest that goes with its curve, or SHA-256, which older tools took for every curve. */
export function isSignedBy(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  return digestsOf(key).some((digest) => {
    try {
      return verify(digest, signed, key, signature);
    } catch {
      // OpenSSL throws for some signatures that are not even well formed.
      return false;
    }
  });
}

const digests = new WeakMap<KeyObject, readonly (string | null)[]>();

function digestsOf(key: KeyObject): readonly (string | null)[] {
  const known = digests.get(key) ?? digestsFor(key);
  digests.set(key, known);
  return known;
}

function digestsFor(key: KeyObject): readonly (string | null)[] {
  if (key.asymmetricKeyType === "ed25519") return [null];
  if (key.asymmetricKeyType === "rsa") return ["sha256"];
  if (key.asymmetricKeyType !== "ec") return [];
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case "prime256v1":
      return ["sha256"];
    case "secp384r1":
      return ["sha384", "sha256"];
    case "secp521r1":
      return ["sha512", "sha256"];
    default:
      return [];
  }
}
