import { byText, cite, fault, gap, info, type Finding, type Judgement } from "#engine";
import { parseDuration } from "#values";
import type { Spec } from "./spec.ts";
import { citeDeclared, type StateFact, type View } from "./view.ts";
import { several } from "./words.ts";

/** What a reader should know of the states themselves, and how old they may be. */
export function* stateNotes(view: View, { maxStateAge }: Spec, now: string): Iterable<Judgement> {
  for (const state of view.states) {
    if (maxStateAge !== undefined) yield* age(view, state, maxStateAge, now);
    yield* notes(view, state);
  }
  yield* copies(view);
  yield* claimed(view);
  yield* replaced(view);
}

function nameOf({ subject }: StateFact): string {
  return subject.replace(/^state /, "");
}

function* age({ name }: View, state: StateFact, maxStateAge: string, now: string): Iterable<Judgement> {
  const shown = nameOf(state);
  const { modified } = state.data;
  if (modified === undefined) {
    return yield gap({ kind: "declared", cluster: name, subject: `${name}/${shown}`, reason: `the backend of the state \`${shown}\` does not tell when it was written last`, remedy: "read it from a backend that does (a file, s3, gcs, azurerm, kubernetes, hcp), or leave `maxStateAge` out" });
  }
  const allowed = Number((parseDuration(maxStateAge) ?? 0n) / 1_000_000_000n);
  const seconds = (Date.parse(now) - Date.parse(modified)) / 1000;
  if (seconds <= allowed) return;
  yield fault({
    subject: `${name}/${shown}`,
    cause: `${name} ${shown} is old`,
    message: `the state \`${shown}\` of \`${name}\` was written ${Math.floor(seconds / 3600)} h ago; allowed: ${maxStateAge}`,
    remedy: "write it anew: `terraform apply -refresh-only`",
    evidence: [cite(state, "written", modified)],
  });
}

function* notes({ name }: View, state: StateFact): Iterable<Finding> {
  const shown = nameOf(state);
  const { locked, empty, deposed } = state.data;
  const about = (what: string, message: string, remedy: string) => info({ subject: `${name}/${shown}`, cause: `${name} ${shown} ${what}`, message, remedy, evidence: [cite(state, "state", what)] });
  if (locked) yield about("locked", `the state \`${shown}\` of \`${name}\` was locked while it was read: somebody may be applying`, "run again when that has ended");
  if (empty) yield about("empty", `no state was written yet at \`${shown}\` of \`${name}\``, "apply the configuration, or take the source out of the fleet file");
  if (deposed.length > 0) yield about("deposed", `${several(deposed)} in the state \`${shown}\` of \`${name}\` ${deposed.length === 1 ? "is" : "are"} left from a replacement, and count for nothing`, "`terraform apply` destroys what is left");
}

/** The same state under two names. */
function* copies({ name, states }: View): Iterable<Finding> {
  for (const [lineage, group] of Map.groupBy(states, ({ data }) => data.lineage)) {
    const [first] = group;
    if (lineage === undefined || first === undefined || group.length < 2) continue;
    const names = group.map((state) => `\`${nameOf(state)}\` (serial ${state.data.serial ?? "unknown"})`).toSorted(byText);
    yield info({ subject: `${name}/states`, cause: `${name} copies ${lineage}`, message: `${names.join(" and ")} of \`${name}\` are one state: the later serial was read`, remedy: "name it once", evidence: group.map((state) => cite(state, "serial", state.data.serial ?? "unknown")) });
  }
}

/** Two histories of states that each believe to manage the cluster: every apply of one undoes the other's. */
function* claimed(view: View): Iterable<Finding> {
  const managing = view.clusters.filter(({ data }) => data.mode === "managed");
  const names = [...new Set(managing.map(({ data }) => data.state))].toSorted(byText);
  const [first] = managing;
  if (first === undefined || names.length < 2) return;
  yield info({
    subject: `${view.name}/states`,
    cause: `${view.name} claimed ${names.join(" ")}`,
    message: `the states ${several(names)} of \`${view.name}\` manage the cluster \`${first.data.name}\`: each apply of one undoes the other's, and each is compared with what runs`,
    remedy: "let one of them manage it (`terraform state rm` in the others), and read it there with a data source",
    evidence: managing.map((fact) => citeDeclared(view, fact, fact.data.version ?? "no version")),
  });
}

function* replaced(view: View): Iterable<Finding> {
  const things = [...view.clusters, ...view.pools, ...view.meshes].filter(({ data }) => data.tainted === true);
  for (const fact of [...new Map(things.map((each) => [each.data.address, each])).values()]) {
    yield info({ subject: `${view.name}/${fact.data.address}`, cause: `${view.name} ${fact.data.address} tainted`, message: `\`${fact.data.address}\` in the state \`${fact.data.state}\` is tainted: the next \`terraform apply\` of \`${view.name}\` replaces it`, remedy: "`terraform untaint` where that is not meant", evidence: [citeDeclared(view, fact, "tainted")] });
  }
}
