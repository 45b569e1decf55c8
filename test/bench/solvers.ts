/**
 * `npm run bench -- solvers [SECONDS]`: the question "is there a request that two tables answer differently", asked of z3, of cvc5 and of
 * `assert compare`, each as a process of its own with all that it reads. Needs `npm run build`, and the two solvers (Debian: `z3`, `cvc5`).
 * Prints processor time and how many times ours a solver takes; ends with 1 where we give no answer or where one that answers says another thing.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { scratchFolder } from "../parts/process.ts";

/** What a rule asks for; pieces of a regex are text, or one of more characters of a class. */
type Piece = string | { readonly some: "digits" | "letters" };
type Match = { readonly exact: string; readonly method: string } | { readonly prefix: string } | { readonly regex: readonly Piece[]; readonly header?: string };
interface Rule {
  readonly match: Match;
  readonly to: string;
}

/** A third by exact path and method, a third by prefix, a third by regex and header; the last one takes what is left. */
function rulesOf(count: number): readonly Rule[] {
  return Array.from({ length: count }, (_, index): Rule => {
    const to = `s${index % 7}`;
    const number = Math.floor(index / 3);
    if (index === count - 1) return { match: { prefix: "/" }, to: "rest" };
    if (index % 3 === 0) return { match: { exact: `/exact/e${number}`, method: number % 2 === 0 ? "GET" : "POST" }, to };
    if (index % 3 === 1) return { match: { prefix: `/team${number}/` }, to };
    return { match: { regex: [`/item${number}/`, { some: "digits" }, "/part/", { some: "letters" }], header: `v${number}` }, to };
  });
}

/** Disjoint rules in another order, and some prefixes as regexes: no request changes. */
function sameMeaning(rules: readonly Rule[]): readonly Rule[] {
  const moved = [...rules.slice(0, -1)].reverse().map((rule, index): Rule => ("prefix" in rule.match && index % 2 === 0 ? { ...rule, match: { regex: [rule.match.prefix, { some: "letters" }] } } : rule));
  // A prefix is what a regex of letters takes, and all else that begins so: both rules go to the same place.
  const restored = rules.flatMap((rule) => ("prefix" in rule.match && rule.to !== "rest" ? [rule] : []));
  return [...moved, ...restored, ...rules.slice(-1)];
}

/** Two rules that overlap, the other way round. */
function otherMeaning(rules: readonly Rule[]): readonly Rule[] {
  const overlap: readonly Rule[] = [{ match: { prefix: "/swap/a" }, to: "left" }, { match: { regex: ["/swap/", { some: "letters" }] }, to: "right" }];
  return [...overlap.toReversed(), ...sameMeaning(rules)];
}

function withOverlap(rules: readonly Rule[]): readonly Rule[] {
  return [{ match: { prefix: "/swap/a" }, to: "left" }, { match: { regex: ["/swap/", { some: "letters" }] }, to: "right" }, ...rules];
}

const CLASSES = { digits: { smt: '(re.+ (re.range "0" "9"))', re2: "[0-9]+" }, letters: { smt: '(re.+ (re.range "a" "z"))', re2: "[a-z]+" } } as const;

function conditionOf(match: Match): string {
  if ("exact" in match) return `(and (= path "${match.exact}") (= method "${match.method}"))`;
  if ("prefix" in match) return `(str.prefixof "${match.prefix}" path)`;
  const regex = `(re.++ ${match.regex.map((piece) => (typeof piece === "string" ? `(str.to_re "${piece}")` : CLASSES[piece.some].smt)).join(" ")})`;
  const inRegex = `(str.in_re path ${regex})`;
  return match.header === undefined ? inRegex : `(and ${inRegex} there (= header "${match.header}"))`;
}

function answerOf(rules: readonly Rule[], numbers: ReadonlyMap<string, number>): string {
  return rules.reduceRight((rest, { match, to }) => `(ite ${conditionOf(match)} ${numbers.get(to) ?? 0}\n${rest})`, String(numbers.size));
}

/** One query, for strings of any length: paths begin with `/`, a header is there or not. */
function questionOf(left: readonly Rule[], right: readonly Rule[]): string {
  const numbers = new Map([...new Set([...left, ...right].map(({ to }) => to))].map((to, index) => [to, index]));
  return `(set-logic ALL)
(declare-const path String) (declare-const method String) (declare-const header String) (declare-const there Bool)
(assert (str.prefixof "/" path))
(define-fun left () Int ${answerOf(left, numbers)})
(define-fun right () Int ${answerOf(right, numbers)})
(assert (not (= left right)))
(check-sat)\n`;
}

