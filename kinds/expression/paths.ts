import type { ObjectPath } from "#values";
import { partsOf, type Expr } from "./syntax.ts";

/** What an expression looks at, of the objects of one selection (`""` where there is one only). */
export interface Looked {
  readonly key: string;
  readonly path: ObjectPath;
}

/** A place that a part of an expression stands for: a list of objects, or something in one of them. */
type Place =
  | { readonly of: "clusters" | "cluster" | "selections" }
  | { readonly of: "list"; readonly key: string }
  | { readonly of: "object"; readonly key: string; readonly path: ObjectPath };

/** Places that a value may stand for, and those of its elements where it is a list that the expression made. */
interface Value {
  readonly places: readonly Place[];
  readonly elements?: Value;
}

const NOTHING: Value = { places: [] };

/**
 * The paths of objects that an expression can look at: never fewer than it does, whatever the objects hold. A key that is computed is `*`.
 *
 * @param keys of the selections; undefined where `objects` is the list itself
 */
export function lookedAt(expr: Expr, keys: readonly string[] | undefined): readonly Looked[] {
  const reader = new PathReader(keys);
  reader.use(reader.read(expr, new Map()));
  reader.keepEvaluated();
  const unique = new Map(reader.looked.map((looked) => [JSON.stringify([looked.key, looked.path]), looked]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, looked]) => looked);
}

class PathReader {
  readonly looked: Looked[] = [];
  readonly #evaluated: Looked[] = [];
  readonly #keys: readonly string[] | undefined;

  constructor(keys: readonly string[] | undefined) {
    this.#keys = keys;
  }

  /** Somebody sees the value as a whole. */
  use({ places, elements }: Value): void {
    for (const place of places) {
      if (place.of === "object") this.looked.push({ key: place.key, path: place.path });
      else if (place.of === "list") this.looked.push({ key: place.key, path: [] });
      else for (const key of this.#keys ?? [""]) this.looked.push({ key, path: [] });
    }
    if (elements !== undefined) this.use(elements);
  }

  /** What was put into a list and not looked at again must be there all the same: that it is absent is an error. */
  keepEvaluated(): void {
    for (const { key, path } of this.#evaluated) {
      const isThere = this.looked.some((other) => other.key === key && path.every((step, index) => other.path[index] === step));
      if (!isThere) this.looked.push({ key, path });
    }
  }

  #evaluate(value: Value): Value {
    for (const place of value.places) if (place.of === "object") this.#evaluated.push({ key: place.key, path: place.path });
    return value;
  }

