import { createHash, hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { byText, canonical, type SignatureArtifact, type SignatureMaterial, type SignatureVerifier } from "#engine";
import { judge, type Judged } from "./judge.ts";
import { readPolicy, type Allowed } from "./policy.ts";
import { PolicyFault } from "./refused.ts";
import type { SigstoreModules } from "./sigstore.ts";
import { summed } from "./summed.ts";

/** Results of artifacts that are kept. */
const MOST_KEPT = 10_000;
const MOST_POLICIES = 100;
/** Signatures that are still looked at, for the list, once one is valid. */
const MOST_AFTER_VALID = 20;

/** See `openSignatures`; its libraries are here. */
export function makeVerifier(libraries: SigstoreModules): SignatureVerifier {
  const policies = new Map<string, Promise<Allowed>>();
  const known = new Map<string, Judged>();
  return {
    async verify(material, policy) {
      const name = hash("sha256", canonical(policy));
      let allowed: Allowed;
      try {
        allowed = await remember(policies, name, MOST_POLICIES, () => readPolicy(policy, libraries));
      } catch (error) {
        if (!(error instanceof PolicyFault)) throw error;
        return { verdict: "unknown", found: [], reason: error.reason, remedy: error.remedy };
      }
      const judged: Judged[] = [];
      const artifacts = unique(material.artifacts);
      for (const [index, artifact] of artifacts.entries()) {
        if (judged.length >= MOST_AFTER_VALID && judged.some(isValid)) return summed(judged, artifacts.length - index, material, allowed);
        judged.push(remember(known, keyOf(artifact, material, name), MOST_KEPT, () => judge(artifact, material, allowed, libraries)));
        await setImmediate();
      }
      return summed(judged, 0, material, allowed);
    },
  };
}

function isValid({ signature: { verdict, predicateType } }: Judged): boolean {
  return verdict === "valid" && predicateType === undefined;
}

/** A copy of an artifact, say at two tags, is one artifact. */
function unique(artifacts: readonly SignatureArtifact[]): readonly SignatureArtifact[] {
  return [...new Map(artifacts.map((artifact) => [identityOf(artifact), artifact])).values()];
}

function identityOf({ on, form, digest, mediaType, annotations, bytes }: SignatureArtifact): string {
  return createHash("sha256").update(JSON.stringify([on, form, digest, mediaType, Object.entries(annotations).sort(([left], [right]) => byText(left, right))])).update("\0").update(bytes).digest("hex");
}

/** Whatever a verdict on an artifact depends on; nothing of it is a name that somebody may move. */
function keyOf(artifact: SignatureArtifact, { manifestDigest, indexDigest }: SignatureMaterial, policy: string): string {
  return [identityOf(artifact), manifestDigest, indexDigest ?? "", policy].join(" ");
}

function remember<T>(kept: Map<string, T>, key: string, most: number, make: () => T): T {
  const before = kept.get(key);
  if (before !== undefined) return before;
  if (kept.size >= most) kept.clear();
  const value = make();
  kept.set(key, value);
  return value;
}