function serviceOf(rules: readonly Rule[]): string {
  const http = rules.map(({ match, to }) => {
    const uri = "exact" in match ? { exact: match.exact } : "prefix" in match ? { prefix: match.prefix } : { regex: match.regex.map((piece) => (typeof piece === "string" ? piece : CLASSES[piece.some].re2)).join("") };
    const more = "exact" in match ? { method: { exact: match.method } } : "regex" in match && match.header !== undefined ? { headers: { "x-version": { exact: match.header } } } : {};
    return `  - match: [${JSON.stringify({ uri, ...more })}]\n    route: [{ destination: { host: ${to} } }]\n`;
  });
  return `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: shop, namespace: prod }\nspec:\n  hosts: [shop.example]\n  gateways: [public]\n  http:\n${http.join("")}`;
}

interface Ran {
  readonly ms: number;
  readonly said: string;
  readonly code: number | null;
}

/** Processor time of a program and of all that it starts; of one that had to be stopped, the limit. */
function timed(words: readonly string[], seconds: number, cwd: string): Ran {
  const { stdout, stderr, status } = spawnSync("bash", ["-c", 'TIMEFORMAT="%U %S"; time timeout -s KILL "$0" "$@"', String(seconds), ...words], { cwd, encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", HOME: cwd, NO_COLOR: "1" } });
  const [user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { ms: status === 137 ? seconds * 1000 : (user + system) * 1000, said: stdout.trim(), code: status };
}

const BIN = path.join(import.meta.dirname, "../../dist/cli/bin.mjs");
if (!existsSync(BIN)) {
  process.stderr.write("error: there is no release in dist/\n  help: run `npm run build` first\n");
  process.exit(3);
}
for (const name of ["z3", "cvc5"]) {
  if (spawnSync(name, ["--version"]).status === 0) continue;
  process.stderr.write(`error: \`${name}\` is not installed\n  help: \`apt-get install z3 cvc5\`\n`);
  process.exit(3);
}
const [, , limit = "60"] = process.argv;
const folder = await scratchFolder("solvers");
let wrong = 0;
process.stdout.write(`processor time of one question, at most ${limit} s; in brackets: times ours\n`);
// The first run of a release leaves compiled code for the next ones.
for (const isFirst of [true, false]) {
  for (const count of isFirst ? [9] : [9, 30, 99, 300]) {
    const rules = rulesOf(count);
    for (const [wanted, left, right] of [["equal", rules, sameMeaning(rules)], ["differs", withOverlap(rules), otherMeaning(rules)]] as const) {
      const place = path.join(folder, `${count}-${wanted}`);
      for (const [side, table] of [["left", left], ["right", right]] as const) {
        mkdirSync(path.join(place, side), { recursive: true });
        writeFileSync(path.join(place, side, "shop.yaml"), serviceOf(table));
      }
      writeFileSync(path.join(place, "question.smt2"), questionOf(left, right));
      const ours = timed([process.execPath, BIN, "compare", "left", "right", "--istio", "1.30.0", "--envoy", "1.39.1", "-o", "json"], Number(limit), place);
      if (isFirst) continue;
      const isOurs = ours.code === (wanted === "equal" ? 0 : 1);
      if (!isOurs) wrong++;
      const solvers = [["z3", ["z3", "question.smt2"]], ["cvc5", ["cvc5", "--strings-exp", "question.smt2"]]] as const;
      const told = solvers.map(([name, words]) => {
        const { ms, said } = timed(words, Number(limit), place);
        const isAnswer = said === "sat" || said === "unsat";
        if (isAnswer && (said === "unsat") !== (wanted === "equal")) wrong++;
        return `${name} ${(isAnswer ? ms.toFixed(0) : `none in ${ms.toFixed(0)}`).padStart(13)} ms (${isAnswer ? "" : "> "}${(ms / ours.ms).toFixed(1)})${isAnswer && (said === "unsat") !== (wanted === "equal") ? ` WRONG: ${said}` : ""}`;
      });
      process.stdout.write(`  ${String(count).padStart(3)} routes, ${wanted.padEnd(7)}  ours ${ours.ms.toFixed(0).padStart(5)} ms${isOurs ? "" : ` WRONG: exit ${ours.code}: ${ours.said.slice(0, 300)}`}   ${told.join("   ")}\n`);
    }
  }
}
process.exit(wrong === 0 ? 0 : 1);
