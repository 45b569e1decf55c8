import { hostKey } from "./hosts.ts";

/** What signs in to a registry. */
export type Credential =
  | { readonly type: "basic"; readonly user: string; readonly password: string }
  /** Exchanged for an access token. */
  | { readonly type: "identity"; readonly token: string }
  /** Sent as it is. */
  | { readonly type: "bearer"; readonly token: string };

/** A docker configuration: who signs in where. */
export interface DockerConfig {
  /** By {@link hostKey}. */
  readonly auths: ReadonlyMap<string, Credential>;
  /** Names of helpers by {@link hostKey}, each with the server as the file writes it. */
  readonly helpers: ReadonlyMap<string, { readonly helper: string; readonly server: string }>;
  /** The helper for all other servers. */
  readonly store?: string | undefined;
}

const MOST_SERVERS = 1_000;

/**
 * Reads `config.json`, or `.dockerconfigjson` of a Secret. Undefined where it is no such file.
 *
 * Servers are matched whole, never by a part of their name: otherwise credentials would reach whoever owns a longer one. An entry without
 * anything that signs in is left out: its credentials are with a helper.
 */
export function parseDockerConfig(text: string): DockerConfig | undefined {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(config)) return undefined;
  const auths = new Map<string, Credential>();
  for (const [server, entry] of entriesOf(config["auths"])) {
    const credential = isObject(entry) ? credentialOf(entry) : undefined;
    if (credential !== undefined && !auths.has(hostKey(server))) auths.set(hostKey(server), credential);
  }
  const helpers = new Map(entriesOf(config["credHelpers"]).flatMap(([server, helper]) => (typeof helper === "string" && helper !== "" ? [[hostKey(server), { helper, server }] as const] : [])));
  const store = textOf(config["credsStore"]);
  return { auths, helpers, ...(store === undefined ? {} : { store }) };
}

function credentialOf(entry: Readonly<Record<string, unknown>>): Credential | undefined {
  const bearer = textOf(entry["registrytoken"]);
  if (bearer !== undefined) return { type: "bearer", token: bearer };
  const identity = textOf(entry["identitytoken"]);
  if (identity !== undefined) return { type: "identity", token: identity };
  const [user, password] = [textOf(entry["username"]), textOf(entry["password"])];
  if (user !== undefined && password !== undefined) return { type: "basic", user, password };
  return fromAuth(textOf(entry["auth"]));
}

/** `user:password` in base64; a password may hold colons. */
function fromAuth(auth: string | undefined): Credential | undefined {
  if (auth === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(auth)) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  return colon <= 0 ? undefined : { type: "basic", user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** What a credential helper prints. */
export function parseHelperAnswer(text: string): Credential | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(answer)) return undefined;
  const [user, secret] = [textOf(answer["Username"]), textOf(answer["Secret"])];
  if (user === undefined || secret === undefined) return undefined;
  return user === "<token>" ? { type: "identity", token: secret } : { type: "basic", user, password: secret };
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isObject(value) ? Object.entries(value).slice(0, MOST_SERVERS) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without what would end or forge a header. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 64_000 && !/[\r\n\0]/.test(value) ? value : undefined;
}
