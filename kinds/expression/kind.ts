import { celList, isCelMap, type CelValue } from "@bufbuild/cel";
import { byText, cite, defineKind, fault, fullName, gap, info, isSecretKind, judged, kindKey, nothingSelected, objectsRequest, partOnly, sha256, undecided, type Evidence, type Fact, type Finding, type Gap, type KindSeen, type Request, type SpecFault } from "#engine";
import { objectPathText, type ObjectPath } from "#values";
import { FUNCTIONS } from "./functions.ts";
import { lookedAt, type Looked } from "./paths.ts";
import { Program, type Bindings, type Outcome } from "./program.ts";
import { clusterValue, originOf, placeOf, sightsOf, type ObjectFact, type Selections, type Sight } from "./sight.ts";
import type { Selection, Spec } from "./spec.ts";
import { isMistake, parseExpression } from "./syntax.ts";
import { mistakesIn } from "./types.ts";
import { NOT_KEPT } from "./values.ts";

export default defineKind({
  name: "Expression",
  summary: "an expression of your own is true of the selected objects",
  needs: requestsOf,
  check: faultsIn,
  judges: ["object", "objects"],

  *judge(spec: Spec, world) {
    const selections = selectionsOf(spec);
    const sights = sightsOf(selections, world);
    const unmatched = [...selections.keys()].filter((key) => sights.every(({ objects }) => (objects.get(key) ?? []).length === 0));
    // A rule about two things of which one was never seen has shown nothing.
    yield judged(unmatched.length > 0 ? 0 : sights.reduce((sum, sight) => sum + countOf(sight), 0));
    const kinds = world.facts("objects").filter(isKindFact);
    const part = [...partsOnly(selections, kinds)];
    yield* part;
    for (const key of unmatched) if (key !== "" && sights.length > 0) yield neverSelected(key, selections, kinds);

    const whole = sights.filter(({ cluster }) => world.complete("objects", cluster.name) && !part.some((each) => each.cluster === cluster.name));
    yield* emptyOnes(whole, selections, kinds);

    const blind = computedKeys(spec);
    if (blind !== undefined) return yield blindness(blind, sights, kinds);
    const rule = rulesOf(spec);
    if (rule.each !== undefined) for (const sight of whole) yield* judgeEach(rule.each, sight, spec, rule.message, kinds);
    if (rule.across === undefined) return;
    if (sights.length < 2) yield needsTwo(sights);
    else if (whole.length === sights.length) yield* judgeAcross(rule.across, sights, spec, rule.message, kinds);
  },
});

type KindFact = Fact<"objects"> & { readonly data: KindSeen };

function isKindFact(fact: Fact<"objects">): fact is KindFact {
  return fact.data.what === "kind";
}

interface Rules {
  readonly each: Program | undefined;
  readonly across: Program | undefined;
  readonly message: Program | undefined;
}

const compiled = new WeakMap<Spec, Rules>();

/** Compiled once for each assertion. */
function rulesOf(spec: Spec): Rules {
  const program = (text: string | undefined) => (text === undefined ? undefined : new Program(text));
  const rules = compiled.get(spec) ?? { each: program(spec.each), across: program(spec.across), message: program(spec.messageExpression) };
  compiled.set(spec, rules);
  return rules;
}

function selectionsOf({ select }: Spec): Selections {
  return isSelection(select) ? new Map([["", select]]) : new Map(Object.entries(select));
}

function isSelection(select: Spec["select"]): select is Selection {
  return typeof select["apiVersion"] === "string";
}

function keysOf(spec: Spec): readonly string[] | undefined {
  return isSelection(spec.select) ? undefined : Object.keys(spec.select);
}

const EXPRESSIONS = ["each", "across", "messageExpression"] as const;

function lookedAtBy(spec: Spec): readonly Looked[] {
  const keys = keysOf(spec);
  return EXPRESSIONS.flatMap((field) => {
    const parsed = spec[field] === undefined ? undefined : parseExpression(spec[field]);
    return parsed === undefined || isMistake(parsed) ? [] : lookedAt(parsed.expr, keys);
  });
}

function requestsOf(spec: Spec): readonly Request<"objects">[] {
  const looked = lookedAtBy(spec);
  return [...selectionsOf(spec)].map(([key, selection]) => {
    const paths = looked.filter((each) => each.key === key).map(({ path }) => path);
    return objectsRequest(selection, { only: true, paths: paths.length === 0 ? [["metadata", "name"]] : shortest(paths) });
  });
}

