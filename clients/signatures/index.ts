import type { SignatureVerifier } from "#engine";

/** Opens the verifier of a run. */
export function openSignatures(): SignatureVerifier {
  return {
    verify: () =>
      Promise.resolve({ verdict: "unknown", found: [], reason: "this release does not verify signatures yet", remedy: "leave `signature` out of the assertion" }),
  };
}
