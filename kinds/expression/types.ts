import { DEEPEST, depthOf, offsetOf, partsOf, type Expr, type Mistake, type Parsed } from "./syntax.ts";

/** What the words of an expression give, as far as literals show it; the rest is known when there are objects. */
type Type = "bool" | "int" | "double" | "uint" | "string" | "bytes" | "null" | "list" | "map" | "unknown";

/** Names of variables and functions that an expression may use. */
export interface Known {
  readonly variables: readonly string[];
  readonly functions: ReadonlySet<string>;
  readonly gives: "bool" | "string";
}

/** What is wrong with an expression whatever the objects are: unknown names, types that literals show, comprehensions within comprehensions. */
export function mistakesIn(parsed: Parsed, known: Known): readonly Mistake[] {
  const depth = depthOf(parsed.expr);
  if (depth > DEEPEST) {
    return [{ offset: 0, message: `comprehensions nest ${depth} deep; at most ${DEEPEST} are allowed`, remedy: "split the rule into several assertions" }];
  }
  const checker = new Checker(parsed, known);
  const type = checker.typeOf(parsed.expr, new Set(known.variables));
  if (checker.mistakes.length === 0 && type !== "unknown" && type !== known.gives) {
    const remedy = known.gives === "bool" ? "write a claim that is true or false: a comparison, `has(…)`, `.all(…)`, `.exists(…)`" : "put it in `string(…)`";
    return [{ offset: 0, message: `the expression gives ${a(type)}; ${a(known.gives)} is wanted`, remedy }];
  }
  return checker.mistakes;
}

function a(type: Type): string {
  return `${type.startsWith("i") ? "an" : "a"} ${type}`;
}

class Checker {
  readonly mistakes: Mistake[] = [];
  readonly #parsed: Parsed;
  readonly #known: Known;

  constructor(parsed: Parsed, known: Known) {
    this.#parsed = parsed;
    this.#known = known;
  }

  typeOf(expr: Expr, scope: ReadonlySet<string>): Type {
    const { exprKind } = expr;
    switch (exprKind.case) {
      case "constExpr":
        return CONSTANTS.get(exprKind.value.constantKind.case ?? "") ?? "unknown";
      case "identExpr":
        this.#name(expr, exprKind.value.name, scope);
        return "unknown";
      case "listExpr":
        for (const part of partsOf(expr)) this.typeOf(part, scope);
        return "list";
      case "structExpr":
        for (const part of partsOf(expr)) this.typeOf(part, scope);
        return "map";
      case "selectExpr":
        for (const part of partsOf(expr)) this.typeOf(part, scope);
        return exprKind.value.testOnly ? "bool" : "unknown";
      case "callExpr":
        return this.#call(expr, exprKind.value.function, scope);
      case "comprehensionExpr": {
        const { iterRange, iterVar, accuVar, accuInit, loopCondition, loopStep, result } = exprKind.value;
        if (iterRange !== undefined) this.#iterable(iterRange, this.typeOf(iterRange, scope));
        const inner = new Set([...scope, iterVar, accuVar]);
        const init = accuInit === undefined ? "unknown" : this.typeOf(accuInit, scope);
        for (const part of [loopCondition, loopStep, result]) if (part !== undefined) this.typeOf(part, inner);
        return result?.exprKind.case === "identExpr" ? init : result === undefined ? "unknown" : this.typeOf(result, inner);
      }
      default:
        return "unknown";
    }
  }

