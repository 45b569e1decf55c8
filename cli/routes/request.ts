import type { Request, View } from "#routes";
import { UsageError } from "../errors.ts";

/** A request as a user writes it, and the view it is meant for, where that is said. */
export interface Asked {
  readonly request: Request;
  /** The authority was given: a line of a file may leave it out. */
  readonly view: View | undefined;
}

const EXAMPLE = "assert route --at mesh.yaml 'GET http://shop.example/api'";

/** `GET https://shop.example/api?x=1`, or the URL alone; nothing of it is changed. */
export function parseRequest(text: string, headers: readonly string[], view: View | undefined): Asked {
  const [, method = "GET", url = ""] = /^(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s+)?(\S+)$/.exec(text.trim()) ?? [];
  const [, scheme = "", authority = "", path = ""] = /^(https?):\/\/([^/?#]+)([^#]*)$/i.exec(url) ?? [];
  if (authority === "") throw new UsageError(`\`${text.slice(0, 200)}\` is no request`, { remedy: `write a method and a whole URL: \`${EXAMPLE}\`` });
  const target = path.startsWith("/") ? path : `/${path}`;
  return asked(method, scheme.toLowerCase() === "https" ? "https" : "http", authority, target, headers.map(headerOf), view);
}

function headerOf(text: string): readonly [string, string] {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  if (name === "" || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new UsageError(`-H is \`${text.slice(0, 200)}\`; it takes \`name: value\``, { remedy: "write `-H 'x-canary: 1'`" });
  return [name, text.slice(colon + 1).trim()];
}

/** The `Host` that is given as a header is the authority. */
function asked(method: string, scheme: "http" | "https", authority: string, path: string, headers: readonly (readonly [string, string])[], view: View | undefined): Asked {
  const host = headers.find(([name]) => name === "host")?.[1];
  return { view, request: { method, scheme, authority: host ?? authority, path, headers: headers.filter(([name]) => name !== "host") } };
}

/** `prod/public:80` for a gateway, `mesh:shop:80` for a client in a namespace. TLS of a gateway is that of the URL. */
export function parseView(text: string, isTls: boolean): View {
  const [, mesh, gateway = "", digits = ""] = /^(?:(mesh):)?([^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65_535 || (mesh === undefined && !/^[^/]+\/[^/]+$/.test(gateway))) {
    throw new UsageError(`--view is \`${text}\`; it takes \`NAMESPACE/GATEWAY:PORT\` or \`mesh:NAMESPACE:PORT\``, { remedy: "write `--view istio-ingress/public:80` or `--view mesh:shop:80`" });
  }
  return mesh === undefined ? { gateway, port, tls: isTls } : { mesh: true, namespace: gateway, labels: {}, port };
}

/** One line of a file of requests: all but `path` may be left out. */
export function parseLine(text: string, file: string, line: number, view: View | undefined): Asked {
  const wrong = (what: string): UsageError => new UsageError(what, { at: { file, line, column: 1 }, remedy: 'write a line such as {"method":"GET","authority":"shop.example","path":"/api"}' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("the line is no JSON");
  }
  if (!isObject(value)) throw wrong("the line is no JSON object");
  const unknown = Object.keys(value).find((key) => !FIELDS.has(key));
  if (unknown !== undefined) throw wrong(`the line has a field \`${unknown}\`; known are ${[...FIELDS].join(", ")}`);
  const textAt = (key: string, otherwise: string): string => {
    const found = value[key];
    if (found === undefined) return otherwise;
    if (typeof found === "string" && found !== "") return found;
    throw wrong(`\`${key}\` is not text`);
  };
  const scheme = textAt("scheme", "http");
  if (scheme !== "http" && scheme !== "https") throw wrong(`\`scheme\` is \`${scheme}\`; it is http or https`);
  const path = textAt("path", "");
  if (!path.startsWith("/")) throw wrong("`path` is missing or does not start with `/`");
  const parsed = asked(textAt("method", "GET"), scheme, textAt("authority", ""), path, headersOf(value["headers"], wrong), value["view"] === undefined ? view : viewOf(value["view"], wrong));
  const sni = value["sni"];
  const source = endpointOf(value["source"]);
  const destination = endpointOf(value["destination"]);
  return {
    ...parsed,
    request: { ...parsed.request, ...(typeof sni === "string" ? { sni } : {}), ...(source === undefined ? {} : { source }), ...(destination === undefined ? {} : { destination }) },
  };
}

const FIELDS: ReadonlySet<string> = new Set(["method", "scheme", "authority", "path", "headers", "view", "sni", "source", "destination"]);

type Wrong = (what: string) => UsageError;

function headersOf(value: unknown, wrong: Wrong): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  if (!isObject(value)) throw wrong("`headers` is no object of texts");
  return Object.entries(value).flatMap(([name, lines]) =>
    (Array.isArray(lines) ? lines : [lines]).map((line: unknown) => {
      if (typeof line !== "string") throw wrong(`the header \`${name}\` is neither text nor a list of texts`);
      return [name.toLowerCase(), line] as const;
    }),
  );
}

function viewOf(value: unknown, wrong: Wrong): View {
  if (isObject(value)) {
    const { gateway, port, tls, mesh, namespace, labels } = value;
    if (typeof port === "number" && typeof gateway === "string") return { gateway, port, tls: tls === true };
    if (typeof port === "number" && mesh === true && typeof namespace === "string") {
      const own = isObject(labels) ? Object.entries(labels).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])) : [];
      return { mesh: true, namespace, labels: Object.fromEntries(own), port };
    }
  }
  throw wrong('`view` is neither {"gateway","port","tls"} nor {"mesh":true,"namespace","labels","port"}');
}

function endpointOf(value: unknown): { readonly address?: string; readonly port?: number } | undefined {
  if (!isObject(value)) return undefined;
  const { address, port } = value;
  return { ...(typeof address === "string" ? { address } : {}), ...(typeof port === "number" ? { port } : {}) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
