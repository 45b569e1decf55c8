import { resolve } from "node:path";
import type { Baseline, KnownFinding, Position, UserError, Waiver } from "#engine";
import { foreignText } from "#values";
import type { Document } from "../../clients/documents/index.ts";
import { InvalidDocumentError, InvalidFieldError } from "./errors.ts";
import { checkOwn, throwAll } from "./own.ts";
import { readDocuments } from "./read.ts";
import type { LoadOptions } from "./trust.ts";

const EXAMPLE = "{ apiVersion: cloud-assert/v1, kind: Waivers, spec: { waivers: [] } }";

/** A document of kind `Waivers` after its schema has let it through. */
interface WaiversDocument {
  readonly spec: { readonly waivers: readonly Omit<Waiver, "at">[] };
}

/**
 * Reads a file of waivers (`path` as the user wrote it, relative to `cwd`). Every mistake is found in one go, with its place:
 * a date that no calendar has, two waivers for one thing.
 */
export async function loadWaivers(path: string, options: LoadOptions): Promise<readonly Waiver[]> {
  const documents = await readDocuments({ path: resolve(options.cwd, path), shown: path }, options);
  const problems: UserError[] = [];
  const waivers: Waiver[] = [];
  for (const document of documents) {
    const wrong = kindProblem(document) ?? (await checkOwn("waivers", document.value, document));
    problems.push(...wrong);
    if (wrong.length > 0) continue;
    const { spec } = document.value as WaiversDocument;
    for (const [index, waiver] of spec.waivers.entries()) {
      const place = (field?: string) => document.positionOf(["spec", "waivers", index, ...(field === undefined ? [] : [field])]);
      problems.push(...dateProblem(waiver.expires, place("expires")), ...twiceProblem(waiver, waivers, place()));
      waivers.push({ ...waiver, at: place() });
    }
  }
  throwAll(problems);
  return waivers;
}

/** Reads what {@link baselineText} wrote. */
export async function loadBaseline(path: string, options: LoadOptions): Promise<Baseline> {
  const [document, second] = await readDocuments({ path: resolve(options.cwd, path), shown: path }, options);
  if (document === undefined || second !== undefined) {
    throw new InvalidDocumentError(`\`${path}\` holds ${document === undefined ? "nothing" : "several documents"}, and no baseline`, {
      at: second?.at ?? { file: path, line: 1, column: 1 },
      remedy: "write it with `--write-baseline FILE`; it is not edited by hand",
    });
  }
  throwAll(await checkOwn("baseline", document.value, document));
  const { findings } = document.value as { readonly findings: readonly KnownFinding[] };
  return { file: path, findings };
}

/** The file form: one line a finding, so that a review shows what came and went. */
export function baselineText(findings: readonly KnownFinding[]): string {
  const lines = findings.map(({ assertion, subject, fingerprint, outcome }) => `    ${JSON.stringify({ assertion, subject, fingerprint, outcome })}`);
  const list = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n  ]`;
  return `{\n  "schema": "cloud-assert/baseline/v1",\n  "findings": ${list}\n}\n`;
}

function kindProblem(document: Document): readonly UserError[] | undefined {
  const value = Object(document.value) as { readonly kind?: unknown };
  if (value.kind === "Waivers") return undefined;
  const seen = value.kind === undefined ? "has no `kind`" : `is of kind \`${foreignText(value.kind).slice(0, 80)}\``;
  return [new InvalidDocumentError(`the document ${seen}; a file of waivers holds documents of kind \`Waivers\``, { at: document.positionOf(["kind"]), remedy: `write for example \`${EXAMPLE}\`` })];
}

/** The schema knows the form; only the calendar knows whether there is such a day. */
function dateProblem(expires: string, at: Position): readonly UserError[] {
  const time = Date.parse(`${expires}T00:00:00Z`);
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(expires)) return [];
  return [new InvalidFieldError(`\`expires\` is \`${expires}\`, and there is no such day`, { at, remedy: "write for example `expires: 2027-01-31`" })];
}

function twiceProblem(waiver: Omit<Waiver, "at">, before: readonly Waiver[], at: Position): readonly UserError[] {
  const same = before.find(({ assertion, fingerprint, subject }) => assertion === waiver.assertion && fingerprint === waiver.fingerprint && subject === waiver.subject);
  if (same?.at === undefined) return [];
  const thing = waiver.subject ?? waiver.fingerprint ?? "";
  return [
    new InvalidFieldError(`two waivers accept \`${thing}\` in \`${waiver.assertion}\``, {
      at,
      remedy: `keep one of them; the first is at ${same.at.file}:${same.at.line}:${same.at.column}`,
    }),
  ];
}
