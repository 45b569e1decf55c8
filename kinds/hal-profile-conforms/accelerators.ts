import type { NodeFact } from "#engine";
import { parseQuantity, quantityNumber } from "#values";
import type { HalProfile } from "./profile.ts";

type Wanted = NonNullable<NonNullable<HalProfile["node"]>["resources"]>[number];

/** One extended resource as the card that it stands for. */
export interface Accelerator {
  /** The resource, as the node names it. */
  readonly resource: string;
  readonly vendor: "amd" | "intel";
  /** Left out: its name does not tell. */
  readonly family?: string | undefined;
  readonly shell?: string | undefined;
  readonly capacity: number;
  readonly allocatable: number;
}

/**
 * The FPGAs that a node offers. Names hold the shell or the function that is loaded, so they differ between clouds and change with an upgrade:
 *
 * - Intel: `fpga.intel.com/af-…`, `fpga.intel.com/region-…`;
 * - AMD: `amd.com/xilinx_u250_gen3x16_xdma_shell_3_1-0`, of older plug-ins `xilinx.com/fpga-xilinx_u200_xdma_201830_1-1542252769`, and `amd.com/ama_u30`;
 * - whatever the profile says a name of its own stands for.
 *
 * `amd.com/gpu` is none of these. Cost: one step a resource.
 */
export function fpgasOf({ capacity = {}, allocatable = {} }: NodeFact, aliases: Wanted["aliases"]): readonly Accelerator[] {
  const names = [...new Set([...Object.keys(capacity), ...Object.keys(allocatable)])].toSorted();
  return names.flatMap((resource) => {
    const alias = aliases.find(({ name }) => name === resource);
    const card = alias === undefined ? cardOf(resource) : { vendor: alias.vendor, family: alias.family, shell: alias.shell };
    return card === undefined ? [] : [{ resource, ...card, capacity: numberOf(capacity[resource]), allocatable: numberOf(allocatable[resource]) }];
  });
}

function cardOf(resource: string): Pick<Accelerator, "vendor" | "family" | "shell"> | undefined {
  if (/^fpga\.intel\.com\/(?:af|region)-./.test(resource)) return { vendor: "intel" };
  const [, family, shell] = /^(?:amd|xilinx)\.com\/(?:fpga-)?(xilinx_[a-z0-9]+)_(.+?)-\d+$/.exec(resource) ?? [];
  if (family !== undefined && shell !== undefined) return { vendor: "amd", family, shell };
  const ama = /^(?:amd|xilinx)\.com\/(ama_[a-z0-9]+)/.exec(resource)?.[1];
  return ama === undefined ? undefined : { vendor: "amd", family: ama };
}

/** Whole numbers as Kubernetes writes them; 0 for what is none: a resource without a number offers nothing. */
function numberOf(text: string | undefined): number {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined ? 0 : Math.floor(quantityNumber(quantity));
}
