import type { Expr } from "./syntax.ts";

type Parts = Extract<Expr["exprKind"], { readonly case: "callExpr" }>["value"];

/** Calls whose result can be as large as what they are given, or larger. */
const BUILDERS: ReadonlySet<string> = new Set(["_+_", "format", "split", "string", "lowerAscii", "upperAscii"]);
/** Calls that read texts from end to end, whatever they give. */
const READERS: ReadonlySet<string> = new Set(["contains", "indexOf", "lastIndexOf", "split", "bytes", "trim", "lowerAscii", "upperAscii", "startsWith", "endsWith", "substring", "charAt", "double", "int", "uint", "quantity", "_<_", "_<=_", "_>_", "_>=_"]);

/**
 * The same expression, in which everything that takes time in proportion to data tells the meter: the range of each comprehension before it is
 * walked, texts and lists when they are built, values before they are compared. The lists that `map` and `filter` make are appended to
 * in place; as the library builds them, each element would cost as much as all before it.
 */
export function bounded(expr: Expr): Expr {
  const { exprKind } = expr;
  switch (exprKind.case) {
    case "comprehensionExpr": {
      const { value } = exprKind;
      const part = (each: Expr | undefined) => (each === undefined ? {} : bounded(each));
      const appended = value.loopStep === undefined ? undefined : appending(value.loopStep, value.accuVar);
      return rebuilt(expr, {
        case: "comprehensionExpr",
        value: {
          ...value,
          iterRange: value.iterRange === undefined ? undefined : call("@range", [bounded(value.iterRange)], expr),
          accuInit: appended === undefined ? part(value.accuInit) : call("@list", [], expr),
          loopCondition: part(value.loopCondition),
          loopStep: appended ?? part(value.loopStep),
          result: part(value.result),
        },
      });
    }
    case "callExpr": {
      const { value } = exprKind;
      const args = value.args.map(bounded);
      const isComparison = value.function === "_==_" || value.function === "_!=_";
      const seen = isComparison && !value.args.some(isConstant) ? args.map((arg, index) => (index === 0 ? call("@seen", [arg], expr) : arg)) : args;
      const counted = value.function === "@in" ? args.map((arg, index) => (index === 1 ? call("@within", [arg], expr) : arg)) : seen;
      const told = (part: Expr, made: Expr, isLast: boolean) => {
        const name = readerOf(value.function, isLast);
        return name === undefined || isConstant(part) ? made : call(name, [made], expr);
      };
      const target = value.target === undefined ? {} : { target: told(value.target, bounded(value.target), false) };
      const made = rebuilt(expr, { case: "callExpr", value: { ...value, args: counted.map((arg, index) => told(value.args[index] ?? arg, arg, index === counted.length - 1)), ...target } });
      return BUILDERS.has(value.function) && !value.args.some(isNumber) ? call("@built", [made], expr) : made;
    }
    case "selectExpr": {
      const { value } = exprKind;
      return value.operand === undefined ? expr : rebuilt(expr, { case: "selectExpr", value: { ...value, operand: bounded(value.operand) } });
    }
    case "listExpr":
      return rebuilt(expr, { case: "listExpr", value: { ...exprKind.value, elements: exprKind.value.elements.map(bounded) } });
    case "structExpr": {
      const entries = exprKind.value.entries.map((entry) => ({
        ...entry,
        ...(entry.value === undefined ? {} : { value: bounded(entry.value) }),
        ...(entry.keyKind.case === "mapKey" ? { keyKind: { case: "mapKey", value: bounded(entry.keyKind.value) } } : {}),
      }));
      return rebuilt(expr, { case: "structExpr", value: { ...exprKind.value, entries } });
    }
    default:
      return expr;
  }
}

/** What tells the meter that a call reads one of its parts; a regular expression is its last one. */
function readerOf(name: string, isLast: boolean): string | undefined {
  if (name === "matches") return isLast ? "@pattern" : "@scanned";
  return READERS.has(name) ? "@read" : undefined;
}

/** `accu + [x]`, or the same behind a condition, as a call that appends; undefined for every other step. */
function appending(step: Expr, accuVar: string): Expr | undefined {
  const made = callOf(step);
  if (made?.function === "_?_:_") {
    const [condition, then, otherwise] = made.args;
    const appended = then === undefined ? undefined : appending(then, accuVar);
    if (condition === undefined || otherwise === undefined || appended === undefined || nameOf(otherwise) !== accuVar) return undefined;
    return rebuilt(step, { case: "callExpr", value: { ...made, args: [bounded(condition), appended, otherwise] } });
  }
  const [accu, list] = made?.args ?? [];
  if (made?.function !== "_+_" || accu === undefined || nameOf(accu) !== accuVar || list?.exprKind.case !== "listExpr") return undefined;
  const [element, ...more] = list.exprKind.value.elements;
  return element === undefined || more.length > 0 ? undefined : call("@append", [accu, bounded(element)], step);
}

function callOf(expr: Expr): Parts | undefined {
  return expr.exprKind.case === "callExpr" ? expr.exprKind.value : undefined;
}

function nameOf(expr: Expr): string | undefined {
  return expr.exprKind.case === "identExpr" ? expr.exprKind.value.name : undefined;
}

function isConstant({ exprKind }: Expr): boolean {
  return exprKind.case === "constExpr";
}

function isNumber({ exprKind }: Expr): boolean {
  return exprKind.case === "constExpr" && (exprKind.value.constantKind.case === "int64Value" || exprKind.value.constantKind.case === "doubleValue");
}

function call(name: string, args: readonly Expr[], like: Expr): Expr {
  return rebuilt(like, { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: name, args } });
}

/** The library reads expressions as plain data: the fields are what counts. */
function rebuilt(like: Expr, exprKind: unknown): Expr {
  return { ...like, exprKind } as Expr;
}
