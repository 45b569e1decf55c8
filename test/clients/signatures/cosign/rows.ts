import type { SignatureVerdict } from "#engine";
import { ISSUER } from "../../../parts/sigstore.ts";

/** What our verifier may allow; files by the names that the ceremony gives them. */
export interface RowPolicy {
  readonly keyless?: readonly { readonly issuer: string; readonly identity?: string; readonly identityPattern?: string }[];
  readonly keys?: readonly string[];
  readonly trustedRoot?: string;
  readonly log?: boolean;
}

/** One question to `cosign verify` and to us. */
export interface Row {
  readonly claim: string;
  /** An image of the ceremony. */
  readonly image: string;
  /** Arguments of `cosign verify`; `@name` is a file of the ceremony. */
  readonly cosign: readonly string[];
  readonly policy: RowPolicy;
  /** What cosign must say. */
  readonly accepts: boolean;
  readonly verdict: SignatureVerdict;
  /** Text that our reason must hold. */
  readonly reason?: string;
  /** Where one refuses what the other accepts: why that is right. */
  readonly differs?: string;
}

export const RELEASE = "acme/mesh/.github/workflows/release.yml@refs/tags/v1.2.3";
export const BRANCH = "acme/mesh/.github/workflows/release.yml@refs/heads/feature-x";
const identity = (workflow: string): string => `https://github.com/${workflow}`;

const by = (workflow: string, issuer = ISSUER): readonly string[] => ["--certificate-oidc-issuer", issuer, "--certificate-identity", identity(workflow)];
const root = (name = "tr"): readonly string[] => ["--trusted-root", `@${name}.json`];
const noLog = "--insecure-ignore-tlog=true";
const key = (name = "first"): readonly string[] => ["--key", `@${name}.pub`];
const allow = (workflow: string, more: Omit<RowPolicy, "keyless" | "keys"> = {}, issuer = ISSUER): RowPolicy => ({ keyless: [{ issuer, identity: identity(workflow) }], trustedRoot: "tr.json", ...more });
const allowKey = (name = "first", more: RowPolicy = {}): RowPolicy => ({ keys: [`${name}.pub`], ...more });

/** By an authority of ours, which no log sees. */
const own = (name: string, issuer = ISSUER): Pick<Row, "cosign" | "policy"> => ({
  cosign: ["--certificate-oidc-issuer", issuer, "--certificate-identity", `https://acme.example/${name}`, ...root("tr-plain"), "--insecure-ignore-sct=true", noLog, "--use-signed-timestamps"],
  policy: { keyless: [{ issuer, identity: `https://acme.example/${name}` }], trustedRoot: "tr-plain.json" },
});

