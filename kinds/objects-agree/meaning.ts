import type { HiddenValue, SchemaNode } from "#engine";
import { parseDuration, parseQuantity, quantityText, type ObjectPath } from "#values";

export type Reading = NonNullable<SchemaNode["reading"]> | "switch";

/** Fields of Istio, its mesh configuration and Gateway API that are times, for schemas that only say `type: string`. */
const DURATIONS: ReadonlySet<string> = new Set([
  ...["timeout", "perTryTimeout", "idleTimeout", "connectTimeout", "maxConnectionDuration", "maxStreamDuration", "fixedDelay", "exponentialDelay", "maxAge", "backoff"],
  ...["interval", "baseEjectionTime", "time", "ttl", "duration", "warmupDurationSecs", "request", "backendRequest"],
  ...["drainDuration", "parentShutdownDuration", "terminationDrainDuration", "dnsRefreshRate", "protocolDetectionTimeout", "rootCertTtl", "configSources"],
]);

const ISTIO = /(^|\.)istio\.io$|^gateway\.networking\.k8s\.io$/;
/** Maps whose keys users or others choose: a header, label, variable or setting of a plug-in that is called `timeout` is no time. */
const FREE: ReadonlySet<string> = new Set(["labels", "annotations", "matchLabels", "nodeSelector", "headers", "set", "add", "withoutHeaders", "queryParams", "sourceLabels", "selector", "env", "proxyMetadata", "runtimeValues", "tags", "pluginConfig", "patch"]);
const RESOURCES: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage", "storage"]);
/** As the injector of Istio reads its annotation (`injectRequired`): what is none of the first words does not inject. The label is matched as text, by the webhook. */
const ON: ReadonlySet<string> = new Set(["y", "yes", "true", "on"]);
const OFF: ReadonlySet<string> = new Set(["n", "no", "false", "off", "0"]);

/**
 * What stands at a path where the schema does not say it: quantities of resources, times of Istio, switches in its annotations. In the texts of
 * ConfigMaps only what is Istio's own (`data.mesh`) has times: what others mean by `timeout` is not known.
 */
export function knownReading({ group }: { readonly group: string }, path: ObjectPath, insideText: boolean): Reading | undefined {
  const last = path.at(-1) ?? "";
  const owner = path.at(-2) ?? "";
  if (path.includes("resources") && (owner === "limits" || owner === "requests")) return insideText && !RESOURCES.has(last) ? undefined : "quantity";
  if (!insideText && (owner === "hard" || owner === "capacity" || last === "sizeLimit")) return "quantity";
  if (owner === "annotations" && last === "sidecar.istio.io/inject") return "switch";
  const isIstio = insideText ? path[1] === "mesh" : ISTIO.test(group) && path[0] !== "metadata";
  return isIstio && DURATIONS.has(last) && !path.slice(0, -1).some((step) => FREE.has(step)) ? "duration" : undefined;
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
  const labels = Object.entries(matchLabels).map(([key, label]) => (typeof label === "string" ? JSON.stringify([key, "In", [label]]) : undefined));
  const requirements = [...labels, ...matchExpressions.map(requirementOf)];
  return requirements.every((each) => each !== undefined) ? [...new Set(requirements)].sort() : undefined;
}

/** One requirement as a text; undefined for what an API server would refuse, or knows more of than we do. */
function requirementOf(expression: unknown): string | undefined {
  if (!isMap(expression)) return undefined;
  const { key, operator, values, ...others } = expression;
  const list: readonly unknown[] | undefined = values === undefined || values === null ? [] : Array.isArray(values) ? values : undefined;
  if (typeof key !== "string" || typeof operator !== "string" || Object.keys(others).length > 0 || list?.every((value) => typeof value === "string") !== true) return undefined;
  return JSON.stringify([key, operator, [...new Set(list)].sort()]);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Hidden);
}

/** A value that was seen and not kept. */
export class Hidden {
  readonly sha256: string;
  /** Digests of the time and of the number that it may stand for. */
  readonly time: string | undefined;
  readonly number: string | undefined;

  constructor({ sha256, time, number }: HiddenValue) {
    this.sha256 = sha256;
    this.time = time;
    this.number = number;
  }
}
