import { hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { byText, canonical, type SignatureArtifact, type SignatureMaterial, type SignaturePolicy, type SignatureVerifier } from "#engine";
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

/** Then others get their turn: what waits are sockets, and signals that end everything. */
const LONGEST_TURN_MS = 5;

/** See `openSignatures`; its libraries are here. */
export function makeVerifier(libraries: SigstoreModules): SignatureVerifier {
  const policies = new Map<string, Promise<Allowed>>();
  const known = new Map<string, Judged>();
  let turn = performance.now();
  const names = new WeakMap<SignaturePolicy, string>();
  return {
    async verify(material, policy) {
      const name = names.get(policy) ?? hash("sha256", canonical(policy));
      names.set(policy, name);
      let allowed: Allowed;
      try {
        allowed = await remember(policies, name, MOST_POLICIES, () => readPolicy(policy, libraries));
      } catch (error) {
        if (!(error instanceof PolicyFault)) throw error;
        return { verdict: "unknown", found: [], reason: error.reason, remedy: error.remedy };
      }
      const judged: Judged[] = [];
      const artifacts = unique(material.artifacts);
      for (const [index, [identity, artifact]] of artifacts.entries()) {
        if (judged.length >= MOST_AFTER_VALID && judged.some(isValid)) return summed(judged, artifacts.length - index, material, allowed);
        judged.push(remember(known, keyOf(identity, material, name), MOST_KEPT, () => judge(artifact, material, allowed, libraries)));
        if (performance.now() - turn > LONGEST_TURN_MS) {
          await setImmediate();
          turn = performance.now();
        }
      }
      return summed(judged, 0, material, allowed);
    },
  };
}

function isValid({ signature: { verdict, predicateType } }: Judged): boolean {
  return verdict === "valid" && predicateType === undefined;
}

/** A copy of an artifact, say at two tags, is one artifact. */
function unique(artifacts: readonly SignatureArtifact[]): readonly (readonly [identity: string, artifact: SignatureArtifact])[] {
  return [...new Map(artifacts.map((artifact) => [identityOf(artifact), artifact]))];
}

function identityOf({ on, form, digest, mediaType, annotations, bytes }: SignatureArtifact): string {
  const about = JSON.stringify([on, form, digest, mediaType, Object.entries(annotations).sort(([left], [right]) => byText(left, right))]);
  return hash("sha256", `${about} ${hash("sha256", bytes)}`);
}

/** Whatever a verdict on an artifact depends on; nothing of it is a name that somebody may move. */
function keyOf(identity: string, { manifestDigest, indexDigest }: SignatureMaterial, policy: string): string {
  return `${identity} ${manifestDigest} ${indexDigest ?? ""} ${policy}`;
}

function remember<T>(kept: Map<string, T>, key: string, most: number, make: () => T): T {
  const before = kept.get(key);
  if (before !== undefined) return before;
  if (kept.size >= most) kept.clear();
  const value = make();
  kept.set(key, value);
  return value;
}