/** Without paths that another one covers, so that the same rule asks the same. */
function shortest(paths: readonly ObjectPath[]): readonly ObjectPath[] {
  const texts = new Map(paths.map((path) => [JSON.stringify(path), path]));
  return [...texts].sort(([a], [b]) => byText(a, b)).map(([, path]) => path);
}

/** The path by which an expression looks at values of ConfigMaps that it does not name. */
function computedKeys(spec: Spec): Looked | undefined {
  const configMaps = [...selectionsOf(spec)].filter(([, { apiVersion, kind }]) => apiVersion === "v1" && kind === "ConfigMap").map(([key]) => key);
  return lookedAtBy(spec).find(({ key, path }) => {
    if (!configMaps.includes(key)) return false;
    const [first, second] = path;
    return first === undefined || ((first === "data" || first === "binaryData") && (second === undefined || second === "*"));
  });
}

function blindness({ path }: Looked, sights: readonly Sight[], kinds: readonly KindFact[]): Finding {
  const what = path.length === 0 ? "whole ConfigMaps" : `\`${objectPathText(path)}\` with a key that is computed`;
  return undecided({
    subject: "values of ConfigMaps",
    cause: "computed key",
    message: `the expression looks at ${what}; of ConfigMaps only values that it names are kept`,
    remedy: 'name the keys: `o.data["mesh"]`, `has(o.data.mesh)`; or compare whole ConfigMaps with ObjectsAgree',
    evidence: kindEvidence(sights, kinds),
  });
}

function* faultsIn(spec: Spec): Iterable<SpecFault> {
  if (spec.each === undefined && spec.across === undefined) {
    yield { path: [], message: "`spec` names neither `each` nor `across`", remedy: "write for example `each: objects.all(o, o.spec.mtls.mode == 'STRICT')`" };
  }
  for (const [key, selection] of selectionsOf(spec)) {
    if (!isSecretKind(selection)) continue;
    yield { path: key === "" ? ["select", "kind"] : ["select", key, "kind"], message: "objects of kind `Secret` are never read", remedy: "select what uses the secret: a Certificate, an ExternalSecret, a ConfigMap" };
  }
  for (const key of keysOf(spec) ?? []) {
    if (/^[A-Za-z_]\w*$/.test(key)) continue;
    yield { path: ["select", key], message: `\`${key.slice(0, 60)}\` is no name that an expression can use`, remedy: "use letters, digits and `_`: `objects.pods`" };
  }
  for (const field of EXPRESSIONS) yield* expressionFaults(field, spec);
}

function* expressionFaults(field: (typeof EXPRESSIONS)[number], spec: Spec): Iterable<SpecFault> {
  const text = spec[field];
  if (text === undefined) return;
  const parsed = parseExpression(text);
  const own = field === "messageExpression" ? [...(spec.each === undefined ? [] : ["cluster", "objects"]), ...(spec.across === undefined ? [] : ["clusters"])] : field === "each" ? ["cluster", "objects"] : ["clusters"];
  const mistakes = isMistake(parsed) ? [parsed] : mistakesIn(parsed, { variables: own, functions: FUNCTIONS, gives: field === "messageExpression" ? "string" : "bool" });
  for (const { offset: found, message, remedy } of mistakes) {
    const offset = found + (/^\s*/.exec(text.slice(found))?.[0].length ?? 0);
    const before = text.slice(0, offset);
    const column = offset - before.lastIndexOf("\n");
    const line = before.split("\n").length;
    yield { path: [field], offset, message: `\`${field}\`, line ${line}, column ${column}: ${message}`, remedy };
  }
}

function countOf({ objects }: Sight): number {
  return [...objects.values()].reduce((sum, list) => sum + list.length, 0);
}

