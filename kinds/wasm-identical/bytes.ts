import { byText, fault, gap, info, undecided, type Finding, type Judgement } from "#engine";
import type { Module, Row } from "./rows.ts";
import { citeRow, clustersText, short, signedText } from "./words.ts";

interface Camp {
  readonly sha256: string;
  readonly clusters: readonly string[];
}

/** Who has which bytes, the most first; `isMajority`: more have the first ones than any other. */
function campsOf(rows: readonly Row[]): { readonly camps: readonly Camp[]; readonly isMajority: boolean } {
  const camps = [...Map.groupBy(rows.filter(({ bytes }) => bytes.known), ({ bytes }) => (bytes.known ? bytes.sha256 : ""))].map(([sha256, members]) => ({ sha256, clusters: members.map(({ cluster }) => cluster) }));
  const sorted = camps.toSorted((a, b) => b.clusters.length - a.clusters.length || byText(a.clusters[0] ?? "", b.clusters[0] ?? ""));
  return { camps: sorted, isMajority: (sorted[0]?.clusters.length ?? 0) > (sorted[1]?.clusters.length ?? 0) };
}

/** Clusters whose bytes are not those that most have; all of them where no bytes are. */
export function oddOnes({ rows }: Module): readonly string[] {
  const { camps, isMajority } = campsOf(rows);
  return camps.length < 2 ? [] : camps.slice(isMajority ? 1 : 0).flatMap(({ clusters }) => clusters);
}

/** Other bytes somewhere. The image, its tag and its wrapping do not matter. */
export function differ({ name, rows }: Module): Finding | undefined {
  const { camps, isMajority } = campsOf(rows);
  if (camps.length < 2) return undefined;
  const told = camps.map(({ sha256, clusters }, index) => `${short(sha256)} in ${clustersText(clusters)}${index === 0 && isMajority ? " (the majority)" : ""}`);
  const others = camps.slice(1).flatMap(({ clusters }) => clusters).toSorted(byText);
  return fault({
    subject: name,
    cause: `bytes ${camps.map(({ clusters }) => clusters.join(",")).join(" ")}`,
    message: `\`${name}\` is ${declared(rows)}${camps.length} different modules: ${told.join("; ")}`,
    remedy: repair(rows, isMajority ? (camps[0]?.clusters ?? []) : [], others),
    evidence: rows.map(citeRow),
  });
}

/** What proxies were not asked about is declared, and may not be what runs. */
function declared(rows: readonly Row[]): string {
  return rows.every(({ running }) => running !== undefined) ? "" : "declared as ";
}

function repair(rows: readonly Row[], majority: readonly string[], others: readonly string[]): string {
  if (majority.length === 0) return "decide which module is right, and name it by digest in all clusters";
  const isPushed = rows.every(({ fact: { data: { code } } }) => code.source === "oci");
  if (!isPushed) return `bring the module of ${clustersText(others)} in line with that of ${clustersText(majority)}`;
  return `push the module of ${clustersText(majority)} to the registry of ${clustersText(others)}, and name it by digest in all of them`;
}

/** Where all is the same: one line that says what runs where. Undefined where something was not read. */
export function same({ name, rows }: Module): Finding | undefined {
  const [first] = rows;
  if (first === undefined || !first.bytes.known || rows.some(({ bytes }) => !bytes.known)) return undefined;
  return info({
    subject: name,
    cause: "same",
    message: `\`${name}\` is ${declared(rows)}${short(first.bytes.sha256)} in ${clustersText(rows.map(({ cluster }) => cluster))}${wrappings(rows)}${signers(rows)}`,
    remedy: "nothing to do",
    evidence: rows.map(citeRow),
  });
}

/** What could not be compared, with the reason. */
export function* unread({ name, rows }: Module): Iterable<Judgement> {
  for (const row of rows) yield* unknown(name, row);
}

function* unknown(name: string, row: Row): Iterable<Judgement> {
  const { bytes, cluster } = row;
  if (bytes.known || bytes.why === "told") return;
  if (bytes.why === "unread") {
    yield gap({ kind: "wasm-images", cluster, subject: `${cluster}/${name}`, reason: `the bytes of \`${name}\` were not read: ${bytes.reason}`, remedy: bytes.remedy });
    return;
  }
  yield undecided({ subject: name, cause: `unobservable in ${cluster}`, message: `the bytes of \`${name}\` in \`${cluster}\` cannot be compared: ${bytes.reason}`, remedy: bytes.remedy, evidence: [citeRow(row)] });
}

/** The same bytes in several images is no fault, and worth a word: a signature is on the image. */
function wrappings(rows: readonly Row[]): string {
  const images = Map.groupBy(rows, ({ image }) => image?.data.manifestDigest ?? "");
  if (images.size < 2) return "";
  const told = [...images].map(([digest, members]) => `${digest === "" ? "no image" : short(digest)} in ${clustersText(members.map(({ cluster }) => cluster))}`).toSorted(byText);
  return `; wrapped in ${images.size} ways: ${told.join(", ")}`;
}

function signers(rows: readonly Row[]): string {
  const texts = Map.groupBy(rows, ({ image }) => (image?.data.signatures === undefined ? "" : signedText(image.data.signatures)));
  if (texts.size === 1) return [...texts.keys()].map((text) => (text === "" ? "" : `; ${text}`)).join("");
  return `; ${[...texts].map(([text, members]) => `${text === "" ? "not asked" : text} in ${clustersText(members.map(({ cluster }) => cluster))}`).toSorted(byText).join(", ")}`;
}

