/** Machines of Nvidia's with Arm processors of their own. */
const GRACE = /gb[23]00/i;

/** The architecture of an EKS node group, from the image it boots, else from its instance types; undefined where these disagree or do not tell. */
export function archOfEks(amiType: string | undefined, instanceTypes: readonly string[]): string | undefined {
  if (amiType !== undefined && /(?:^|_)ARM_64(?:_|$)/.test(amiType)) return "arm64";
  if (amiType !== undefined && /(?:^|_)x86_64(?:_|$)/.test(amiType)) return "amd64";
  const [first, ...rest] = new Set(instanceTypes.map(archOfAws));
  return rest.length === 0 ? first : undefined;
}

/** Graviton: a `g` behind the generation (`m7g`, `c7gn`, `im4gn`, `g5g`), and the first of them, `a1`. `g4dn` and `g5` have it before. */
function archOfAws(type: string): string | undefined {
  if (GRACE.test(type)) return "arm64";
  if (type.startsWith("u-")) return "amd64";
  const [, family, generation, features] = /^([a-z]+)(\d{1,2})([a-z]*)(?:-[a-z0-9]+)?\./.exec(type) ?? [];
  if (family === undefined || generation === undefined || features === undefined) return undefined;
  return `${family}${generation}` === "a1" || features.includes("g") ? "arm64" : "amd64";
}

/** Families of Compute Engine with Arm processors; a custom machine of the first family has no family in its name, and is x86. */
const ARM_FAMILIES: ReadonlySet<string> = new Set(["t2a", "c4a", "n4a", "a4x"]);

/** The architecture of a machine type of Compute Engine. */
export function archOfGke(machineType: string | undefined): string | undefined {
  const [, family] = /^([a-z]\w*)-/.exec(machineType ?? "") ?? [];
  return family === undefined ? undefined : ARM_FAMILIES.has(family) ? "arm64" : "amd64";
}

/** The architecture of a size of Azure: a `p` among the letters behind the number (`Standard_D4ps_v5`, `Standard_E8pds_v6`). */
export function archOfAks(size: string | undefined): string | undefined {
  if (size !== undefined && GRACE.test(size)) return "arm64";
  const [, features] = /^(?:standard|basic)_[a-z]+\d+(?:-\d+)?([a-z]*)(?:_|$)/i.exec(size ?? "") ?? [];
  return features === undefined ? undefined : features.toLowerCase().includes("p") ? "arm64" : "amd64";
}