  #name(expr: Expr, name: string, scope: ReadonlySet<string>): void {
    if (scope.has(name) || TYPE_NAMES.has(name) || name.startsWith("@")) return;
    this.#tell(expr, `unknown name \`${name}\``, `the expression sees ${this.#known.variables.map((each) => `\`${each}\``).join(" and ")}`);
  }

  #iterable(expr: Expr, type: Type): void {
    if (type !== "unknown" && type !== "list" && type !== "map") this.#tell(expr, `${a(type)} has no elements`, "use a list or a map here");
  }

  #call(expr: Expr, name: string, scope: ReadonlySet<string>): Type {
    const form = MACROS.get(name);
    if (form !== undefined) {
      this.#tell(expr, `\`${name}\` is written in another form`, `write \`${form}\`; of a map \`x\` is the key`);
      return "unknown";
    }
    const types = partsOf(expr).map((part) => this.typeOf(part, scope));
    const [left = "unknown", right = "unknown"] = types;
    if (!this.#known.functions.has(name)) {
      this.#tell(expr, `unknown function \`${name}\``, "see the page on expressions for the functions that there are: `assert explain Expression`");
      return "unknown";
    }
    if (LOGIC.has(name)) {
      for (const [index, type] of types.entries()) if (type !== "unknown" && type !== "bool") this.#tell(partsOf(expr)[index] ?? expr, `\`${OPERATORS.get(name) ?? name}\` needs true or false and has ${a(type)}`, "compare it with something");
      return "bool";
    }
    if (name === "_?_:_") {
      if (left !== "unknown" && left !== "bool") this.#tell(expr, `the condition before \`?\` is ${a(left)}`, "compare it with something");
      return types[1] === types[2] ? (types[1] ?? "unknown") : "unknown";
    }
    if (ORDER.has(name) || name === "_==_" || name === "_!=_") {
      if (!comparable(left, right, ORDER.has(name))) this.#tell(expr, `\`${OPERATORS.get(name) ?? name}\` compares ${a(left)} with ${a(right)}`, "bring both sides to one type: `int(…)`, `string(…)`, `version(…)`");
      return "bool";
    }
    if (ARITHMETIC.has(name)) {
      if (left === "unknown" || right === "unknown") return name === "_+_" && (left === "string" || right === "string") ? "string" : "unknown";
      const fits = left === right && (name === "_+_" ? !["bool", "null", "map"].includes(left) : ["int", "double", "uint"].includes(left));
      if (!fits) this.#tell(expr, `\`${OPERATORS.get(name) ?? name}\` of ${a(left)} and ${a(right)}`, "bring both sides to one type: `string(…)`, `int(…)`, `double(…)`");
      return fits ? left : "unknown";
    }
    if (name === "size" && ["int", "double", "uint", "bool", "null"].includes(left)) this.#tell(expr, `${a(left)} has no size`, "`size` is for texts, lists and maps");
    return RESULTS.get(name) ?? "unknown";
  }

  #tell(expr: Expr, message: string, remedy: string): void {
    const offset = offsetOf(this.#parsed, expr);
    if (this.mistakes.some((mistake) => mistake.offset === offset && mistake.message === message)) return;
    this.mistakes.push({ offset, message, remedy });
  }
}

function comparable(left: Type, right: Type, ordered: boolean): boolean {
  if (left === "unknown" || right === "unknown") return true;
  const numbers = ["int", "double", "uint"];
  if (numbers.includes(left) && numbers.includes(right)) return true;
  if (!ordered && (left === "null" || right === "null")) return true;
  return left === right && !(ordered && ["list", "map", "null"].includes(left));
}

const CONSTANTS: ReadonlyMap<string, Type> = new Map([
  ["boolValue", "bool"],
  ["int64Value", "int"],
  ["doubleValue", "double"],
  ["uint64Value", "uint"],
  ["stringValue", "string"],
  ["bytesValue", "bytes"],
  ["nullValue", "null"],
]);
/** What the parser makes into loops, where it is written as it must be. */
const MACROS: ReadonlyMap<string, string> = new Map([["has", "has(o.spec.field)"], ...["all", "exists", "exists_one", "filter"].map((name): [string, string] => [name, `list.${name}(x, CLAIM)`]), ["map", "list.map(x, VALUE)"]]);
const TYPE_NAMES: ReadonlySet<string> = new Set(["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"]);
const LOGIC: ReadonlySet<string> = new Set(["_&&_", "_||_", "!_"]);
const ORDER: ReadonlySet<string> = new Set(["_<_", "_<=_", "_>_", "_>=_"]);
const ARITHMETIC: ReadonlySet<string> = new Set(["_+_", "_-_", "_*_", "_/_", "_%_"]);
const OPERATORS: ReadonlyMap<string, string> = new Map([["!_", "!"], ...["&&", "||", "<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/", "%"].map((sign): [string, string] => [`_${sign}_`, sign])]);
const RESULTS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...["startsWith", "endsWith", "contains", "matches", "@in", "has"].map((name) => [name, "bool"] as const),
  ...["string", "lowerAscii", "upperAscii", "trim", "replace", "join", "substring", "charAt", "format", "sha256"].map((name) => [name, "string"] as const),
  ...["split", "distinct"].map((name) => [name, "list"] as const),
  ...["size", "int", "indexOf", "lastIndexOf"].map((name) => [name, "int"] as const),
  ["double", "double"],
  ["bool", "bool"],
  ...["version", "image"].map((name) => [name, "map"] as const),
]);
