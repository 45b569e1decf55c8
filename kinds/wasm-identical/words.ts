import { cite, type Evidence, type SignatureVerdict, type WasmImage } from "#engine";
import type { Row } from "./rows.ts";

/** A digest as people compare it. */
export function short(digest: string): string {
  return digest.startsWith("sha256:") ? `sha256:${digest.slice(7, 19)}` : digest.slice(0, 12);
}

export function clustersText(clusters: readonly string[]): string {
  const names = clusters.map((cluster) => `\`${cluster}\``);
  return names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

export function count(number: number, noun: string): string {
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}

/** Where the bytes come from, as the declaration has it. */
function declaredText({ fact: { data: { code } } }: Row): string {
  switch (code.source) {
    case "oci":
    case "http":
      return `${code.reference}${code.sha256 === undefined ? "" : ` (sha256 ${short(code.sha256)})`}`;
    case "file":
      return `file ${code.path}`;
    case "inline":
      return `${code.size} bytes in the object`;
    case "native":
      return `native ${code.name}`;
    case "unknown":
      return "a form that cannot be read";
    default:
      return code satisfies never;
  }
}

/** One line for one module in one cluster: declared reference, digests, interface, language, who signed. */
function rowText(row: Row): string {
  const { topDigest, manifestDigest, module, signatures } = row.image?.data ?? {};
  const parts = [
    declaredText(row),
    ...(topDigest === undefined || topDigest === manifestDigest ? [] : [`index ${short(topDigest)}`]),
    ...(manifestDigest === undefined ? [] : [`manifest ${short(manifestDigest)}`]),
    row.bytes.known ? `wasm ${short(row.bytes.sha256)}` : "wasm not read",
    ...(row.running === undefined ? [] : [runningText(row)]),
    ...(module === undefined ? [] : [runtimeText(module)]),
    ...(signatures === undefined ? [] : [signedText(signatures)]),
  ];
  return parts.join("; ");
}

/** The same in a few words, for a table: which bytes, what runs, who signed. */
export function briefly(row: Row): string {
  const { signatures } = row.image?.data ?? {};
  const parts = [row.bytes.known ? short(row.bytes.sha256) : "not read", ...(row.running === undefined ? [] : [runningText(row)]), ...(signatures === undefined ? [] : [signerText(signatures)])];
  return parts.join("; ");
}

function signerText(signatures: NonNullable<WasmImage["signatures"]>): string {
  const { verdict, found: [first] } = signatures;
  if (first?.identity === undefined) return signedText(signatures);
  const who = shortIdentity(first.identity);
  return verdict === "valid" ? `signed by ${who}` : `${verdictText(verdict)}: ${who}`;
}

/** A workflow of GitHub as people call it: repository, file, branch or tag. Other identities stay as they are. */
function shortIdentity(identity: string): string {
  const [, repository, file, ref] = /^https:\/\/github\.com\/([^/]+\/[^/]+)\/\.github\/workflows\/([^@]+)@refs\/(?:heads|tags)\/(.+)$/.exec(identity) ?? [];
  return repository === undefined ? identity : `${repository} ${file ?? ""}@${ref ?? ""}`;
}

function runtimeText({ abi, model, language, precompiled }: NonNullable<WasmImage["module"]>): string {
  const kind = model === "component" ? "a component" : abi === undefined ? "no proxy-wasm" : `proxy-wasm ${abi}`;
  return `${kind}${precompiled === true ? ", with machine code" : ""}${language === undefined ? "" : `, claims ${language}`}`;
}

function runningText({ running }: Row): string {
  const states = running?.states.map(({ data: { state, proxies } }) => `${state.state}${state.state === "loaded" ? ` ${state.checksum.slice(0, 12)}` : ""} in ${count(proxies, "proxy")}`) ?? [];
  return states.length === 0 ? "loaded by no proxy" : states.join(", ");
}

/** Verdict of the signatures, with who signed. */
export function signedText({ verdict, found }: NonNullable<WasmImage["signatures"]>): string {
  const [first] = found;
  if (verdict !== "valid" || first === undefined) return verdictText(verdict);
  const who = first.identity === undefined ? `key ${short(first.key ?? "")}` : `${first.identity} (${first.issuer ?? ""})`;
  return `signed by ${who}${first.on === "index" ? ", on the index" : ""}`;
}

function verdictText(verdict: SignatureVerdict): string {
  return verdict.replace("-", " ");
}

/** A row as evidence. */
export function citeRow(row: Row): Evidence {
  return cite(row.fact, "module", rowText(row));
}
