import type { Table, TableCell } from "#engine";
import { valuesOf } from "./assess.ts";
import { kernelOf } from "./node-rules.ts";
import type { FieldSeen, Places } from "./parity.ts";
import type { HalProfile } from "./profile.ts";
import { compareRelease, parseRelease } from "./releases.ts";
import type { ClusterResult, Line } from "./result.ts";
import { daysLeft } from "./structural.ts";

const ORDER: readonly TableCell["state"][] = ["fail", "unknown", "exempt", "pass", "none"];
type Floor = NonNullable<HalProfile["parity"]>["atLeast"][number];

/** Places across, requirements down; in each cell the tier and the value of what decides. */
export function tableOf(title: string, places: Places, seen: readonly FieldSeen[], floors: readonly Floor[], now: string): Table {
  const groups = [...places];
  const first = groups[0]?.[1][0];
  const fallbacks = [...new Set(groups.flatMap(([, results]) => results.flatMap(({ lines }) => lines.flatMap(({ fallback }) => fallback.map(({ id }) => id)))))];
  const row = (head: string, cellOf: (result: ClusterResult) => TableCell) => ({ head, cells: groups.map(([, results]) => worstOf(results.map((result) => ({ cell: cellOf(result), name: result.view.cluster.name })))) });
  return {
    type: "table",
    title,
    columns: groups.map(([place, results]) => (results.length === 1 && results[0] !== undefined && results[0].view.cluster.name !== place ? `${place || "unknown"} (${results[0].view.cluster.name})` : place || "unknown")),
    rows: [
      row("nodes", ({ nodes }) => ({ state: stateOf(nodes), text: `T1 ${nodes.text}${leftOf(nodes, now)}` })),
      ...(first?.lines ?? []).map(({ id }) => row(id, ({ lines }) => lineCell(lines.find((line) => line.id === id), now))),
      ...fallbacks.map((id) => row(id, ({ lines }) => lineCell(lines.flatMap(({ fallback }) => fallback).find((line) => line.id === id), now))),
      ...floors.map((floor) => ({ head: `least ${floor}`, cells: groups.map(([, results]) => leastCell(floor, results)) })),
      ...seen.map(({ name, places: values }) => ({ head: `same ${name}`, cells: values.map((value) => sameCell(value, values)) })),
    ],
  };
}

function worstOf(cells: readonly { readonly cell: TableCell; readonly name: string }[]): TableCell {
  const [worst] = cells.toSorted((a, b) => ORDER.indexOf(a.cell.state) - ORDER.indexOf(b.cell.state) || (a.name < b.name ? -1 : 1));
  if (worst === undefined) return { state: "none", text: "" };
  return cells.length > 1 && worst.cell.state !== "pass" && worst.cell.state !== "none" ? { ...worst.cell, text: `${worst.cell.text} in ${worst.name}` } : worst.cell;
}

function stateOf({ active, outcome }: Line): TableCell["state"] {
  return active !== undefined && outcome !== "pass" ? "exempt" : outcome;
}

function leftOf({ active, outcome }: Line, now: string): string {
  return active === undefined || outcome === "pass" ? "" : `, exempt ${daysLeft(now, active.expires)} days`;
}

function lineCell(line: Line | undefined, now: string): TableCell {
  if (line === undefined) return { state: "none", text: "" };
  const values = line.assessment === undefined ? [] : valuesOf(line.assessment);
  const [first, ...others] = values;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return { state: stateOf(line), text: `${first === undefined ? "no node" : `${first.tier === undefined ? "" : `${first.tier} `}${first.text}${more}`}${leftOf(line, now)}` };
}

function sameCell({ state, values }: FieldSeen["places"][number], all: FieldSeen["places"]): TableCell {
  const different = new Set(all.flatMap((each) => [...each.values.keys()])).size > 1;
  const text = [...values.keys()].toSorted().join(" and ");
  switch (state) {
    case "known":
      return { state: different ? "fail" : "pass", text };
    case "unknown":
      return { state: "unknown", text };
    case "exempt":
      return { state: "exempt", text: "exempt" };
    case "failing":
      return { state: "none", text: "nothing conforms" };
    default:
      return state satisfies never;
  }
}

/** The least of a place: its floor is judged where the profile asks for it. */
function leastCell(floor: Floor, results: readonly ClusterResult[]): TableCell {
  const texts = results.flatMap((result) => floorValues(floor, result));
  const read = texts.map((text) => ({ text, release: parseRelease(floor === "fpga.count" ? `${text}.0` : text) }));
  if (read.length === 0 || read.some(({ release }) => release === undefined)) return { state: texts.length === 0 ? "none" : "unknown", text: texts[0] ?? "" };
  const [least] = read.toSorted((a, b) => (a.release === undefined || b.release === undefined ? 0 : compareRelease(a.release, b.release)));
  return { state: "pass", text: least?.text ?? "" };
}

function floorValues(floor: Floor, { view, lines }: ClusterResult): readonly string[] {
  switch (floor) {
    case "kernel.min":
      return view.nodes.flatMap((node) => kernelOf(node)?.text ?? []);
    case "fpga.count":
      return lines.filter(({ id }) => id === "resources.fpga").flatMap(({ assessment }) => assessment?.nodes.flatMap(({ seen }) => seen.values?.["count"] ?? []) ?? []);
    case "ebpf.version":
      return lines.filter(({ id }) => id === "mesh.ebpf").flatMap(({ assessment }) => assessment?.nodes.flatMap(({ seen }) => seen.values?.["ebpfVersion"]?.split(" + ") ?? []) ?? []);
    default:
      return floor satisfies never;
  }
}
