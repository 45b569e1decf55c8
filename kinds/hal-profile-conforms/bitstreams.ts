import type { NodeFact, SpecFault } from "#engine";
import { fpgasOf } from "./accelerators.ts";
import { labelOf } from "./node-rules.ts";
import type { HalProfile } from "./profile.ts";
import { onNode, type Draft } from "./rules.ts";
import { fail, pass, unknown, type Seen, type Tier } from "./tiers.ts";
import type { ClusterView, NodeView } from "./view.ts";

type Bitstreams = NonNullable<HalProfile["accelerator"]>["bitstreams"];

/** One design as something on a node names it. */
interface Loaded {
  readonly id: string;
  readonly tier: Tier;
}

/** What a profile asks of the designs in accelerators. */
export function bitstreamRule({ bitstreams }: NonNullable<HalProfile["accelerator"]>): Draft {
  return { id: "accelerator.bitstreams", wanted: "one of the designs that count as the same", rule: onNode((node, view) => seeLoaded(node, view, bitstreams)) };
}

const WAY = "read it on the node (`fpga-describe-local-image`, `xbutil examine`), and have a program there write it into a label that `accelerator.bitstreams.nfd` names; or exempt this requirement for the time being";

/**
 * What is loaded into a card changes while the node runs, and few objects tell:
 *
 * - Intel's device plug-in names the function that a card holds (`fpga.intel.com/af-…`);
 * - a label that the profile names, which a program of the user's writes.
 *
 * A card of which neither tells is unknown, and a design that no entry names for this cloud is another one.
 */
function seeLoaded(view: NodeView, { cloud }: ClusterView, { equivalence, nfd }: Bitstreams): Seen {
  if (cloud === undefined) return unknown("designs of a cloud that nobody knows", "write `cloud:` at this cluster in the fleet file");
  const sets = equivalence.map((entry) => (Object.hasOwn(entry, cloud) ? entry[cloud] : undefined));
  if (sets.every((id) => id === undefined)) return unknown(`no design for ${cloud} in the profile`, `add \`${cloud}\` to an entry of \`accelerator.bitstreams.equivalence\`, or exempt this requirement there`);
  const label = nfd === undefined ? undefined : labelOf(view, nfd);
  if (label?.doubt !== undefined) return label.doubt;
  const functions = functionsOf(view.node);
  const told: readonly Loaded[] = [...functions.known.map((id): Loaded => ({ id, tier: "T1" })), ...(label?.value === undefined ? [] : [{ id: label.value, tier: "T2" } as const])];
  if (told.length === 0 || (functions.others > 0 && label?.value === undefined)) return unknown(`bitstream unverified: ${nfd === undefined ? "nothing tells" : `no label ${nfd}`} what is loaded into ${told.length === 0 ? "a card" : "every card"}`, WAY);
  const found = told.map(({ id, tier }) => ({ id, tier, set: sets.findIndex((each) => each !== undefined && isSame(each, id)) }));
  const tier = found.some((each) => each.tier === "T1") ? "T1" : "T2";
  const text = [...new Set(found.map(({ id }) => id))].join(", ");
  const strange = found.find(({ set }) => set < 0);
  if (strange !== undefined) return fail(strange.tier, `${strange.id}, which counts as none of the designs`, `load one of ${sets.filter((id) => id !== undefined).join(", ")}, or add it to the entry of \`accelerator.bitstreams.equivalence\` that it equals`);
  return pass(tier, text, { values: { bitstream: [...new Set(found.map(({ set }) => `design ${set + 1}`))].toSorted().join(" + ") } });
}

/** Ids are written with or without what they are (`afu:`, `sha256:`), in either case. */
function isSame(declared: string, seen: string): boolean {
  return bare(declared) === bare(seen);
}

function bare(id: string): string {
  return id.toLowerCase().replace(/^[a-z][a-z0-9]*:/, "");
}

/** Functions that cards of Intel hold, as `afu:…`, and how many kinds of resource tell none. */
function functionsOf(node: NodeFact): { readonly known: readonly string[]; readonly others: number } {
  const cards = fpgasOf(node, []).filter(({ capacity }) => capacity > 0);
  const known = cards.map(({ resource }) => functionOf(resource));
  return { known: known.filter((id) => id !== undefined), others: known.filter((id) => id === undefined).length };
}

/**
 * The function in a name of Intel's plug-in: `af-`, three digits of the interface, three of the function, and both whole, 16 bytes each.
 * Source: `pkg/fpga/devtypes.go`. Undefined for every other name, also one whose digits contradict its bytes.
 */
function functionOf(resource: string): string | undefined {
  const [, start = "", middle = "", packed] = /^fpga\.intel\.com\/af-([0-9a-f]{3})\.([0-9a-f]{3})\.([A-Za-z0-9_-]{43})$/.exec(resource) ?? [];
  if (packed === undefined) return undefined;
  const bytes = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const hex = [...bytes].map((each) => each.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const [made, held] = [hex.slice(0, 32), hex.slice(32)];
  return made.startsWith(start) && held.startsWith(middle) ? `afu:${held}` : undefined;
}

/** Designs that would be two at once, and ids that no label can hold. */
export function* faultsOfBitstreams({ equivalence, nfd }: Bitstreams): Iterable<SpecFault> {
  const seen = new Set<string>();
  for (const [index, entry] of equivalence.entries()) {
    for (const [cloud, id] of Object.entries(entry)) {
      const path = ["accelerator", "bitstreams", "equivalence", index, cloud];
      const key = `${cloud}\0${bare(id)}`;
      if (seen.has(key)) yield { path, message: `\`${id}\` stands in two entries for \`${cloud}\``, remedy: "join the entries: what equals one of them equals the other" };
      seen.add(key);
      if (nfd !== undefined && bare(id).length > 63) yield { path, message: `\`${id}\` has more than the 63 characters that a label can hold`, remedy: "write what the label holds: of an xclbin its UUID (`xbutil examine`), 32 digits" };
    }
  }
}
