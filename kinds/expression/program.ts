import { celEnv, isCelError, isCelList, isCelMap, plan, type CelInput, type CelList, type CelMap, type CelValue } from "@bufbuild/cel";
import { bounded } from "./bounded.ts";
import { functionsFor } from "./functions.ts";
import { Meter } from "./meter.ts";
import { isMistake, parseExpression, type Comprehension, type Expr } from "./syntax.ts";

export type Bindings = Readonly<Record<string, CelInput>>;

/** What an expression came to. */
export type Outcome =
  | { readonly type: "value"; readonly value: CelValue }
  /** It failed on these objects; `at` is what it had at hand, the innermost first. */
  | { readonly type: "error"; readonly reason: string }
  /** The budget of steps was spent. */
  | { readonly type: "spent"; readonly budget: number };

/** An expression that can be evaluated again and again. */
export class Program {
  readonly #expr: Expr;
  readonly #meter = new Meter();
  readonly #environment = celEnv({ funcs: functionsFor(this.#meter) });
  readonly #plans = new Map<Expr, (bindings: Bindings) => unknown>();

  /** Of a text that has been checked before: throws TypeError for one that cannot be read. */
  constructor(text: string) {
    const parsed = parseExpression(text);
    if (isMistake(parsed)) throw new TypeError(`an expression was not checked: ${parsed.message}`);
    this.#expr = parsed.expr;
  }

  /** Evaluates within the budget; the same bindings give the same outcome on every machine. */
  evaluate(bindings: Bindings, budget?: number): Outcome {
    this.#meter.reset(budget);
    return this.#outcome(this.#expr, bindings);
  }

  /**
   * The elements that make the expression false, or fail: those of the `all` (or of the negated `exists`) that decides. Empty where nothing so
   * simple decides.
   */
  culprits(bindings: Bindings, wanted: "false" | "error"): readonly CelValue[] {
    this.#meter.reset();
    return this.#culprits(this.#expr, bindings, wanted);
  }

  #outcome(expr: Expr, bindings: Bindings): Outcome {
    const run = this.#plans.get(expr) ?? (plan(this.#environment, bounded(expr)));
    this.#plans.set(expr, run);
    const value = run(bindings);
    if (this.#meter.isEmpty) return { type: "spent", budget: this.#meter.budget };
    return isCelError(value) ? { type: "error", reason: value.message } : { type: "value", value: value as CelValue };
  }

  #is(expr: Expr, bindings: Bindings, wanted: "false" | "true" | "error"): boolean {
    const outcome = this.#outcome(expr, bindings);
    return wanted === "error" ? outcome.type === "error" : outcome.type === "value" && outcome.value === (wanted === "true");
  }

  #culprits(expr: Expr, bindings: Bindings, wanted: "false" | "error" | "true"): readonly CelValue[] {
    const { exprKind } = expr;
    if (exprKind.case === "callExpr") {
      const { function: name, args } = exprKind.value;
      if (name === "!_" && args[0] !== undefined) return this.#culprits(args[0], bindings, wanted === "false" ? "true" : wanted);
      const decides = (name === "_&&_" && wanted === "false") || (name === "_||_" && wanted === "true") || wanted === "error";
      const part = decides ? args.find((arg) => this.#is(arg, bindings, wanted)) : undefined;
      return part === undefined ? [] : this.#culprits(part, bindings, wanted);
    }
    return exprKind.case === "comprehensionExpr" ? this.#elements(exprKind.value, bindings, wanted) : [];
  }

  #elements(comprehension: Comprehension, bindings: Bindings, wanted: "false" | "error" | "true"): readonly CelValue[] {
    const { iterRange, iterVar } = comprehension;
    const body = bodyOf(comprehension, wanted);
    if (iterRange === undefined || body === undefined) return [];
    const range = this.#outcome(iterRange, bindings);
    if (range.type !== "value" || !(isCelList(range.value) || isCelMap(range.value))) return this.#culprits(iterRange, bindings, wanted);
    const items = elementsOf(range.value);
    const guilty = items.filter((item) => this.#is(body, { ...bindings, [iterVar]: item }, wanted));
    const [first] = guilty;
    const deeper = first === undefined ? [] : this.#culprits(body, { ...bindings, [iterVar]: first }, wanted);
    return [...guilty, ...deeper] as readonly CelValue[];
  }
}

/** Keys of a map, entries of a list; none where one of them is not kept. */
function elementsOf(range: CelMap | CelList): readonly CelValue[] {
  try {
    return isCelMap(range) ? [...range.keys()] : [...range];
  } catch {
    return [];
  }
}

/** What a comprehension asks of each element, where one element decides: `all` when false, `exists` when true, anything when it fails. */
function bodyOf({ accuInit, loopStep }: Comprehension, wanted: "false" | "error" | "true"): Expr | undefined {
  if (loopStep?.exprKind.case !== "callExpr") return undefined;
  const { function: name, args } = loopStep.exprKind.value;
  const starts = accuInit?.exprKind.case === "constExpr" ? accuInit.exprKind.value.constantKind.value : undefined;
  const isAll = name === "_&&_" && starts === true;
  const isExists = name === "_||_" && starts === false;
  if (isAll || isExists) return (isAll && wanted === "true") || (isExists && wanted === "false") ? undefined : args[1];
  if (wanted !== "error") return undefined;
  if (name === "_?_:_") return args[0];
  const list = args[1];
  return list?.exprKind.case === "listExpr" ? list.exprKind.value.elements[0] : undefined;
}

