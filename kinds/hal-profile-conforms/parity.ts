import { byText, cite, fault, gap, undecided, type Fact, type Judgement } from "#engine";
import type { HalProfile } from "./profile.ts";
import type { ClusterResult, Line } from "./result.ts";
import { named } from "./rules.ts";
import type { Seen } from "./tiers.ts";

type Parity = NonNullable<HalProfile["parity"]>;
export type Field = Parity["compare"][number];

/** Where the values of a field are seen: a requirement, and the name under which it keeps them. */
const FIELDS: Readonly<Record<Field, { readonly requirement: string; readonly key: string }>> = {
  arch: { requirement: "node.arch", key: "arch" },
  os: { requirement: "node.os", key: "os" },
  handlers: { requirement: "runtime.class", key: "handlers" },
  shim: { requirement: "runtime.shim", key: "shim" },
  ebpf: { requirement: "mesh.ebpf", key: "ebpf" },
  ebpfVersion: { requirement: "mesh.ebpf", key: "ebpfVersion" },
  ebpfConfig: { requirement: "mesh.ebpf.config", key: "ebpfConfig" },
  hooks: { requirement: "mesh.ebpf.hooks", key: "hooks" },
  moduleDigest: { requirement: "modules.", key: "module " },
  signer: { requirement: "modules.", key: "signer " },
  vendor: { requirement: "resources.fpga", key: "vendor" },
  family: { requirement: "resources.fpga", key: "family" },
  shell: { requirement: "resources.fpga", key: "shell" },
  bitstream: { requirement: "accelerator.bitstreams", key: "bitstream" },
  dataplane: { requirement: "mesh.dataplane", key: "dataplane" },
};

/** The requirement without which nothing of a field is seen; one that ends in a dot stands for all that start so. */
export function requirementOf(field: Field): string {
  return FIELDS[field].requirement;
}

/** What one place shows of one field. */
interface PlaceValue {
  readonly place: string;
  readonly state: "known" | "unknown" | "exempt" | "failing";
  readonly values: ReadonlyMap<string, Fact>;
  /** Of modules: SHA-256 of their bytes; left out: not all were read. */
  readonly bytes?: ReadonlySet<string> | undefined;
}

/** One field over all places. */
export interface FieldSeen {
  readonly field: Field;
  /** As the report names it: the field, of modules with their name. */
  readonly name: string;
  readonly places: readonly PlaceValue[];
}

/** Clusters of one cloud, one region, or one cluster. */
export type Places = ReadonlyMap<string, readonly ClusterResult[]>;

/** By what the profile calls a place; clusters that do not tell theirs are under "". */
export function placesOf(results: readonly ClusterResult[], across: Parity["across"][number]): Places {
  const keyOf = ({ view }: ClusterResult) => (across === "cloud" ? view.cloud : across === "cluster" ? view.cluster.name : regionOf(view)) ?? "";
  return new Map([...Map.groupBy(results, keyOf)].toSorted(([a], [b]) => byText(a, b)));
}

function regionOf({ cluster, nodes }: ClusterResult["view"]): string | undefined {
  const told = new Set(nodes.map(({ node }) => node.labels["topology.kubernetes.io/region"]));
  return cluster.region ?? (told.size === 1 ? [...told][0] : undefined);
}

/** Values of each compared field, place by place. */
export function fieldsSeen({ compare }: Parity, places: Places): readonly FieldSeen[] {
  const first = [...places.values()].flat()[0];
  return compare.flatMap((field) => {
    const { requirement, key } = FIELDS[field];
    if (!requirement.endsWith(".")) return [seenOf(field, field, requirement, key, places)];
    const ids = (first?.lines ?? []).filter(({ id }) => id.startsWith(requirement)).map(({ id }) => id);
    return ids.map((id) => seenOf(field, `${field} of ${id.slice(requirement.length)}`, id, `${key}${id.slice(requirement.length)}`, places));
  });
}

function seenOf(field: Field, name: string, requirement: string, key: string, places: Places): FieldSeen {
  return { field, name, places: [...places].map(([place, results]) => placeValue(place, results, requirement, key)) };
}

function placeValue(place: string, results: readonly ClusterResult[], requirement: string, key: string): PlaceValue {
  const lines = results.flatMap(({ view, lines: all }) => all.filter(({ id }) => id === requirement).map((line) => ({ view, line })));
  const asked = lines.filter(({ line }) => line.active === undefined || line.outcome === "pass");
  if (asked.length === 0) return { place, state: "exempt", values: new Map() };
  const conforming = asked.filter(({ line }) => line.outcome === "pass");
  const values = new Map<string, Fact>();
  const bytes = new Set<string | undefined>();
  let open = asked.some(({ line }) => line.outcome === "unknown");
  for (const { view, line } of conforming) {
    for (const { seen, fact } of sightings(line, view)) {
      const value = seen.values?.[key];
      bytes.add(seen.values?.[key.replace(/^module /, "bytes ")]);
      if (value === undefined) open = true;
      else if (!values.has(value)) values.set(value, fact);
    }
  }
  const read = [...bytes].filter((each) => each !== undefined);
  return { place, state: open ? "unknown" : values.size > 0 ? "known" : "failing", values, ...(read.length === bytes.size && read.length > 0 ? { bytes: new Set(read) } : {}) };
}

