const FAMILIES: readonly (readonly [family: string, start: RegExp])[] = [
  ["bottlerocket", /^bottlerocket\b/i],
  ["al2023", /^amazon linux 2023\b/i],
  ["al2", /^amazon linux 2(?!\d)/i],
  ["cos", /^container-optimized os\b/i],
  ["azurelinux", /^(?:microsoft )?azure linux\b|^cbl-mariner\b/i],
  ["ubuntu", /^ubuntu\b/i],
  ["rhel", /^red hat enterprise linux\b/i],
  ["openeuler", /^openeuler\b/i],
  ["flatcar", /^flatcar\b/i],
  ["debian", /^debian\b/i],
  ["talos", /^talos\b/i],
];

/** Which family an `osImage` is of, as nodes write it (`Amazon Linux 2023.8.20250915`). Undefined where it is none that is known. */
export function systemOf(osImage: string): string | undefined {
  return FAMILIES.find(([, start]) => start.test(osImage))?.[0];
}

/** The families that are known. */
export const SYSTEMS: readonly string[] = FAMILIES.map(([family]) => family);
