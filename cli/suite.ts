import { needsOf, type Assertion, type Snapshot } from "#engine";
import type { ToJudge } from "./assertions.ts";
import type { Flags } from "./flags.ts";
import type { Fleet } from "./load/index.ts";

/**
 * The built-in suite as it suits this fleet: what compares clusters with their Terraform states is about those that name one; where none does,
 * it is not in the run, and a note says so. Whoever names it with `--only` gets it as it is, and is told what is missing.
 */
export function fitted(loaded: ToJudge, fleet: Fleet, { only }: Pick<Flags, "only">, saved?: ReadonlyMap<string, Snapshot>): ToJudge {
  if (!loaded.builtIn) return loaded;
  const names = fleet.clusters.filter(({ cluster, terraform }) => terraform.length > 0 || wasAsked(saved?.get(cluster.name))).map(({ cluster }) => cluster.name);
  const rests = (assertion: Assertion) => !only.includes(assertion.name) && needsOf(assertion, loaded.kinds).some(({ fact }) => fact === "declared");
  const { assertions } = loaded;
  if (names.length === fleet.clusters.length || !assertions.some(rests)) return loaded;
  if (names.length > 0) return { ...loaded, assertions: assertions.map((assertion) => (rests(assertion) ? { ...assertion, clusters: { names } } : assertion)) };
  const left = assertions.filter(rests).map(({ name }) => `\`${name}\``);
  return { ...loaded, assertions: assertions.filter((assertion) => !rests(assertion)), notes: [...loaded.notes, `no cluster of the fleet names a Terraform state: ${left.join(", ")} of the built-in suite ${left.length === 1 ? "is" : "are"} not in the run`] };
}

function wasAsked(snapshot: Snapshot | undefined): boolean {
  return snapshot?.asked.some(({ fact }) => fact === "declared") === true;
}
