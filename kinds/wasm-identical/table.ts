import { byText, type Judgement, type Table, type TableCell } from "#engine";
import { oddOnes } from "./bytes.ts";
import type { Lacking } from "./presence.ts";
import type { Module, Row } from "./rows.ts";
import type { Spec } from "./spec.ts";
import { briefly } from "./words.ts";

/** A module with what was found about it. */
export interface Compared {
  readonly module: Module;
  readonly lacking: Lacking;
  /** Each cites the clusters that it is about, and no others. */
  readonly own: readonly Judgement[];
}

/** Which cluster has what, and who signed it: clusters across, modules down, those first that need somebody. */
export function tableOf(compared: readonly Compared[], clusters: readonly string[], presence: Spec["presence"]): Table {
  const rows = compared.map((each) => ({ head: each.module.name, cells: clusters.map((cluster) => cellOf(each, cluster, presence)) }));
  const urgency = ({ cells }: (typeof rows)[number]): number => Math.min(...cells.map(({ state }) => ORDER.indexOf(state)));
  return { type: "table", title: "modules", columns: clusters, rows: rows.toSorted((a, b) => urgency(a) - urgency(b) || byText(a.head, b.head)) };
}

const ORDER: readonly TableCell["state"][] = ["fail", "unknown", "exempt", "pass", "none"];

function cellOf({ module, lacking, own }: Compared, cluster: string, presence: Spec["presence"]): TableCell {
  const row = module.rows.find((each) => each.cluster === cluster);
  if (row !== undefined) return { state: stateOf(row, own, oddOnes(module)), text: briefly(row) };
  if (lacking.absent.includes(cluster)) return presence === "shared" ? { state: "none", text: "" } : { state: "fail", text: "not there" };
  return { state: "unknown", text: "not seen" };
}

function stateOf({ cluster, bytes }: Row, own: readonly Judgement[], odd: readonly string[]): TableCell["state"] {
  const isAbout = (each: Judgement): boolean => (each.type === "gap" ? each.cluster === cluster : each.type === "finding" && each.evidence.some((item) => item.cluster === cluster));
  const about = own.filter(isAbout);
  if (odd.includes(cluster) || about.some((each) => each.type === "finding" && each.outcome === "fault")) return "fail";
  return !bytes.known || about.some((each) => each.type === "gap" || (each.type === "finding" && each.outcome === "undecided")) ? "unknown" : "pass";
}
