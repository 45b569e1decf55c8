/** A value as one line of YAML that means the same in YAML 1.1 and 1.2. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${inline(key)}: ${inline(field)}`);
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** Plain words that no reader of YAML takes for anything but text. */
function isPlain(text: string): boolean {
  return /^[A-Za-z~./][\w./@*-]*(?::[\w./@-]+)*$/.test(text) && !/^(?:true|false|yes|no|on|off|y|n|null|~|[.].*)$/i.test(text);
}
