import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import type { AnyCollector, Cluster, Fact, FactKind, Gap, Kind, Result } from "#engine";
import { istioMap, istioMapEntriesOf } from "#values";
import { kebab } from "../../cli/discover.ts";
import { pluginIn, root, roomOf } from "./room.ts";
import { clusterOf, resultOf, type Seen } from "./world.ts";

interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly "x-document"?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

interface Example {
  readonly name: string;
  /** With documents of the kind in the place of their names. */
  readonly spec: unknown;
  readonly parts: { readonly allowEmpty?: boolean; readonly strict?: boolean };
  readonly seen: Seen;
  readonly expected: unknown;
}

/** What every assertion's spec may hold beside the kind's own fields. */
const COMMON = ["clusters", "allowEmpty", "strict"];
const VERDICTS = ["holds", "undecided", "violated"];
/** Written by `npm run generate`; a new folder has none before the first run. */
const GENERATED = "validate.generated.js";
const FILES = ["README.md", "examples", "kind.ts", "schema.json", "spec.ts"];
/** The schema of the documents that a kind owns, and its validator. */
const DOCUMENT = ["profile.json", "profile.generated.js"];
const HEADINGS = ["## What it claims", "## Why it matters", "## How to repair"];

/** What a folder must keep to be a kind; the README of the room says it in prose. */
export function describeKind(folder: string): void {
  const schema = json<SchemaNode>(folder, "schema.json");

  describe(`the kind in ${basename(folder)}`, async () => {
    const kind = await pluginIn<Kind<unknown, FactKind>>(folder, "kind.ts");
    const examples = VERDICTS.map((verdict) => readExample(folder, verdict, schema, kind));
    const judged = ({ spec, seen, parts }: Example, other: Partial<Seen> = {}) => resultOf(kind, spec, { ...seen, ...other }, parts);

    it("is called like its folder", () => {
      expect(kebab(kind.name)).toBe(basename(folder));
    });

    it("holds only what a kind is made of", () => {
      const entries = readdirSync(folder);
      expect(entries.filter((entry) => ![...FILES, ...DOCUMENT, GENERATED].includes(entry) && !/^[a-z0-9-]+\.ts$/.test(entry))).toEqual([]);
      expect(DOCUMENT.every((file) => entries.includes(file)), "a schema of documents, where the kind owns some").toBe(kind.documents !== undefined);
      expect(FILES.filter((file) => !entries.includes(file))).toEqual([]);
      expect(readdirSync(join(folder, "examples")).toSorted()).toEqual(VERDICTS);
    });

    it("has a summary that is one claim, and a README with the three headings", () => {
      expect(kind.summary).toMatch(/^[^A-Z\n][^\n]*[^.\n]$/);
      const headings = readFileSync(join(folder, "README.md"), "utf8").split("\n").filter((line) => line.startsWith("## "));
      expect(headings).toEqual(HEADINGS);
    });

    it("describes each field, gives it a default and shows an example", () => {
      expect(schema.additionalProperties).toBe(false);
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        expect([name, property.description], "description").toEqual([name, expect.stringMatching(/\S/)]);
        const isGiven = property.default !== undefined || (schema.required ?? []).includes(name);
        expect([name, isGiven || /\bleft out\b/i.test(property.description ?? "")], "default, or what it means to leave it out").toEqual([name, true]);
        expect([name, (property.examples ?? schema.examples ?? []).length > 0], "examples").toEqual([name, true]);
        expect(COMMON, "fields that every kind has").not.toContain(name);
      }
    });

    it("refuses a field that it does not know, and accepts its own examples", () => {
      const validate = validatorOf(schema);
      const whole = Object.entries((schema.examples?.[0] ?? {}));
      const required = Object.fromEntries(whole.filter(([name]) => schema.required?.includes(name)));
      expect(validate({ "no-such-field": 1 })).toBe(false);
      for (const example of schema.examples ?? []) expect([example, validate(structuredClone(example))]).toEqual([example, true]);
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        for (const example of property.examples ?? []) expect([name, example, validate({ ...required, [name]: example })]).toEqual([name, example, true]);
      }
    });

    it("asks only for facts that a collector provides", async () => {
      const collectors = await Promise.all(roomOf(join(root, "collectors")).folders.map((path) => pluginIn<AnyCollector>(path, "collector.ts")));
      const provided: readonly string[] = collectors.flatMap(({ provides }) => provides);
      for (const { spec } of examples) for (const { fact } of kind.needs(spec)) expect(provided).toContain(fact);
    });

    for (const example of examples) {
      it(`gives exactly what the example \`${example.name}\` expects`, () => {
        const result = judged(example);
        expect(result.verdict).toBe(example.name);
        expect(summaryOf(result)).toEqual(example.expected);
      });

      it(`says the same of \`${example.name}\` when its facts come in another order`, () => {
        const { facts } = example.seen;
        const orders = [facts.toReversed(), facts.map((_, index) => facts[(index + 1) % facts.length]).filter((fact) => fact !== undefined)];
        for (const order of orders) expect(judged(example, { facts: order })).toEqual(judged(example));
      });

      it(`gives for each finding of \`${example.name}\` a way out and what it rests on`, () => {
        const { findings, gaps } = judged(example);
        for (const { remedy, message, subject, outcome, evidence } of findings) {
          expect([remedy, message, subject].every((text) => /^\S.*[^.\s]$/.test(text))).toBe(true);
          if (outcome !== "info") expect(evidence.length).toBeGreaterThan(0);
        }
        for (const { remedy, reason } of gaps) expect([remedy, reason].every((text) => /^\S.*[^.\s]$/.test(text))).toBe(true);
      });

      it(`never claims more of \`${example.name}\` when one fact is hidden behind a gap`, () => {
        const { facts, gaps = [] } = example.seen;
        const before = judged(example).verdict;
        for (const hidden of facts) {
          const gap: Gap = { type: "gap", kind: hidden.kind, cluster: hidden.cluster, subject: hidden.cluster, reason: "hidden", remedy: "look again" };
          const { verdict } = judged(example, { facts: facts.filter((fact) => fact !== hidden), gaps: [...gaps, gap] });
          expect([hidden.subject, verdict]).not.toEqual([hidden.subject, "holds"]);
          if (before !== "violated") expect([hidden.subject, verdict]).toEqual([hidden.subject, "undecided"]);
        }
      });
    }
  });
}

