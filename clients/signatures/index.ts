import type { SignatureVerifier } from "#engine";

/**
 * Opens the verifier of a run.
 *
 * 1. Asks nothing of the network, and no clock what time it is: a signature is valid at the time that somebody of the trusted root vouches for, or not at all.
 * 2. An artifact is judged once for an image and a policy, however many clusters ask.
 * 3. Never throws for what a registry holds, nor for what a policy holds: with a policy that cannot be used everything is `unknown`, and the reason names it.
 *
 * A keyed signature costs about 0.1 ms, one by a certificate 5 to 15 ms; others get their turn every 5 ms. What it takes is loaded with the first.
 */
export function openSignatures(): SignatureVerifier {
  let made: Promise<SignatureVerifier> | undefined;
  const opened = (): Promise<SignatureVerifier> => (made ??= Promise.all([import("./verifier.ts"), import("./sigstore.ts")]).then(async ([{ makeVerifier }, { sigstore }]) => makeVerifier(await sigstore())));
  return { verify: async (material, policy) => (await opened()).verify(material, policy) };
}
