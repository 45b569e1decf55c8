import type { Location, ReportingDescriptor, Result as SarifResult, Run } from "sarif";
import type { Evidence, Position, Report } from "#engine";
import { bounded } from "./bounded.ts";
import { isOpen, itemsOf, type Item } from "./items.ts";
import { count } from "./layout.ts";
import { defineReporter, type RenderOptions } from "./reporter.ts";

/**
 * What GitHub's code scanning takes of one run: it keeps 5,000 results and refuses files of more than 10 MB, packed. Unpacked text of
 * that size is never larger when it is packed.
 */
const LIMITS = { results: 5_000, bytes: 9_500_000, message: 4_000, related: 20, rules: 25_000 };

export default defineReporter({
  name: "sarif",
  summary: "SARIF 2.1.0, for code scanning",
  render(report: Report, options: RenderOptions): string {
    const all = itemsOf(report).filter((item) => item.outcome !== "info");
    const rules = [...new Set(report.results.map(({ kind }) => kind))].toSorted().slice(0, LIMITS.rules);
    const { texts, left } = resultsWithin(all, new Map(rules.map((rule, index) => [rule, index])));
    const run = JSON.stringify(runOf(report, rules, left, options));
    // results go in as text, so that each is written once
    return `{"$schema":"${SCHEMA}","version":"2.1.0","runs":[${run.slice(0, -1)},"results":[${texts.join(",\n")}]}]}\n`;
  },
});

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** The worst results that fit, as text, and the number of those that do not. */
function resultsWithin(items: readonly Item[], rules: ReadonlyMap<string, number>): { readonly texts: readonly string[]; readonly left: number } {
  const texts: string[] = [];
  let bytes = 0;
  for (const item of items.slice(0, LIMITS.results)) {
    const text = JSON.stringify(resultOf(item, rules));
    bytes += Buffer.byteLength(text);
    if (bytes > LIMITS.bytes) break;
    texts.push(text);
  }
  return { texts, left: items.length - texts.length };
}

function runOf(report: Report, rules: readonly string[], left: number, { exitCode, version }: RenderOptions): Omit<Run, "results"> {
  const cut = `${count(left, "more result")} left out: code scanning takes ${count(LIMITS.results, "result")} and 10 MB of a run; the other formats have all of them`;
  return {
    tool: { driver: { name: "cloud-assert", ...(version === undefined ? {} : { version, semanticVersion: version }), rules: rules.map(ruleOf) } },
    automationDetails: { id: "cloud-assert/" },
    columnKind: "utf16CodeUnits",
    invocations: [
      {
        executionSuccessful: true,
        exitCode,
        toolExecutionNotifications: [...report.notes.map((note) => bounded(note, LIMITS.message)), ...(left === 0 ? [] : [cut])].map((text) => ({ level: "note", message: { text: unlinked(text) } })),
      },
    ],
    properties: { verdict: report.verdict, summary: report.summary, resultsLeftOut: left },
  };
}

function ruleOf(kind: string): ReportingDescriptor {
  const name = bounded(kind, 200);
  return {
    id: name,
    name,
    shortDescription: { text: `assertions of kind ${name}` },
    help: { text: `assert explain ${name}`, markdown: `\`assert explain ${name.replaceAll("`", "")}\`` },
    defaultConfiguration: { level: "error" },
    properties: { tags: ["kubernetes", "consistency"] },
  };
}

const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

function resultOf(item: Item, rules: ReadonlyMap<string, number>): SarifResult {
  const { result, outcome, subject, fingerprint, waived, evidence } = item;
  const ruleIndex = rules.get(result.kind);
  const inFiles = evidence.filter(({ source }) => source.file !== undefined);
  const assertion = locationOf(result.at);
  const [primary = assertion, ...others] = inFiles.map(evidenceLocation);
  const related = [...others, ...(primary === assertion ? [] : [{ ...assertion, message: { text: "the assertion" } }])].slice(0, LIMITS.related);
  return {
    ruleId: bounded(result.kind, 200),
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level: waived ? "note" : outcome === "fault" ? LEVELS[result.severity] : result.severity === "error" ? "warning" : "note",
    message: { text: unlinked(messageOf(item)) },
    locations: [primary],
    ...(related.length === 0 ? {} : { relatedLocations: related.map((location, index) => ({ ...location, id: index + 1 })) }),
    partialFingerprints: { "cloudAssert/v1": fingerprint, primaryLocationLineHash: `${fingerprint}:1` },
    ...(waived === undefined ? {} : { suppressions: [{ kind: "external", status: "accepted", justification: bounded(`${waived.owner}: ${waived.reason}`, LIMITS.message) }] }),
    properties: { assertion: bounded(result.assertion, 300), subject: bounded(subject, 300), outcome, severity: result.severity, open: isOpen(item) },
  };
}

function messageOf({ result, outcome, subject, message, remedy, evidence }: Item): string {
  const what = outcome === "gap" ? `not seen: ${bounded(subject, 300)}: ` : outcome === "undecided" ? "undecided: " : "";
  const cited = evidence.slice(0, 6).map(({ cluster, label, value }) => `\n${bounded(cluster, 100)} ${bounded(label, 100)}: ${bounded(value, 300)}`);
  const more = evidence.length > cited.length ? `\n… and ${evidence.length - cited.length} more pieces of evidence` : "";
  return `${bounded(result.assertion, 300)}: ${what}${bounded(message, LIMITS.message)}\nhelp: ${bounded(remedy, 1_000)}${cited.join("")}${more}`;
}

/** Messages may hold links, `[text](target)`; text from a cluster may not. */
function unlinked(text: string): string {
  return text.includes("](") ? text.replaceAll("](", "] (") : text;
}

function evidenceLocation({ cluster, label, value, source }: Evidence): Location {
  const location = locationOf({ file: source.file ?? "", line: source.line ?? 1, column: 1 });
  return { ...location, message: { text: unlinked(`${bounded(cluster, 100)} ${bounded(label, 100)}: ${bounded(value, 300)}`) } };
}

function locationOf({ file, line, column }: Position): Location {
  return { physicalLocation: { artifactLocation: artifactOf(file), region: { startLine: Math.max(line, 1), startColumn: Math.max(column, 1) } } };
}

type Artifact = { readonly uri: string; readonly uriBaseId?: string };

/** Many findings lie in few files. */
const artifacts = new Map<string, Artifact>();
const MOST_ARTIFACTS = 1_000;

function artifactOf(file: string): Artifact {
  const known = artifacts.get(file);
  if (known !== undefined) return known;
  const made = artifactNamed(file);
  if (artifacts.size < MOST_ARTIFACTS && file.length <= 1_000) artifacts.set(file, made);
  return made;
}

/** A path as a URI: relative ones start at the root of the sources. */
function artifactNamed(file: string): Artifact {
  const path = file.slice(0, 1_000).toWellFormed().replaceAll("\\", "/");
  const uri = path.split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? { uri: `file://${uri}` } : { uri: uri === "" ? "." : uri, uriBaseId: "%SRCROOT%" };
}
