import type { SignatureMaterial } from "#engine";
import { foreignText } from "#values";
import { get, type Candidate } from "./candidate.ts";
import { Refused, SIGN_AGAIN, shown } from "./refused.ts";
import { parseStrictJson } from "../documents/strict-json.ts";

/** What a signature says, once it is known that it says it of this image. */
export interface Claim {
  readonly on: "index" | "manifest";
  /** Of a statement that is no signature: its type. */
  readonly predicateType?: string | undefined;
}

const SIGN = "https://sigstore.dev/cosign/sign/v1";
const STATEMENTS = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
const SIMPLE_SIGNING = "cosign container image signature";
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MOST_SUBJECTS = 1_000;

/**
 * Binds a payload to the image: the library looks at none of this.
 *
 * 1. The payload names the digest of the manifest, or of the index that the reference names; else it signs another image.
 * 2. A signature is a statement `sign/v1` in a bundle, or a simple signing payload. All other statements are attestations, whoever made them.
 *
 * Throws Refused.
 */
export function claimOf({ payload, says, isLegacy }: Candidate, material: SignatureMaterial): Claim {
  let document: unknown;
  try {
    document = parseStrictJson(payload);
  } catch (error) {
    throw new Refused("invalid", `cannot be read: what it signs ${error instanceof Error ? error.message : "is no JSON"}`, SIGN_AGAIN);
  }
  return says === "simple signing" ? ofSimpleSigning(document, material) : ofStatement(document, material, isLegacy);
}

function ofSimpleSigning(document: unknown, material: SignatureMaterial): Claim {
  const critical = get(document, "critical");
  if (get(critical, "type") !== SIMPLE_SIGNING) throw new Refused("invalid", "signs a payload of another type than Cosign's", SIGN_AGAIN);
  get(critical, "identity");
  const digest = get(get(critical, "image"), "docker-manifest-digest");
  return { on: subject([typeof digest === "string" ? digest : ""], material) };
}

function ofStatement(document: unknown, material: SignatureMaterial, isLegacy: boolean): Claim {
  const [type, predicateType, subjects] = [get(document, "_type"), get(document, "predicateType"), get(document, "subject")];
  if (typeof type !== "string" || !STATEMENTS.includes(type)) throw new Refused("invalid", "signs a statement of a type that is not known", SIGN_AGAIN);
  if (typeof predicateType !== "string" || predicateType === "") throw new Refused("invalid", "signs a statement without `predicateType`", SIGN_AGAIN);
  if (!Array.isArray(subjects) || subjects.length === 0) throw new Refused("invalid", "signs a statement about nothing", SIGN_AGAIN);
  if (subjects.length > MOST_SUBJECTS) throw new Refused("invalid", `signs a statement about ${subjects.length} things, and at most ${MOST_SUBJECTS} are read`, SIGN_AGAIN);
  const on = subject(subjects.map((item: unknown) => `sha256:${foreignText(get(get(item, "digest"), "sha256"))}`), material);
  return predicateType === SIGN && !isLegacy ? { on } : { on, predicateType: shown(predicateType) };
}

function subject(digests: readonly string[], { manifestDigest, indexDigest }: SignatureMaterial): Claim["on"] {
  if (digests.includes(manifestDigest)) return "manifest";
  if (indexDigest !== undefined && digests.includes(indexDigest)) return "index";
  const other = digests.find((digest) => DIGEST.test(digest));
  throw new Refused("invalid", other === undefined ? "names no digest of an image" : `is one of another image, \`${other.slice(0, 19)}…\`: somebody put it here`, "find out who can push to this repository, delete this signature, and sign the image itself");
}
