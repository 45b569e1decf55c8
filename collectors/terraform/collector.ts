import { byText, CollectError, defineCollector, type DeclaredFact, type DeclaredState, type Fact, type Gap, type Io, type Request, type Source, type StateSource } from "#engine";
import { aksThings } from "./clouds/aks.ts";
import { eksThings } from "./clouds/eks.ts";
import { gkeThings } from "./clouds/gke.ts";
import { fleetsOf, type Fleets } from "./fleets.ts";
import { join, type Declaring, type Joined, type Trouble } from "./join.ts";
import { meshThings } from "./meshes.ts";
import { stateOf, type Resource, type State } from "./state.ts";
import { defined, type Thing, type Unread } from "./things.ts";

/** What can be asked for: a request without a selector asks for all. The option `age` asks when each state was written, too. */
const SELECTORS = { cluster: "cluster", pool: "pools", mesh: "mesh", addon: "addons" } as const;

export default defineCollector<"declared">({
  name: "terraform",
  summary: "what Terraform states declare of a cluster, its node pools, add-ons and mesh, in words that all clouds share",
  provides: ["declared"],

  async *collect(cluster, requests, io) {
    const sources = io.states();
    const gapOf = gapsOf(cluster.name);
    if (sources.length === 0) {
      return yield gapOf({ subject: cluster.name, reason: `the fleet names no Terraform state of \`${cluster.name}\``, remedy: `write \`terraform:\` at \`${cluster.name}\` in the fleet file, or select other clusters` });
    }
    const found = await Promise.all(sources.map((source) => read(source, io)));
    io.signal.throwIfAborted();
    const states = found.filter((each) => "state" in each);
    for (const each of found) if ("trouble" in each) yield gapOf(each.trouble);
    for (const each of states) yield factOf(cluster.name, each.source, `state ${each.declaring.name}`, dataOf(each, requests.some(({ options }) => options?.["age"] === true)));
    for (const each of states) for (const trouble of oldForms(each)) yield gapOf(trouble);
    if (states.length === 0) return;

    const latest = states.filter((each) => !states.some((other) => supersedes(other, each)));
    const fleets = fleetsOf(latest.map(({ state }) => state.resources));
    const newest = latest.map((each, index) => ({ ...each, declaring: { ...each.declaring, things: [...each.declaring.things, ...(fleets.meshes[index] ?? [])] } }));
    const { things, troubles } = join(newest.map(({ declaring }) => declaring), cluster.name);
    for (const trouble of [...troubles, ...perhapsMembers(things, fleets)].filter(({ about }) => isAsked(about, requests))) yield gapOf(trouble);
    for (const { from, thing } of things) {
      const state = newest.find(({ declaring }) => declaring === from);
      if (state !== undefined && (thing.of === "cluster" || isAsked(thing.of, requests))) yield factOf(cluster.name, state.source, `${from.name} ${thing.of} ${nameOf(thing)}`, { ...thing.data, state: from.name });
    }
  },

  everything: () => Object.values(SELECTORS).map((selector) => ({ fact: "declared", selector })),
});

interface Read {
  readonly state: State;
  readonly source: Source;
  readonly declaring: Declaring;
  readonly told: Pick<DeclaredState, "modified" | "locked">;
}

/** One state; of its bytes nothing is left when this returns. What cannot be read is told, and the other states are still there. */
async function read({ name, cluster: hint, lineage, read: readNow }: StateSource, io: Io): Promise<Read | { readonly trouble: Trouble }> {
  try {
    const found = await readNow();
    io.progress(`state ${name}`);
    const state = stateOf(found, name);
    if (lineage !== undefined && lineage.toLowerCase() !== state.lineage?.toLowerCase()) return { trouble: ofAnotherLineage(name, lineage, state) };
    const { locator, sha256: digest, modified, locked = false } = found;
    const things = [...state.resources.flatMap(ofClouds), ...meshThings(state.resources)];
    return { state, source: { collector: "terraform", locator, digest }, declaring: { name, hint, things }, told: { modified, locked } };
  } catch (error) {
    if (!(error instanceof CollectError) || io.signal.aborted) throw error;
    return { trouble: { subject: name, reason: error.message, remedy: error.remedy } };
  }
}

function ofAnotherLineage(name: string, pinned: string, { lineage, empty }: State): Trouble {
  const is = empty ? "was not written yet" : lineage === undefined ? "has no lineage" : `has the lineage \`${lineage}\``;
  // A subject of its own: who lives with a state that cannot be read does not live with another one in its place.
  return { subject: `${name} lineage`, reason: `the state \`${name}\` ${is}, and the fleet pins \`${pinned}\`: it was made anew, or another one was put in its place`, remedy: "look who wrote it; if that was meant, correct `lineage` of that source in the fleet file" };
}

function ofClouds(resource: Resource): readonly (Thing | Unread)[] {
  return [...eksThings(resource), ...gkeThings(resource), ...aksThings(resource)];
}

/** The same state, kept in two places: the later writing counts. */
function supersedes(other: Read, one: Read): boolean {
  if (other === one || one.state.lineage === undefined || other.state.lineage !== one.state.lineage) return false;
  const [newer, older] = [BigInt(other.state.serial ?? 0), BigInt(one.state.serial ?? 0)];
  return newer === older ? byText(other.declaring.name, one.declaring.name) < 0 : newer > older;
}

/** A cluster of Google's of which no state says whether it is a member of the fleet whose mesh is managed. */
function perhapsMembers(things: Joined["things"], { known, open }: Fleets): readonly Trouble[] {
  const found = things.find(({ thing }) => thing.of === "cluster")?.thing;
  if (open === undefined || found?.of !== "cluster" || found.data.cloud !== "gcp" || known.has(found.data.id.toLowerCase())) return [];
  const { name } = found.data;
  return [{ about: "mesh", subject: open.address, reason: `\`${open.address}\` has the mesh of members of a fleet managed, and no state says whether \`${name}\` is one of them`, remedy: `name the state with the membership of \`${name}\` (\`google_gke_hub_membership\`) in the fleet file too, or refresh the one with the cluster` }];
}

function oldForms({ state, declaring }: Read): readonly Trouble[] {
  return state.flat.map((address) => ({
    subject: address,
    reason: `\`${address}\` in the state \`${declaring.name}\` is still in the form of Terraform 0.11`,
    remedy: "have a newer Terraform write it: `terraform apply -refresh-only`",
  }));
}

/** When it was written is said only where somebody asks: a file has another time in every checkout, and is the same state. */
function dataOf({ state, told: { modified, locked } }: Read, withAge: boolean): DeclaredState {
  const { lineage, serial, empty, deposed } = state;
  return defined({ what: "state", lineage, serial, modified: withAge ? modified : undefined, locked, empty, deposed: deposed.toSorted() });
}

function nameOf({ data }: Thing): string {
  return data.what === "mesh" ? data.address : `${data.name} ${data.address}`;
}

function isAsked(about: Trouble["about"], requests: readonly Request[]): boolean {
  return about === undefined || requests.some(({ selector }) => selector === undefined || selector === SELECTORS[about]);
}

function gapsOf(cluster: string): (trouble: Trouble) => Gap {
  return ({ about, subject, reason, remedy }) => ({ type: "gap", kind: "declared", cluster, ...(about === undefined ? {} : { selector: SELECTORS[about] }), subject, reason, remedy });
}

function factOf(cluster: string, source: Source, subject: string, data: DeclaredFact): Fact<"declared"> {
  return { type: "fact", kind: "declared", cluster, subject, data, source };
}
