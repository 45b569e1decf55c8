import { byText, type SignatureMaterial, type WasmSignature, type WasmSignatures } from "#engine";
import type { Judged } from "./judge.ts";
import type { Allowed } from "./policy.ts";

/** Signatures and attestations that a result lists; of the others it says how many there are. */
const MOST_LISTED = 20;
const ORDER: readonly WasmSignature["verdict"][] = ["valid", "wrong-identity", "unknown", "expired", "invalid"];

/**
 * What all artifacts of an image come to.
 *
 * 1. One valid signature suffices. An attestation is none.
 * 2. Where none is valid, and something could not be read or is of a form that is not known, the verdict is `unknown`: it could be the valid one.
 * 3. `unsigned` is said only where all was read and nothing signs.
 */
export function summed(judged: readonly Judged[], unseen: number, material: SignatureMaterial, { rootSha256 }: Allowed): WasmSignatures {
  const ordered = [...judged].sort(byWeight);
  const signatures = ordered.filter(({ signature }) => signature.predicateType === undefined);
  const attestations = ordered.filter(({ signature }) => signature.predicateType !== undefined).map(({ signature }) => signature);
  const unlisted = unseen + Math.max(0, signatures.length - MOST_LISTED) + Math.max(0, attestations.length - MOST_LISTED);
  return {
    ...verdictOf(signatures, attestations.length, material),
    found: signatures.slice(0, MOST_LISTED).map(({ signature }) => signature),
    ...(attestations.length === 0 ? {} : { attestations: attestations.slice(0, MOST_LISTED) }),
    ...(unlisted === 0 ? {} : { unlisted }),
    ...(rootSha256 === undefined ? {} : { trustedRoot: rootSha256 }),
  };
}

function verdictOf(signatures: readonly Judged[], attestations: number, { unread }: SignatureMaterial): Pick<WasmSignatures, "verdict" | "reason" | "remedy"> {
  const [first] = signatures;
  if (first?.signature.verdict === "valid") return { verdict: "valid" };
  const [missing] = unread;
  if (missing !== undefined) {
    const more = unread.length === 1 ? "" : ` (and ${unread.length - 1} more that could not be read)`;
    return { verdict: "unknown", reason: `what may sign the image could not all be read: ${missing.reason}${more}`, remedy: missing.remedy };
  }
  if (first === undefined) {
    const statements = attestations === 0 ? "" : `; ${attestations} attestation${attestations === 1 ? " is" : "s are"} there, which ${attestations === 1 ? "is no signature" : "are no signatures"}`;
    return { verdict: "unsigned", reason: `no signature was found${statements}`, remedy: "sign the image by its digest with `cosign sign`, or give the `repository` that holds its signatures" };
  }
  const unclear = signatures.find(({ signature }) => signature.verdict === "unknown") ?? first;
  const more = signatures.length === 1 ? "" : `, and none of the other ${signatures.length - 1} counts`;
  return { verdict: unclear.signature.verdict, reason: `the signature ${unclear.signature.reason ?? ""}${more}`, remedy: unclear.remedy ?? "" };
}

function byWeight({ signature: left }: Judged, { signature: right }: Judged): number {
  return ORDER.indexOf(left.verdict) - ORDER.indexOf(right.verdict) || byText(sortKey(left), sortKey(right));
}

function sortKey({ on, form, digest, issuer, identity, key, time, reason }: WasmSignature): string {
  return [on, form, issuer, identity, key, time, digest, reason].join("\n");
}
