import type { SignatureArtifact, SignatureMaterial, WasmAttestation } from "#engine";
import { readCandidate } from "./candidate.ts";
import { claimOf, type Claim } from "./claim.ts";
import type { Allowed } from "./policy.ts";
import { Refused, SIGN_AGAIN } from "./refused.ts";
import type { SigstoreModules } from "./sigstore.ts";
import { verified } from "./verified.ts";

/** What became of one artifact. */
export interface Judged {
  /** With a `predicateType`: an attestation. */
  readonly signature: WasmAttestation;
  /** Left out: it is valid. */
  readonly remedy?: string | undefined;
}

/** Judges one artifact. Never throws for what it holds: whatever cannot be verified, for whatever reason, is refused. */
export function judge(artifact: SignatureArtifact, material: SignatureMaterial, allowed: Allowed, sigstore: SigstoreModules): Judged {
  const from = { form: artifact.form, digest: artifact.digest };
  let claim: Claim = { on: artifact.on };
  try {
    const candidate = readCandidate(artifact);
    claim = claimOf(candidate, material);
    return { signature: { verdict: "valid", ...claim, ...from, ...verified(candidate, allowed, sigstore) } };
  } catch (error) {
    // Deep nesting, say, ends a parser of the library with a RangeError.
    const { verdict, signer, reason, remedy } = error instanceof Refused ? error : new Refused("invalid", "cannot be read", SIGN_AGAIN);
    return { signature: { verdict, ...claim, ...from, ...signer, reason }, remedy };
  }
}