/** The part of a result that an example pins. */
function summaryOf({ verdict, findings, gaps, assumptions }: Result): unknown {
  return JSON.parse(
    JSON.stringify({
      verdict,
      findings: findings.map(({ outcome, subject, message, remedy }) => ({ outcome, subject, message, remedy })),
      gaps: gaps.map(({ cluster, subject, reason, remedy }) => ({ cluster, subject, reason, remedy })),
      assumptions,
    }),
  );
}

function readExample(folder: string, name: string, schema: SchemaNode, kind: Kind<unknown, FactKind>): Example {
  const path = join(folder, "examples", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: a kind has an example for each verdict`);
  const [document, ...owned] = loadAll(readFileSync(join(path, "assertion.yaml"), "utf8")) as readonly Written[];
  const { allowEmpty, strict, clusters: _, ...spec } = document?.spec ?? {};
  check(schema, spec, `the spec of ${path}/assertion.yaml`);
  for (const { kind: word = "", metadata, spec: content = {} } of owned) {
    check(kind.documents?.[word] ?? {}, content, `the ${word} of ${path}/assertion.yaml`);
    for (const [field, property] of Object.entries(schema.properties ?? {})) {
      if (property["x-document"] === word && spec[field] === metadata?.name) spec[field] = { name: metadata?.name, sha256: "0".repeat(64), content };
    }
  }

  const seen = json<{ clusters: readonly Partial<Cluster>[]; facts: readonly Fact[]; gaps?: readonly Gap[]; istioMap?: unknown }>(path, "facts.json");
  return {
    name,
    spec,
    parts: { ...(allowEmpty === true ? { allowEmpty } : {}), ...(strict === true ? { strict } : {}) },
    seen: {
      clusters: seen.clusters.map(({ name: cluster = "", ...rest }) => clusterOf(cluster, rest)),
      facts: seen.facts.map((fact) => ({ ...fact, type: "fact" })),
      gaps: (seen.gaps ?? []).map((gap) => ({ ...gap, type: "gap" })),
      istioMap: istioMap(istioMapEntriesOf(seen.istioMap ?? [])),
    },
    expected: json(path, "findings.json"),
  };
}

interface Written {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly spec?: Record<string, unknown>;
}

/** Fills defaults in. */
function check(schema: object, value: unknown, what: string): void {
  const validate = validatorOf(schema);
  if (!validate(value)) throw new Error(`${what} is not valid: ${JSON.stringify(validate.errors)}`);
}

function validatorOf(schema: object) {
  const ajv = new Ajv2020({ useDefaults: true, allErrors: true, strict: true, strictRequired: false });
  for (const keyword of ["x-file", "x-document"]) ajv.addKeyword(keyword);
  return ajv.compile(schema);
}

function json<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as T;
}
