import type { SchemaNode } from "#engine";
import { parseDuration, parseQuantity, quantityText, type ObjectPath } from "#values";

export type Reading = NonNullable<SchemaNode["reading"]> | "switch";

/** Fields of Istio, its mesh configuration and Gateway API that are times, for schemas that only say `type: string`. */
const DURATIONS: ReadonlySet<string> = new Set([
  ...["timeout", "perTryTimeout", "idleTimeout", "connectTimeout", "maxConnectionDuration", "maxStreamDuration", "fixedDelay", "exponentialDelay", "maxAge", "backoff"],
  ...["interval", "baseEjectionTime", "time", "ttl", "duration", "warmupDurationSecs", "request", "backendRequest"],
  ...["drainDuration", "parentShutdownDuration", "terminationDrainDuration", "dnsRefreshRate", "protocolDetectionTimeout", "rootCertTtl", "configSources"],
]);

const ISTIO = /(^|\.)istio\.io$|^gateway\.networking\.k8s\.io$/;
/** As the injector of Istio reads them. */
const ON: ReadonlySet<string> = new Set(["y", "yes", "true", "on", "1"]);
const OFF: ReadonlySet<string> = new Set(["n", "no", "false", "off", "0"]);

/** What stands at a path where the schema does not say it: quantities of resources, times of Istio, switches in its annotations. */
export function knownReading(group: string, path: ObjectPath, insideText: boolean): Reading | undefined {
  const last = path.at(-1) ?? "";
  const owner = path.at(-2) ?? "";
  if (path.includes("resources") && (owner === "limits" || owner === "requests")) return "quantity";
  if (owner === "hard" || owner === "capacity" || last === "sizeLimit") return "quantity";
  if ((ISTIO.test(group) || insideText) && DURATIONS.has(last)) return "duration";
  if (path[0] === "metadata" && last === "sidecar.istio.io/inject") return "switch";
  return undefined;
}

/** One text for all ways to write the same thing; undefined where the value is not of that reading. */
export function meaning(value: unknown, reading: Reading): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  switch (reading) {
    case "quantity": {
      const quantity = typeof value === "boolean" ? undefined : parseQuantity(value);
      return quantity === undefined ? undefined : quantityText(quantity);
    }
    case "duration": {
      const duration = parseDuration(String(value));
      return duration === undefined ? undefined : String(duration);
    }
    case "int-or-string":
      return String(value);
    case "switch": {
      const word = String(value).toLowerCase();
      return ON.has(word) ? "on" : OFF.has(word) ? "off" : undefined;
    }
    default:
      return reading satisfies never;
  }
}

/** Could the two values be one number or time, if the schema said so? */
export function mayMeanTheSame(values: readonly unknown[]): boolean {
  return (["quantity", "duration"] as const).some((reading) => {
    const meanings = new Set(values.map((value) => meaning(value, reading)));
    return meanings.size === 1 && !meanings.has(undefined);
  });
}

/**
 * A label selector as the set of its requirements: `matchLabels: { a: b }` and `matchExpressions: [{ key: a, operator: In, values: [b] }]` are one.
 * Undefined for what is no label selector.
 */
export function selectorRequirements(value: unknown): readonly string[] | undefined {
  if (!isMap(value) || !Object.keys(value).every((key) => key === "matchLabels" || key === "matchExpressions")) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = value;
  if (!isMap(matchLabels) || !Array.isArray(matchExpressions)) return undefined;
  const labels = Object.entries(matchLabels).map(([key, label]) => JSON.stringify([key, "In", [label]]));
  const expressions = matchExpressions.map((expression: unknown) => {
    const { key, operator, values = [] } = isMap(expression) ? expression : {};
    return JSON.stringify([key, operator, Array.isArray(values) ? [...new Set(values.map(String))].sort() : values]);
  });
  return [...new Set([...labels, ...expressions])].sort();
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Hidden);
}

/** A value that was seen and not kept. */
export class Hidden {
  readonly sha256: string;
  readonly meaning: string | undefined;

  constructor(sha256: string, meaning?: string) {
    this.sha256 = sha256;
    this.meaning = meaning;
  }
}
