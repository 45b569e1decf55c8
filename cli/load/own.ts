import { UserError, type JsonObject } from "#engine";
import type { Document } from "../../clients/documents/index.ts";
import { UserErrors } from "../errors.ts";
import assertion from "../schemas/assertion.json" with { type: "json" };
import fleet from "../schemas/fleet.json" with { type: "json" };
import istioMap from "../schemas/istio-map.json" with { type: "json" };
import { problemsOf } from "./problems.ts";
import { validatorOf } from "./schema.ts";

/** The schemas of what this tool itself reads, and their validators compiled ahead. */
const OWN: Readonly<Record<"assertion" | "fleet" | "istioMap", { readonly schema: JsonObject; readonly ahead: () => Promise<unknown> }>> = {
  assertion: { schema: assertion, ahead: () => import("../schemas/assertion.generated.js") },
  fleet: { schema: fleet, ahead: () => import("../schemas/fleet.generated.js") },
  istioMap: { schema: istioMap, ahead: () => import("../schemas/istio-map.generated.js") },
};

/** What is wrong with a value that was read from a document. Fills its defaults in. */
export async function checkOwn(name: keyof typeof OWN, value: unknown, document: Document): Promise<readonly UserError[]> {
  const { schema, ahead } = OWN[name];
  const validate = await validatorOf(schema, await ahead().catch(() => undefined));
  return problemsOf(validate(value), { document, base: [], value, schema });
}

/** Throws what was found wrong: the one error, or all of them together. */
export function throwAll(problems: readonly UserError[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  throw others.length === 0 ? first : new UserErrors(problems.slice(0, MOST_TOLD));
}

/** A person repairs the first few and runs again. */
const MOST_TOLD = 50;
