import { assume, byText, cite, fault, gap, undecided, type Fact, type Finding, type Judgement, type WasmPlace, type World } from "#engine";
import { ownNames, type Mapping, type Module } from "./rows.ts";
import { citeRow, clustersText } from "./words.ts";

type Wasm = World<"wasm-images" | "wasm-loaded" | "wasm-modules">;
type PlaceFact = Fact<"wasm-modules"> & { readonly data: WasmPlace };

const FORMS = ["EnvoyFilter", "TrafficExtension", "WasmPlugin"];

function placeOf(world: Wasm, cluster: string): PlaceFact | undefined {
  return world.facts("wasm-modules", cluster).find((fact): fact is PlaceFact => fact.data.type === "place");
}

/** What a folder of manifests leaves open: that it holds no object of a kind says nothing about the cluster. */
export function* places(world: Wasm): Iterable<Judgement> {
  for (const { name } of world.clusters) {
    const place = placeOf(world, name);
    if (place === undefined || place.data.complete || place.data.unseen.length === 0) continue;
    const { unseen } = place.data;
    if (FORMS.every((form) => unseen.includes(form))) {
      yield gap({ kind: "wasm-modules", cluster: name, subject: `${name}/modules`, reason: `the manifests hold no ${FORMS.slice(0, 2).join(", no ")} and no WasmPlugin, which does not show that the cluster has none`, remedy: "add them to the folder, or write `complete: true` if it is the whole dump" });
    } else {
      yield assume(`no ${unseen.join(" and no ")} in the cluster declares a Wasm module: the manifests hold none`, `\`${name}\``);
    }
  }
}

/** Clusters that lack a module. */
export interface Lacking {
  /** By name. There, and not in these. */
  readonly absent: readonly string[];
  /** By name. It may be there: not all was seen. */
  readonly open: readonly string[];
}

/** What was not seen is not absent; a cluster of which a gap tells is in neither list. */
export function lackingOf(module: Module, world: Wasm, mapping: Mapping): Lacking {
  const there = module.rows.map(({ cluster }) => cluster);
  const lacking = world.clusters.map(({ name }) => name).filter((name) => !there.includes(name) && world.complete("wasm-modules", name)).toSorted(byText);
  const open = lacking.filter((name) => mayHide(ownNames(module.base, name, mapping), placeOf(world, name)?.data));
  return { absent: lacking.filter((name) => !open.includes(name)), open };
}

/** Findings about clusters that should have the module. */
export function* missing(module: Module, { absent, open }: Lacking, world: Wasm, mapping: Mapping): Iterable<Finding> {
  if (absent.length > 0) yield absence(module, absent, world, mapping);
  if (open.length > 0) yield openness(module, open);
}

function mayHide(names: readonly string[], place: WasmPlace | undefined): boolean {
  if (place === undefined) return true;
  const { namespaces } = place;
  if (namespaces !== undefined && names.some((name) => !namespaces.includes(name.split("/")[0] ?? ""))) return true;
  return !place.complete && place.unseen.length > 0;
}

function absence({ name, base, rows }: Module, absent: readonly string[], world: Wasm, mapping: Mapping): Finding {
  const there = rows.map(({ cluster }) => cluster);
  const unmapped = absent.find((cluster) => ownNames(base, cluster, mapping)[0] === base);
  const mapIt = unmapped === undefined ? "" : `; where it has another name there, write it into \`mapping\`: \`${unmapped}: { NAMESPACE/NAME: ${base} }\``;
  return fault({
    subject: name,
    cause: `missing in ${absent.join(" ")}`,
    message: `\`${name}\` is in ${clustersText(there)} and not in ${clustersText(absent)}`,
    remedy: `declare it in ${clustersText(absent)} or delete it in ${clustersText(there)}${mapIt}; or compare only what all have with \`presence: shared\``,
    evidence: [...rows.map(citeRow), ...absent.flatMap((cluster) => {
      const place = placeOf(world, cluster);
      return place === undefined ? [] : [cite(place, "module", "none of this name")];
    })],
  });
}

function openness({ name, rows }: Module, open: readonly string[]): Finding {
  return undecided({
    subject: name,
    cause: `unseen in ${open.join(" ")}`,
    message: `\`${name}\` may or may not be in ${clustersText(open)}: not everything that may declare it was seen there`,
    remedy: "write `complete: true` if the folder is the whole dump of the cluster, or let this identity list its namespace",
    evidence: rows.map(citeRow),
  });
}
