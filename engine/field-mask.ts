/** Fields of an object: `true` keeps one whole, a mask keeps what it names of an object, or of each object of a list. */
export interface FieldMask {
  readonly [field: string]: true | FieldMask;
}

/** Everything that one of the masks keeps. */
export function mergedMask(...masks: readonly FieldMask[]): FieldMask {
  const merged = new Map<string, true | FieldMask>();
  for (const [field, rule] of masks.flatMap((mask) => Object.entries(mask))) {
    const known = merged.get(field);
    merged.set(field, rule === true || known === true ? true : mergedMask(known ?? {}, rule));
  }
  return Object.fromEntries(merged);
}
