import type { Effect, Request, View, WorldDifference } from "#routes";

/** A rule with the file that holds it. */
interface Placed {
  readonly object: string;
  readonly path: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

const LONGEST = 200;

function cut(text: string, longest = LONGEST): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** `the gateway \`prod/public\` on port 80`. */
export function viewText(view: View): string {
  if ("gateway" in view) return `the gateway \`${view.gateway}\` on port ${view.port}${view.tls ? " with TLS" : ""}`;
  const labels = Object.entries(view.labels).map(([key, value]) => `${key}=${value}`);
  return `a client in the namespace \`${view.namespace}\`${labels.length === 0 ? "" : ` with ${labels.join(", ")}`} on port ${view.port}`;
}

/** `GET http://shop.example/api`, with what else decides. */
export function requestText(request: Request): string {
  const { method, scheme, authority, path, headers, sni, source, destination, claims } = request;
  const besides = [
    ...headers.map(([name, value]) => `\`${cut(`${name}: ${value}`)}\``),
    ...(sni === undefined || sni === authority ? [] : [`server name \`${sni}\``]),
    ...(source?.address === undefined ? [] : [`from ${source.address}`]),
    ...(destination?.address === undefined || destination.address === authority ? [] : [`to ${destination.address}${destination.port === undefined ? "" : `:${destination.port}`}`]),
    ...(claims === undefined ? [] : [`claims \`${cut(JSON.stringify(claims))}\``]),
  ];
  return `\`${method} ${scheme}://${authority}${cut(path)}\`${besides.length === 0 ? "" : ` with ${besides.join(", ")}`}`;
}

/** Parts of a forward that are told where they differ. */
const PARTS = ["rewrite", "timeout", "retries", "mirror", "fault", "cors"] as const;

/** What happens to the request, as the end of a sentence about it; of a forward beside `others`, only the parts in which it differs from one of them. */
export function effectText(effect: Effect, others: readonly Effect[] = []): string {
  switch (effect.type) {
    case "forward": {
      const forwards = others.filter((other) => other.type === "forward");
      const isTold = (part: (typeof PARTS)[number]) => (others.length === 0 ? effect[part] !== undefined : forwards.some((other) => !sameOf(other, effect, part)));
      const parts = PARTS.flatMap((part) => (isTold(part) ? partText(effect, part) : []));
      return `goes to ${destinationsText(effect, others)}${parts.length === 0 ? "" : ` with ${parts.join(", ")}`}`;
    }
    case "redirect":
      return `is redirected to \`${cut(effect.location)}\` with status ${effect.status}${headersText(effect)}`;
    case "respond":
      return `is answered with status ${effect.status}${effect.body === "" ? "" : ` and \`${cut(effect.body, 60)}\``}${headersText(effect)}`;
    case "notFound":
      return "is answered with 404";
    case "passthrough":
      return "goes to the address that the client asked for";
    case "close":
      return "is closed without an answer";
    case "invalid":
      return `meets a configuration that Envoy refuses (${cut(effect.reason)})`;
  }
}

function headersText({ headers }: { readonly headers?: unknown }): string {
  return headers === undefined ? "" : ` and headers \`${cut(JSON.stringify(headers))}\``;
}

type Forward = Extract<Effect, { type: "forward" }>;

function sameOf(one: Forward, other: Forward, part: (typeof PARTS)[number]): boolean {
  return JSON.stringify(one[part]) === JSON.stringify(other[part]);
}

function partText(effect: Forward, part: (typeof PARTS)[number]): readonly string[] {
  const value = effect[part];
  if (value === undefined) return [`no ${part}`];
  if (part === "timeout") return [`timeout ${String(value)} ms`];
  if (part === "rewrite" && typeof value === "object" && "path" in value) return [`path \`${cut(value.path)}\``];
  return [`${part} \`${cut(JSON.stringify(value))}\``];
}

/** What else of a destination is told: only where a plain name does not show the difference. */
function destinationsText({ destinations }: Forward, others: readonly Effect[]): string {
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  const plain = (effect: Effect) => (effect.type === "forward" ? effect.destinations.map((each) => destinationText(each)).join() : effect.type);
  const names = destinations.map((each) => destinationText(each)).join();
  const isHidden = others.some((other) => other.type === "forward" && plain(other) === names && JSON.stringify(other.destinations) !== JSON.stringify(destinations));
  return destinations
    .map((each) => {
      const share = destinations.length === 1 ? "" : `${percent(each.weight, total)} % to `;
      return `${share}${destinationText(each)}${isHidden ? hiddenText(each) : ""}`;
    })
    .join(", ")
    .replace(/^(\S+ % )to /, "$1to ");
}

function percent(weight: number, total: number): string {
  return String(Math.round((weight / total) * 10_000) / 100);
}

type Destination = Forward["destinations"][number];

function destinationText(destination: Destination): string {
  if ("invalid" in destination) return `a backend that does not exist (status ${destination.status})`;
  const subset = Object.entries(destination.subset ?? {}).map(([key, value]) => `${key}=${value}`);
  // 0: the rule names no port and the Service is not in the input
  const port = destination.port === 0 ? "" : `:${destination.port}`;
  return `\`${destination.host}${port}\`${subset.length === 0 ? "" : ` (${subset.join(", ")})`}`;
}

function hiddenText(destination: Destination): string {
  const { headers } = destination;
  const told = "invalid" in destination ? { headers } : { policy: destination.policy, authority: destination.authority, headers };
  const parts = Object.entries(told).flatMap(([key, value]) => (value === undefined ? [] : [`${key} \`${cut(typeof value === "string" ? value : JSON.stringify(value))}\``]));
  return ` ${parts.length === 0 ? "as it is" : parts.join(" ")}`;
}

/** Which rule decided, with the file and line that hold it. */
export function ruleText(rule: Placed | undefined): string {
  return rule === undefined ? "for no rule takes it" : `by rule \`${rule.object}\` ${rule.path}${placeText(rule)}`;
}

function placeText({ file, line }: Placed): string {
  return file === undefined ? "" : ` (${file}${line === undefined ? "" : `:${line}`})`;
}

/** A list as people say it: `a`, `b` and `c`. */
export function listText(names: readonly string[]): string {
  const ticked = names.map((name) => `\`${name}\``);
  return ticked.length < 2 ? ticked.join("") : `${ticked.slice(0, -1).join(", ")} and ${ticked.at(-1)}`;
}

/** Places that answer alike, in the order in which they were compared. */
export function sidesOf(difference: WorldDifference): readonly (readonly WorldDifference["answers"][number][])[] {
  return [...Map.groupBy(difference.answers, ({ effect, rule }) => JSON.stringify([effect, rule?.object, rule?.path])).values()];
}

/**
 * A command that sends the request: through a gateway, whose address is in `$GATEWAY`, or from a pod of the client.
 * Nothing in it is read by the shell, whatever the configuration of a cluster holds.
 */
export function curlText(request: Request, view: View): string {
  const { method, scheme, authority, path, headers } = request;
  const isGateway = "gateway" in view;
  const words = [
    "curl -sv --path-as-is",
    ...(method === "GET" ? [] : method === "HEAD" ? ["-I"] : [`-X ${quoted(method)}`]),
    ...(isGateway ? [`--connect-to "::$GATEWAY:${view.port}"`] : []),
    ...(isGateway && view.tls ? ["-k"] : []),
    ...headers.map(([name, value]) => `-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`),
  ];
  const tls = isGateway ? view.tls : scheme === "https";
  const named = request.sni !== undefined && tls ? request.sni : authority;
  const host = named === authority ? [] : [`-H ${quoted(`Host: ${authority}`)}`];
  const port = isGateway || /:\d+$/.test(authority) || view.port === (tls ? 443 : 80) ? "" : `:${view.port}`;
  return [...words, ...host, quoted(`${tls ? "https" : "http"}://${named}${port}${path}`)].join(" ");
}

/** One word of a POSIX shell; bytes that cannot be typed in the form of bash. */
function quoted(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  if (units.every((unit) => unit >= 32 && unit < 127)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = units.map((unit, index) => {
    if (unit >= 0xdc80 && unit <= 0xdcff && !isPaired(text, index)) return `\\x${(unit - 0xdc00).toString(16)}`;
    if (unit < 32 || unit === 127) return `\\x${unit.toString(16).padStart(2, "0")}`;
    return unit === 39 || unit === 92 ? `\\${text[index]}` : (text[index] ?? "");
  });
  return `$'${escaped.join("")}'`;
}

function isPaired(text: string, index: number): boolean {
  const before = index === 0 ? 0 : text.charCodeAt(index - 1);
  return before >= 0xd800 && before <= 0xdbff;
}