/** An expression that is true of an empty list has shown nothing about that cluster. */
function* emptyOnes(sights: readonly Sight[], selections: Selections, kinds: readonly KindFact[]): Iterable<Finding> {
  for (const { cluster, objects } of sights) {
    if ([...objects.values()].some((list) => list.length > 0)) continue;
    const mine = kinds.filter((fact) => fact.cluster === cluster.name);
    const said = [...selections.values()].flatMap((selection) => mine.filter(({ selector }) => selector === kindKey(selection)).map(({ data }) => nothingSelected(selection, data, cluster.name)));
    yield info({
      subject: `${cluster.name}/nothing selected`,
      cause: "nothing selected",
      message: `${said.length === 0 ? `\`${cluster.name}\` has no object that is selected` : said.map(({ message }) => message).join("; ")}: the expression saw an empty list`,
      remedy: said.length === 0 ? "correct `select` if that is not what you expect" : [...new Set(said.map(({ remedy }) => remedy))].join("; "),
      evidence: mine.map((fact) => cite(fact, `objects of ${fact.subject}`, String(fact.data.total))),
    });
  }
}

function* partsOnly(selections: Selections, kinds: readonly KindFact[]): Iterable<Gap> {
  for (const selection of selections.values()) {
    for (const { cluster, selector, data } of kinds) {
      const why = selector === kindKey(selection) ? partOnly(selection, data, cluster) : undefined;
      if (why !== undefined) yield gap({ cluster, subject: `${cluster}/${selection.kind}`, ...why });
    }
  }
}

function neverSelected(key: string, selections: Selections, kinds: readonly KindFact[]): Finding {
  const selection = selections.get(key) ?? { apiVersion: "", kind: "" };
  const mine = kinds.filter(({ selector }) => selector === kindKey(selection));
  const remedies = new Set(mine.map(({ cluster, data }) => nothingSelected(selection, data, cluster).remedy));
  return info({
    subject: `objects.${key}`,
    cause: "nothing selected anywhere",
    message: `\`select.${key}\` matches no \`${selection.kind}\` in any cluster: the expression saw empty lists`,
    remedy: remedies.size === 0 ? "correct the selection, or write `allowEmpty: true` if that is what you expect" : [...remedies].join("; "),
    evidence: mine.map((fact) => cite(fact, `objects of ${fact.subject}`, String(fact.data.total))),
  });
}

function needsTwo(sights: readonly Sight[]) {
  return gap({
    subject: sights[0]?.cluster.name ?? "the fleet",
    reason: `\`across\` is about several clusters, and the assertion selects ${sights.length}`,
    remedy: "select two clusters or more in `spec.clusters`, or write the rule as `each`",
  });
}

function* judgeEach(program: Program, sight: Sight, spec: Spec, message: Program | undefined, kinds: readonly KindFact[]): Iterable<Finding> {
  const { name } = sight.cluster;
  const bindings = { cluster: clusterValue(sight.cluster), objects: sight.value };
  yield* judgeRule({ program, bindings, text: spec.each ?? "", subject: name, where: `in \`${name}\``, sights: [sight] }, spec, message, kinds);
}

function* judgeAcross(program: Program, sights: readonly Sight[], spec: Spec, message: Program | undefined, kinds: readonly KindFact[]): Iterable<Finding> {
  const bindings = { clusters: celList(sights.map(({ cluster, value }) => clusterValue(cluster, value))) };
  const where = `across ${sights.map(({ cluster }) => `\`${cluster.name}\``).join(", ")}`;
  yield* judgeRule({ program, bindings, text: spec.across ?? "", subject: "all clusters", where, sights }, spec, message, kinds);
}

interface Rule {
  readonly program: Program;
  readonly bindings: Bindings;
  readonly text: string;
  readonly subject: string;
  readonly where: string;
  readonly sights: readonly Sight[];
}

function* judgeRule(rule: Rule, spec: Spec, message: Program | undefined, kinds: readonly KindFact[]): Iterable<Finding> {
  const outcome = rule.program.evaluate(rule.bindings);
  if (outcome.type === "value" && outcome.value === true) return;
  if (outcome.type === "value" && outcome.value === false) yield isFalse(rule, spec, message, kinds);
  else yield notDecided(rule, outcome, kinds);
}

function isFalse(rule: Rule, spec: Spec, message: Program | undefined, kinds: readonly KindFact[]): Finding {
  const guilty = rule.program.culprits(rule.bindings, "false");
  const objects = factsOf(guilty);
  const own = message === undefined ? spec.message : textOf(message.evaluate(rule.bindings)) ?? spec.message;
  const seen = objects.length > 0 ? `: ${listed(objects)}` : clustersIn(guilty).length > 0 ? `: ${clustersIn(guilty).map((name) => `\`${name}\``).join(", ")}` : "";
  return fault({
    subject: rule.subject,
    cause: `${sha256(rule.text).slice(0, 16)} ${[...objects.map(placeOf), ...clustersIn(guilty)].toSorted(byText).join(" ")}`,
    message: own === undefined ? `\`${shortened(rule.text)}\` is false ${rule.where}${seen}` : `${own} (${rule.where})${seen}`,
    remedy: objects.length > 0 ? `change ${objects.length === 1 ? "this object" : "these objects"}, or the rule, so that it is true` : "change the objects, or the rule, so that it is true",
    evidence: evidenceOf(objects, rule.sights, kinds),
  });
}