const keyless: readonly Row[] = [
  { claim: "a bundle by the allowed identity", image: "keyless", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: true, verdict: "valid" },
  { claim: "the same in a registry without the referrers API", image: "plain-keyless", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: true, verdict: "valid" },
  { claim: "another identity", image: "keyless", cosign: [...by(BRANCH), ...root()], policy: allow(BRANCH), accepts: false, verdict: "wrong-identity", reason: "release.yml@refs/tags/v1.2.3" },
  { claim: "an identity that the real one begins with", image: "keyless", cosign: [...by(RELEASE.slice(0, -2)), ...root()], policy: allow(RELEASE.slice(0, -2)), accepts: false, verdict: "wrong-identity" },
  { claim: "another issuer", image: "keyless", cosign: [...by(RELEASE, "https://accounts.example"), ...root()], policy: allow(RELEASE, {}, "https://accounts.example"), accepts: false, verdict: "wrong-identity", reason: ISSUER },
  {
    claim: "a pattern that fits", image: "keyless", cosign: ["--certificate-oidc-issuer", ISSUER, "--certificate-identity-regexp", "^https://github\\.com/acme/[^/]*/\\.github/workflows/release\\.yml@refs/tags/[^/]*$", ...root()],
    policy: { keyless: [{ issuer: ISSUER, identityPattern: "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*" }], trustedRoot: "tr.json" }, accepts: true, verdict: "valid",
  },
  {
    claim: "a pattern for tags, signed by a branch", image: "branch", cosign: ["--certificate-oidc-issuer", ISSUER, "--certificate-identity-regexp", "^https://github\\.com/acme/[^/]*/\\.github/workflows/release\\.yml@refs/tags/[^/]*$", ...root()],
    policy: { keyless: [{ issuer: ISSUER, identityPattern: "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*" }], trustedRoot: "tr.json" }, accepts: false, verdict: "wrong-identity", reason: "refs/heads/feature-x",
  },
  {
    claim: "a part of the identity: cosign searches, we do not", image: "keyless", cosign: ["--certificate-oidc-issuer", ISSUER, "--certificate-identity-regexp", "acme/mesh", ...root()],
    policy: { keyless: [{ issuer: ISSUER, identityPattern: "acme/mesh" }], trustedRoot: "tr.json" }, accepts: true, verdict: "wrong-identity", differs: "a pattern has both ends fixed",
  },
  { claim: "nothing allowed by certificate", image: "keyless", cosign: [...key(), ...root(), noLog], policy: allowKey("first", { trustedRoot: "tr.json" }), accepts: false, verdict: "wrong-identity", reason: "only keys" },
  { claim: "another authority in the root", image: "keyless", cosign: [...by(RELEASE), ...root("tr-other-ca")], policy: allow(RELEASE, { trustedRoot: "tr-other-ca.json" }), accepts: false, verdict: "invalid", reason: "no authority of the trusted root" },
  { claim: "another log in the root", image: "keyless", cosign: [...by(RELEASE), ...root("tr-other-log")], policy: allow(RELEASE, { trustedRoot: "tr-other-log.json" }), accepts: false, verdict: "invalid", reason: "transparency log" },
  { claim: "another time authority in the root", image: "keyless", cosign: [...by(RELEASE), ...root("tr-other-tsa")], policy: allow(RELEASE, { trustedRoot: "tr-other-tsa.json" }), accepts: false, verdict: "invalid", reason: "time stamp" },
  { claim: "another log of certificates in the root", image: "keyless", cosign: [...by(RELEASE), ...root("tr-other-ct")], policy: allow(RELEASE, { trustedRoot: "tr-other-ct.json" }), accepts: false, verdict: "invalid", reason: "log of certificates" },
  { claim: "an authority that the root did not count then", image: "keyless", cosign: [...by(RELEASE), ...root("tr-ended")], policy: allow(RELEASE, { trustedRoot: "tr-ended.json" }), accepts: false, verdict: "expired", reason: "did not count" },
  { claim: "a log that the root did not count then", image: "keyless", cosign: [...by(RELEASE), ...root("tr-log-ended")], policy: allow(RELEASE, { trustedRoot: "tr-log-ended.json" }), accepts: true, verdict: "expired", reason: "did not count its log", differs: "a log that was retired vouches for nothing that is made later" },
  { claim: "a log of certificates that the root did not count then", image: "keyless", cosign: [...by(RELEASE), ...root("tr-ct-ended")], policy: allow(RELEASE, { trustedRoot: "tr-ct-ended.json" }), accepts: false, verdict: "invalid", reason: "log of certificates" },
  { claim: "a time authority that the root did not count then", image: "keyless", cosign: [...by(RELEASE), ...root("tr-tsa-ended")], policy: allow(RELEASE, { trustedRoot: "tr-tsa-ended.json" }), accepts: false, verdict: "invalid", reason: "time stamp" },
  { claim: "no entry in a log", image: "no-log", cosign: [...by(RELEASE), ...root(), "--use-signed-timestamps"], policy: allow(RELEASE), accepts: false, verdict: "invalid", reason: "no entry in a transparency log" },
  { claim: "no entry in a log, and none wanted", image: "no-log", cosign: [...by(RELEASE), ...root(), "--use-signed-timestamps", noLog], policy: allow(RELEASE, { log: false }), accepts: true, verdict: "valid" },
  { claim: "an old signature with a time stamp", image: "old-keyless", cosign: [...by(RELEASE), ...root(), "--use-signed-timestamps", noLog], policy: allow(RELEASE, { log: false }), accepts: true, verdict: "valid" },
  { claim: "an old signature with a time stamp, and a log wanted", image: "old-keyless", cosign: [...by(RELEASE), ...root(), "--use-signed-timestamps"], policy: allow(RELEASE), accepts: false, verdict: "invalid", reason: "no entry" },
  { claim: "an old signature by another identity", image: "old-keyless", cosign: [...by(BRANCH), ...root(), "--use-signed-timestamps", noLog], policy: allow(BRANCH, { log: false }), accepts: false, verdict: "wrong-identity" },
];