function sightings({ assessment }: Line, view: ClusterResult["view"]): readonly { readonly seen: Seen; readonly fact: Fact }[] {
  if (assessment?.cluster !== undefined) {
    const fact = assessment.cluster.fact ?? view.nodes[0]?.fact;
    return fact === undefined ? [] : [{ seen: assessment.cluster, fact }];
  }
  return (assessment?.nodes ?? []).filter(({ seen }) => seen.outcome === "pass").map(({ seen, view: node }) => ({ seen, fact: seen.fact ?? node.fact }));
}

/** Says of every field whether the places are alike. Two places at least must be comparable, else nothing is decided. */
export function* parityFindings(seen: readonly FieldSeen[], places: Places, { profile, across }: { readonly profile: string; readonly across: string }): Iterable<Judgement> {
  const nameless = places.get("") ?? [];
  const clusters = nameless.map(({ view }) => view.cluster.name);
  if (clusters.length > 0) yield gap({ subject: `parity of ${profile}`, reason: `parity is across ${across}, and nothing tells the ${across} of ${named(clusters)}`, remedy: `write \`${across}:\` at these clusters in the fleet file` });
  if (places.size < 2) {
    yield gap({ subject: `parity of ${profile}`, reason: `parity compares places (${across}), and the assertion selects ${places.size === 0 ? "none" : `only \`${[...places.keys()][0] ?? ""}\``}`, remedy: `select clusters of two or more, or leave \`parity\` out of the profile` });
    return;
  }
  for (const each of seen) yield* fieldFindings(each, profile);
}

function* fieldFindings({ field, name, places }: FieldSeen, profile: string): Iterable<Judgement> {
  const all = new Map(places.flatMap(({ values }) => [...values]));
  const told = places.filter(({ values }) => values.size > 0).map(({ place, values }) => `${[...values.keys()].toSorted(byText).join(" and ")} in \`${place}\``);
  const evidence = places.flatMap(({ place, values }) => [...values].map(([value, fact]) => cite(fact, `${name} in ${place}`, value)));
  const words = { subject: `parity/${name}`, cause: `${profile} ${name} ${places.map(({ place, values }) => `${place}=${[...values.keys()].toSorted(byText).join("+")}`).join("|")}`, evidence };
  const exempt = places.filter(({ state }) => state === "exempt").map(({ place }) => place);
  // digests of an index and of its images differ, and so do those of two wrappings of one module: its bytes decide
  const bytes = field === "moduleDigest" ? bytesOf(places) : undefined;
  if (all.size > 1 && bytes !== "the same") {
    const message = `\`${name}\` of \`${profile}\` is not the same everywhere: ${told.join(", ")}`;
    if (bytes === "not read") yield undecided({ ...words, message: `${message}; whether these are the same bytes was not read`, remedy: "roll out one digest of the module everywhere, or let the registry be read" });
    else yield fault({ ...words, message, remedy: `bring the clouds in line, or leave \`${field}\` out of \`parity.compare\`` });
  } else if (exempt.length > 0 && exempt.length >= places.length - 1) {
    yield undecided({ ...words, message: `\`${name}\` of \`${profile}\` is compared with nothing: ${named(exempt)} ${exempt.length === 1 ? "is" : "are"} exempt, which leaves ${places.length - exempt.length} of ${places.length} places`, remedy: `leave \`${field}\` out of \`parity.compare\` while these exemptions last`, evidence: evidence.length > 0 ? evidence : placeEvidence(exempt) });
  } else {
    const open = places.filter(({ state }) => state === "unknown").map(({ place }) => place);
    if (open.length > 0) yield undecided({ ...words, message: `whether \`${name}\` of \`${profile}\` is the same everywhere is not decided: it is not known of all in ${named(open)}${told.length === 0 ? "" : `; seen: ${told.join(", ")}`}`, remedy: `settle what is undecided there, or leave \`${field}\` out of \`parity.compare\``, evidence: evidence.length > 0 ? evidence : placeEvidence(open) });
  }
}

/** Whether a module is the same bytes in all places that show it. */
function bytesOf(places: readonly PlaceValue[]): "the same" | "different" | "not read" {
  const shown = places.filter(({ values }) => values.size > 0);
  const all = new Set(shown.flatMap(({ bytes }) => [...(bytes ?? [])]));
  if (all.size > 1) return "different";
  return shown.every(({ bytes }) => bytes !== undefined) ? "the same" : "not read";
}

function placeEvidence(places: readonly string[]) {
  return places.map((place) => ({ cluster: place, label: "parity", value: "no value", source: { collector: "kubernetes", locator: "/api/v1/nodes" } }));
}
