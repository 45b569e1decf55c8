import { canonical, info, type Finding, type SignaturePolicy, type SpecFault } from "#engine";
import { identityFaults, identityPatternRisk } from "#values";
import type { HalProfile } from "./profile.ts";

type Module = NonNullable<HalProfile["modules"]>[number];
export type Signer = NonNullable<Module["signer"]>;

/** Whom a profile allows to sign, in the words of a request; `undefined` asks for no signature. */
export function policyOf(signer: Signer | undefined): SignaturePolicy | undefined {
  if (signer === undefined) return undefined;
  const { issuer, identity, identityPattern, keys, trustedRoot, log, repository } = signer;
  const keyless = issuer === undefined ? undefined : [{ issuer, identity, identityPattern }];
  return JSON.parse(canonical({ keyless, keys, trustedRoot, log, repository })) as SignaturePolicy;
}

/** `release@acme.example`, `one of 2 keys`. */
export function signerText({ identity, identityPattern, keys = [] }: Signer): string {
  const names = [identity ?? identityPattern, keys.length === 0 ? undefined : keys.length === 1 ? `the key ${fileOf(keys[0])}` : `one of ${keys.length} keys`];
  return names.filter((name) => name !== undefined).join(" or ");
}

/** Before the loader has read it, a file is its path. */
function fileOf(key: unknown): string {
  return typeof key === "string" ? key : typeof key === "object" && key !== null && "path" in key && typeof key.path === "string" ? key.path : "";
}

/** Signers that name nobody, or in two ways at once. */
export function* faultsOfSigner({ issuer, identity, identityPattern, keys }: Signer): Iterable<SpecFault> {
  if (issuer === undefined && keys === undefined) yield { path: [], message: "`signer` names nobody who may sign", remedy: "add `issuer` with `identity` or `identityPattern`, or `keys: [FILE]`" };
  if (issuer === undefined && (identity ?? identityPattern) !== undefined) yield { path: [], message: "`signer` has an identity and no issuer that vouches for it", remedy: "add `issuer`, the address of whoever issues the identity" };
  if (issuer !== undefined) yield* identityFaults({ identity, identityPattern });
}

/** Patterns that let more sign than one would think. */
export function* risksOf(modules: readonly Module[]): Iterable<Finding> {
  for (const identityPattern of new Set(modules.flatMap(({ signer }) => signer?.identityPattern ?? []))) {
    const risky = identityPatternRisk(identityPattern);
    if (risky !== undefined) yield info({ subject: identityPattern, cause: "wide pattern", message: `the pattern \`${identityPattern}\` ${risky.risk}`, remedy: risky.remedy, evidence: [] });
  }
}