  read(expr: Expr, scope: ReadonlyMap<string, Value>): Value {
    const { exprKind } = expr;
    switch (exprKind.case) {
      case "identExpr":
        return scope.get(exprKind.value.name) ?? this.#root(exprKind.value.name);
      case "selectExpr": {
        const { operand, field, testOnly } = exprKind.value;
        const found = operand === undefined ? NOTHING : this.#inside(this.read(operand, scope), field);
        if (!testOnly) return found;
        // That a ConfigMap has data at all shows none of it.
        this.#touch(isDataOf(found) ? this.#inside(found, "") : found);
        return NOTHING;
      }
      case "listExpr":
        return { places: [], elements: this.#evaluate(this.#join(exprKind.value.elements.map((element) => this.read(element, scope)))) };
      case "callExpr":
        return this.#call(expr, exprKind.value.function, scope);
      case "comprehensionExpr": {
        const { iterRange, iterVar, accuVar, accuInit, loopCondition, loopStep, result } = exprKind.value;
        const range = iterRange === undefined ? NOTHING : this.read(iterRange, scope);
        // Its keys, where it is a map: they are seen whatever is done with them.
        for (const place of range.places) if (place.of === "object") this.looked.push({ key: place.key, path: [...place.path, "*"] });
        const element = this.#elementOf(range);
        const init = accuInit === undefined ? NOTHING : this.read(accuInit, scope);
        const inner = new Map([...scope, [iterVar, element], [accuVar, init]]);
        if (loopCondition !== undefined) this.read(loopCondition, inner);
        const step = loopStep === undefined ? NOTHING : this.read(loopStep, inner);
        return result === undefined ? NOTHING : this.read(result, new Map([...scope, [accuVar, this.#join([init, step])]]));
      }
      default:
        for (const part of partsOf(expr)) this.use(this.read(part, scope));
        return NOTHING;
    }
  }

  #root(name: string): Value {
    if (name === "objects") return { places: [this.#keys === undefined ? { of: "list", key: "" } : { of: "selections" }] };
    return name === "clusters" ? { places: [{ of: "clusters" }] } : NOTHING;
  }

  #call(expr: Expr, name: string, scope: ReadonlyMap<string, Value>): Value {
    const parts = partsOf(expr);
    const values = parts.map((part) => this.read(part, scope));
    const [left = NOTHING, right = NOTHING] = values;
    if (name === "_+_") return this.#join(values);
    if (name === "_?_:_") {
      this.use(left);
      return this.#join(values.slice(1));
    }
    if (name === "_[_]") {
      this.use(right);
      const key = constantOf(parts[1]);
      return typeof key === "string" ? this.#inside(left, key) : this.#elementOf(left);
    }
    if (name === "@in") {
      this.use(left);
      const key = constantOf(parts[0]);
      // The keys of a ConfigMap are asked for by name; what else stands right of `in` may be a list, which is seen whole.
      this.use(typeof key === "string" && isDataOf(right) ? this.#inside(right, key) : right);
      return NOTHING;
    }
    if (name === "size") {
      for (const value of values) this.#touch(value);
      return NOTHING;
    }
    for (const value of values) this.use(value);
    return NOTHING;
  }

  /** Its presence or size is seen, not what is in a list of objects. */
  #touch({ places, elements }: Value): void {
    for (const place of places) {
      if (place.of === "object") this.looked.push({ key: place.key, path: place.path });
      else for (const key of place.of === "list" ? [place.key] : (this.#keys ?? [""])) this.looked.push({ key, path: ["metadata", "name"] });
    }
    if (elements !== undefined) this.#touch(elements);
  }

  #inside({ places, elements }: Value, field: string): Value {
    const inside = places.flatMap((place): readonly Place[] => {
      switch (place.of) {
        case "object":
          return [{ ...place, path: [...place.path, field] }];
        case "cluster":
          return field === "objects" ? this.#root("objects").places : [];
        case "selections":
          return this.#keys?.includes(field) === true ? [{ of: "list", key: field }] : [];
        default:
          return [];
      }
    });
    return { places: inside, ...(elements === undefined ? {} : { elements: this.#inside(elements, field) }) };
  }

  #elementOf({ places, elements }: Value): Value {
    const inside = places.flatMap((place): readonly Place[] => {
      switch (place.of) {
        case "list":
          return [{ of: "object", key: place.key, path: [] }];
        case "object":
          return [{ ...place, path: [...place.path, "*"] }];
        case "clusters":
          return [{ of: "cluster" }];
        case "selections":
          return (this.#keys ?? []).map((key) => ({ of: "list", key }) as const);
        default:
          return [];
      }
    });
    return this.#join([{ places: inside }, ...(elements === undefined ? [] : [elements])]);
  }

  #join(values: readonly Value[]): Value {
    const places = values.flatMap((value) => value.places);
    const elements = values.flatMap((value) => value.elements ?? []);
    const unique = [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
    return { places: unique, ...(elements.length === 0 ? {} : { elements: this.#join(elements) }) };
  }
}

function isDataOf({ places }: Value): boolean {
  return places.length > 0 && places.every((place) => place.of === "object" && place.path.length === 1 && /^(data|binaryData)$/.test(place.path[0] ?? ""));
}

function constantOf(expr: Expr | undefined): unknown {
  return expr?.exprKind.case === "constExpr" ? expr.exprKind.value.constantKind.value : undefined;
}