const keyed: readonly Row[] = [
  { claim: "a bundle by the allowed key", image: "keyed", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "the same in a registry without the referrers API", image: "plain-keyed", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "another key", image: "keyed", cosign: [...key("second"), ...root("tr-empty"), noLog], policy: allowKey("second"), accepts: false, verdict: "wrong-identity", reason: "none of the allowed keys" },
  { claim: "a key, and no entry in a log where one is wanted", image: "keyed", cosign: [...key(), ...root()], policy: allowKey("first", { trustedRoot: "tr.json", log: true }), accepts: false, verdict: "invalid", reason: "no entry" },
  { claim: "a key, and an entry in a log where one is wanted", image: "keyed-log", cosign: [...key(), ...root()], policy: allowKey("first", { trustedRoot: "tr.json", log: true }), accepts: true, verdict: "valid" },
  { claim: "a key, and an entry in a log that nobody asks for", image: "keyed-log", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "a key, where only certificates may sign", image: "keyed", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: false, verdict: "wrong-identity", reason: "only certificates" },
  { claim: "an old signature by the allowed key", image: "old-keyed", cosign: [...key(), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "an old signature by another key", image: "old-keyed", cosign: [...key("second"), noLog], policy: allowKey("second"), accepts: false, verdict: "invalid", reason: "none of the allowed keys" },
  { claim: "an old signature by a key, and a log wanted", image: "old-keyed", cosign: [...key(), ...root()], policy: allowKey("first", { trustedRoot: "tr.json", log: true }), accepts: false, verdict: "invalid" },
  ...([["p384", ["--signature-digest-algorithm", "sha384"]], ["rsa", []]] as const).flatMap(([name, more]): readonly Row[] => [
    { claim: `a bundle by a key of kind ${name}`, image: `keyed-${name}`, cosign: [...key(name), ...more, ...root("tr-empty"), noLog], policy: allowKey(name), accepts: true, verdict: "valid" },
    { claim: `a bundle by a key of kind ${name}, logged`, image: `logged-${name}`, cosign: [...key(name), ...more, ...root()], policy: allowKey(name, { trustedRoot: "tr.json", log: true }), accepts: true, verdict: "valid" },
    { claim: `an old signature by a key of kind ${name}`, image: `old-${name}`, cosign: [...key(name), ...more, noLog], policy: allowKey(name), accepts: true, verdict: "valid" },
  ]),
];

const others: readonly Row[] = [
  { claim: "nothing", image: "unsigned", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: false, verdict: "unsigned" },
  { claim: "an attestation of the allowed key and no signature", image: "attested", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "unsigned", reason: "1 attestation", differs: "a statement of another type is no signature" },
  { claim: "an old attestation of the allowed key and no signature", image: "old-attested", cosign: [...key(), noLog], policy: allowKey(), accepts: false, verdict: "unsigned", reason: "1 attestation" },
  { claim: "a signature of another image beside this one", image: "replayed", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: false, verdict: "invalid", reason: "another image" },
  { claim: "an old signature of another image at the tag of this one", image: "old-replayed", cosign: [...key(), noLog], policy: allowKey(), accepts: false, verdict: "invalid", reason: "another image" },
  { claim: "a bundle whose statement was changed to name this image", image: "forged", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: false, verdict: "invalid", reason: "none of the allowed keys" },
  { claim: "an old payload that was changed to name this image", image: "old-forged", cosign: [...key(), noLog], policy: allowKey(), accepts: false, verdict: "invalid" },
  { claim: "a bundle by certificate whose statement was changed to name this image", image: "keyless-forged", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: false, verdict: "invalid" },
  { claim: "the certificate of somebody else in the bundle", image: "other-certificate", cosign: [...by(BRANCH), ...root()], policy: allow(BRANCH), accepts: false, verdict: "invalid" },
  { claim: "the time stamp of another signature", image: "other-time", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: false, verdict: "invalid", reason: "time stamp" },
  { claim: "the log entry of another signature", image: "other-entry", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: false, verdict: "invalid" },
  { claim: "no time stamp", image: "no-time", cosign: [...by(RELEASE), ...root()], policy: allow(RELEASE), accepts: false, verdict: "invalid", reason: "says not when" },
  { claim: "a bad signature beside a good one", image: "bad-and-good", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "an expired certificate at the time of the stamp", image: "expired", ...own("expired"), accepts: false, verdict: "expired", reason: "its certificate was valid from" },
  { claim: "a certificate of our own authority, without logs of any kind", image: "own", ...own("own"), accepts: true, verdict: "valid" },
  {
    claim: "a certificate that no log of certificates has seen, where the root names one", image: "own", cosign: [...own("own").cosign.filter((word) => !word.includes("ignore-sct") && word !== "@tr-plain.json" && word !== "--trusted-root"), ...root("tr-plain-ct")],
    policy: { ...own("own").policy, trustedRoot: "tr-plain-ct.json" }, accepts: false, verdict: "invalid", reason: "no log of certificates has seen",
  },
  { claim: "a certificate that is for servers", image: "server", ...own("server"), accepts: false, verdict: "invalid", reason: "not for signing code" },
  { claim: "two identities in one certificate, the second of them allowed", image: "two", ...own("two"), accepts: false, verdict: "invalid", reason: "exactly one" },
  { claim: "a certificate without an issuer", image: "no-issuer", ...own("none"), accepts: false, verdict: "invalid", reason: "no issuer" },
  { claim: "a certificate whose old and new issuer differ, the new one allowed", image: "two-issuers", ...own("both"), accepts: false, verdict: "invalid", reason: "two issuers" },
  { claim: "a certificate whose old and new issuer differ, the old one allowed", image: "two-issuers", ...own("both", "https://accounts.example"), accepts: true, verdict: "invalid", reason: "two issuers", differs: "cosign reads the old one, the library the new one" },
  { claim: "a signature on the index, which the reference names", image: "index", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: true, verdict: "valid" },
  { claim: "a signature on the manifest for the platform, where the reference names the index", image: "child", cosign: [...key(), ...root("tr-empty"), noLog], policy: allowKey(), accepts: false, verdict: "valid", differs: "the manifest is what runs; the report says that it carries the signature" },
];

export const ROWS: readonly Row[] = [...keyless, ...keyed, ...others];
