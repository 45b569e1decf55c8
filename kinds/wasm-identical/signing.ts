import { byText, fault, gap, info, type Judgement, type SignatureVerdict } from "#engine";
import type { Module, Row } from "./rows.ts";
import { citeRow, clustersText, short } from "./words.ts";

const MOST_LISTED = 5;

interface Verdict {
  readonly verdict: SignatureVerdict;
  readonly reason: string;
  readonly remedy: string;
}

/** One finding for each verdict that is no pass. What could not be asked for is a gap: never unsigned, never signed. */
export function* faultsOfSignatures(module: Module, isRequired: boolean): Iterable<Judgement> {
  const { name, rows } = module;
  const verdicts = rows.flatMap((row) => {
    const verdict = verdictOf(row);
    return verdict === undefined ? [] : [{ row, ...verdict }];
  });
  for (const { row, reason, remedy } of verdicts.filter(({ verdict }) => verdict === "unknown")) {
    yield gap({ kind: "wasm-images", cluster: row.cluster, subject: `${row.cluster}/${name} signatures`, reason: `whether \`${name}\` is signed was not read: ${reason}`, remedy });
  }
  const groups = Map.groupBy(verdicts.filter(({ verdict }) => verdict !== "unknown"), ({ verdict, reason }) => `${verdict}\0${reason}`);
  for (const [, group] of [...groups].toSorted(([a], [b]) => byText(a, b))) {
    const [first] = group;
    if (first === undefined) continue;
    const clusters = group.map(({ row }) => row.cluster);
    yield (isRequired ? fault : info)({
      subject: name,
      cause: `${first.verdict} ${clusters.join(" ")}`,
      message: `\`${name}\` in ${clustersText(clusters)} ${WORDS[first.verdict]}: ${first.reason}`,
      remedy: first.remedy,
      evidence: group.flatMap(({ row }) => [citeRow(row), ...listed(row)]),
    });
  }
}

const WORDS: Readonly<Record<SignatureVerdict, string>> = {
  valid: "is signed",
  unsigned: "is not signed",
  "wrong-identity": "is signed by somebody who may not",
  invalid: "has a signature that is not valid",
  expired: "has a signature that has expired",
  unknown: "may be signed",
};

/** Undefined: valid, or told elsewhere. */
function verdictOf({ fact: { data: { code } }, image, bytes }: Row): Verdict | undefined {
  if (code.source === "inline") return { verdict: "unsigned", reason: "its bytes stand in the object, where no signature is looked for", remedy: "push it to a registry, and sign it there" };
  if (code.source === "http") return { verdict: "unsigned", reason: "it comes from an address, where no signature is looked for", remedy: "push it to a registry, and sign it there" };
  if (code.source === "file") return { verdict: "unsigned", reason: "it is a file in the proxy, where no signature is looked for", remedy: "push it to a registry, and sign it there" };
  if (code.source !== "oci" || image?.data.manifestDigest === undefined) return undefined;
  const { signatures, manifestDigest } = image.data;
  // Bytes that were not read are a gap already.
  if (signatures === undefined) return bytes.known ? { verdict: "unknown", reason: "nobody asked", remedy: "look again" } : undefined;
  if (signatures.verdict === "valid") return undefined;
  const first = signatures.found[0];
  const who = signatures.verdict === "wrong-identity" && first !== undefined ? `${first.identity ?? (first.key === undefined ? "" : `key ${short(first.key)}`)}${first.issuer === undefined ? "" : ` (${first.issuer})`}` : "";
  return {
    verdict: signatures.verdict,
    reason: who !== "" ? who : (signatures.reason ?? first?.reason ?? `nothing signs ${short(manifestDigest)}`),
    remedy: signatures.remedy ?? "sign the image of this digest as somebody whom the assertion allows, or allow whoever signed it",
  };
}

/** The other signatures, each with what is wrong with it. */
function listed({ fact, image }: Row) {
  const found = image?.data.signatures?.found ?? [];
  return found.slice(0, MOST_LISTED).map(({ verdict, identity, issuer, key, form, on, reason, time }) => ({
    cluster: fact.cluster,
    label: `signature (${form}, on the ${on})`,
    value: [verdict, identity ?? (key === undefined ? undefined : `key ${short(key)}`), issuer, time, reason].filter((part) => part !== undefined).join("; "),
    source: image?.source ?? fact.source,
  }));
}
