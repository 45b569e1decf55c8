import type { WasmSignature } from "#engine";

/** Who signed, when, and where that is logged. */
export type Signer = Pick<WasmSignature, "issuer" | "identity" | "key" | "time" | "log">;

/** Why a signature does not count. Caught where one artifact is judged. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly verdict: Exclude<WasmSignature["verdict"], "valid">;
  readonly reason: string;
  readonly remedy: string;
  /** Who made it, where that was verified. */
  readonly signer: Signer;

  /** `reason` continues a sentence that begins with the signature: `names another image`. */
  constructor(verdict: Refused["verdict"], reason: string, remedy: string, signer: Signer = {}) {
    super(reason);
    this.verdict = verdict;
    this.signer = signer;
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** Something a user wrote (a key, a trusted root, an identity) that cannot be used: nothing can be judged with it. */
export class PolicyFault extends Error {
  override readonly name = "PolicyFault";
  readonly reason: string;
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** The way out of most refusals. */
export const SIGN_AGAIN = "sign the image again with `cosign sign`, and delete this signature";

/** Text of a stranger as part of a sentence: one line of printable characters without backticks, at most 200. */
export function shown(text: string): string {
  const clean = text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "?").replaceAll("`", "'");
  const characters = [...clean];
  return characters.length <= 200 ? clean : `${characters.slice(0, 199).join("")}…`;
}