function notDecided(rule: Rule, outcome: Outcome, kinds: readonly KindFact[]): Finding {
  const objects = outcome.type === "error" ? factsOf(rule.program.culprits(rule.bindings, "error")) : [];
  const at = objects.length === 0 ? "" : ` at ${listed(objects)}`;
  const [what, remedy] = whyNot(outcome);
  return undecided({
    subject: rule.subject,
    cause: `${sha256(rule.text).slice(0, 16)} ${what}`,
    message: `\`${shortened(rule.text)}\` ${what} ${rule.where}${at}`,
    remedy,
    evidence: evidenceOf(objects, rule.sights, kinds),
  });
}

function whyNot(outcome: Outcome): readonly [what: string, remedy: string] {
  if (outcome.type === "spent") return [`needs more than ${outcome.budget.toLocaleString("en-US")} steps`, "compare lists once, not for each element of another list; or select fewer objects"];
  if (outcome.type === "value") return ["gives neither true nor false", "write a claim: a comparison, `has(…)`, `.all(…)`, `.exists(…)`"];
  const place = outcome.reason.startsWith(NOT_KEPT) ? outcome.reason.slice(NOT_KEPT.length) : undefined;
  if (place !== undefined) return [`looks at \`${place.slice(0, 200)}\`, of which only a digest is kept`, "name the value with all its keys in the expression: then it is kept; or compare whole objects with ObjectsAgree"];
  const missing = /^field not found: (.+)$/s.exec(outcome.reason)?.[1];
  if (missing !== undefined) return [`fails: there is no \`${missing.slice(0, 80)}\``, `ask first whether it is there: \`has(o.….${missing.slice(0, 80)}) && …\``];
  const entry = /^index (-?\d+) out of bounds/.exec(outcome.reason)?.[1];
  if (entry !== undefined) return [`fails: a list has no entry ${entry}`, "ask first how many there are: `objects.size() > 0 && …`"];
  if (/Maximum call stack/.test(outcome.reason)) return ["nests too deeply", "split the rule into several assertions"];
  return [`fails: ${outcome.reason.replaceAll("'", "`").replace(/\s+/g, " ").slice(0, 300)}`, "correct the expression, or ask for the type first: `type(x) == string && …`"];
}

function textOf(outcome: Outcome): string | undefined {
  return outcome.type === "value" && typeof outcome.value === "string" && outcome.value.trim() !== "" ? outcome.value.replace(/\s+/g, " ").slice(0, 2000) : undefined;
}

function factsOf(values: readonly CelValue[]): readonly ObjectFact[] {
  return [...new Set(values.flatMap((value) => originOf(value) ?? []))].toSorted((a, b) => byText(placeOf(a), placeOf(b)));
}

function clustersIn(values: readonly CelValue[]): readonly string[] {
  return values.flatMap((value) => {
    const name = isCelMap(value) && originOf(value) === undefined && value.has("labels") ? value.get("name") : undefined;
    return typeof name === "string" ? [name] : [];
  });
}

const SHOWN = 5;
const CITED = 20;

function listed(objects: readonly ObjectFact[]): string {
  const names = objects.slice(0, SHOWN).map((fact) => `\`${fullName(fact.data)}\` in \`${fact.cluster}\``);
  return `${names.join(", ")}${objects.length > SHOWN ? `, and ${objects.length - SHOWN} more` : ""}`;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}

function evidenceOf(objects: readonly ObjectFact[], sights: readonly Sight[], kinds: readonly KindFact[]): readonly Evidence[] {
  return objects.length === 0 ? kindEvidence(sights, kinds) : objects.slice(0, CITED).map((fact) => cite(fact, "this object", fullName(fact.data)));
}

function kindEvidence(sights: readonly Sight[], kinds: readonly KindFact[]): readonly Evidence[] {
  const names = new Set(sights.map(({ cluster }) => cluster.name));
  return kinds.filter(({ cluster }) => names.has(cluster)).map((fact) => cite(fact, `objects of ${fact.subject}`, String(fact.data.total)));
}
