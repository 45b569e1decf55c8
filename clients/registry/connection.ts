import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Credential } from "./docker-config.ts";
import type { Credentials } from "./credentials.ts";
import type { Endpoint } from "./hosts.ts";
import type { RegistryLimits } from "./place.ts";
import type { Reply, Transport } from "./transport.ts";
import { Unreadable } from "./unreadable.ts";

/** A path below `/v2/REPOSITORY/`, or a whole URL on the same origin. */
interface Asked {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly accept?: string;
  /** Other answers than 200 to 299 and 404 that are the caller's to read. */
  readonly also?: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * Asks registries, signed in where they want it.
 *
 * 1. Credentials of a registry go to its own origin and to the token server that it names, over TLS; never to where it redirects, and not again once a redirect has left it.
 * 2. A token is asked for one repository and for reading, and used again until it is refused.
 */
export class Connection {
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #isTrusted: boolean;
  readonly limits: RegistryLimits;
  /** `Authorization` by origin and repository. */
  readonly #signedIn = new Map<string, string>();

  /** @param isTrusted false: nothing that signs in is sent without TLS */
  constructor(transport: Transport, credentials: Credentials, isTrusted: boolean) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#isTrusted = isTrusted;
    this.limits = transport.limits;
  }

  /** An answer of 200 to 299, 404, or one of `also`; every other one is an Unreadable. Whoever gets it reads or discards it. */
  async ask(asked: Asked): Promise<Reply> {
    const { endpoint, signal } = asked;
    const key = `${endpoint.origin} ${endpoint.repository}`;
    let reply = await this.#follow(asked, this.#signedIn.get(key));
    if (reply.status === 401 && reply.url.origin === endpoint.origin) {
      const header = reply.header("www-authenticate") ?? "";
      reply.discard();
      const authorization = await this.#signIn(endpoint, parseChallenges(header), signal);
      this.#signedIn.set(key, authorization);
      reply = await this.#follow(asked, authorization);
    }
    if ((reply.status >= 200 && reply.status < 300) || reply.status === 404 || asked.also?.includes(reply.status) === true) return reply;
    reply.discard();
    throw await this.#refused(endpoint, reply, signal);
  }

  async #follow({ endpoint, path, accept, signal }: Asked, authorization: string | undefined): Promise<Reply> {
    let url = new URL(path.startsWith("/") ? path : `/v2/${endpoint.repository}/${path}`, endpoint.origin);
    let signedIn = authorization;
    for (let redirects = 0; redirects <= this.limits.redirects; redirects += 1) {
      const headers = { ...(accept === undefined ? {} : { accept }), ...(signedIn === undefined ? {} : { authorization: signedIn }) };
      const reply = await this.#transport.ask({ url, headers, signal });
      const target = reply.status >= 300 && reply.status < 400 ? reply.header("location") : undefined;
      if (target === undefined) return reply;
      reply.discard();
      url = redirected(url, target);
      if (url.origin !== endpoint.origin) signedIn = undefined;
    }
    throw new Unreadable("unreachable", `\`${endpoint.host}\` redirects more than ${this.limits.redirects} times`, "check the reference: a login page may lie in between");
  }

  async #signIn(endpoint: Endpoint, challenges: readonly Challenge[], signal: AbortSignal): Promise<string> {
    const { credential, faults } = await this.#credentials.of(endpoint.host, signal);
    const basic = challenges.find(({ scheme }) => scheme === "basic");
    const bearer = challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined);
    if (credential !== undefined && endpoint.origin.startsWith("http:") && !this.#isTrusted) {
      throw new Unreadable("refused", `\`${endpoint.host}\` wants credentials, and only the file of a stranger says that it has no TLS`, "run without --untrusted, or give the registry TLS");
    }
    if (credential?.type === "bearer") return `Bearer ${credential.token}`;
    if (bearer !== undefined) return `Bearer ${await this.#token(endpoint, bearer, credential, signal)}`;
    if (basic !== undefined && credential?.type === "basic") return basicOf(credential);
    throw unauthorized(endpoint, credential !== undefined, faults);
  }

  /** The token server is named by the registry: it is asked under the same rules, and where it redirects nobody follows. */
  async #token(endpoint: Endpoint, { parameters }: Challenge, credential: Credential | undefined, signal: AbortSignal): Promise<string> {
    const realm = URL.parse(parameters["realm"] ?? "");
    if (realm === null || realm.username !== "" || realm.password !== "") throw new Unreadable("unauthorized", `\`${endpoint.host}\` names no token server that can be asked`, "check the registry");
    const service = parameters["service"];
    const scope = `repository:${endpoint.repository}:pull`;
    const about = { ...(service === undefined ? {} : { service }), scope };
    const reply =
      credential?.type === "identity"
        ? await this.#transport.ask({ url: realm, form: new URLSearchParams({ grant_type: "refresh_token", client_id: "cloud-assert", refresh_token: credential.token, ...about }), signal })
        : await this.#transport.ask({ url: withQuery(realm, about), headers: credential?.type === "basic" ? { authorization: basicOf(credential) } : {}, signal });
    if (reply.status !== 200) {
      reply.discard();
      if (reply.status === 401 || reply.status === 403 || reply.status === 400) throw unauthorized(endpoint, credential !== undefined, (await this.#credentials.of(endpoint.host, signal)).faults);
      throw await this.#refused({ ...endpoint, host: realm.host }, reply, signal);
    }
    const token = tokenIn((await reply.bytes(this.limits.tokenBytes)).toString("utf8"));
    if (token === undefined) throw new Unreadable("unauthorized", `the token server \`${realm.host}\` of \`${endpoint.host}\` gives no token`, "check the registry and its token server");
    return token;
  }

  async #refused(endpoint: Endpoint, { status }: Reply, signal: AbortSignal): Promise<Unreadable> {
    if (status === 401 || status === 403) {
      const { credential, faults } = await this.#credentials.of(endpoint.host, signal);
      return unauthorized(endpoint, credential !== undefined, faults);
    }
    if (status === 429) return new Unreadable("throttled", `\`${endpoint.host}\` has had too many requests (429) and went on saying so`, "run again later, or sign in: `registry.credentials` of the cluster");
    if (status >= 300 && status < 400) return new Unreadable("unreachable", `\`${endpoint.host}\` redirects (${status}) without saying where`, "check the reference: a login page may lie in between");
    return new Unreadable("unreachable", `\`${endpoint.host}\` answers ${status}`, "look into the registry's log, and run again");
  }
}

function unauthorized({ host, repository }: Endpoint, isKnown: boolean, faults: readonly string[]): Unreadable {
  const why = faults.length === 0 ? "" : ` (${faults.slice(0, 3).join("; ")})`;
  if (isKnown) return new Unreadable("unauthorized", `\`${host}\` does not let these credentials read \`${repository}\``, `allow this identity to pull \`${repository}\`, or sign in again: the credentials may have expired`);
  return new Unreadable("unauthorized", `\`${host}\` wants credentials for \`${repository}\`, and none are known${why}`, "name a docker configuration in `registry.credentials` of the cluster, or a Secret in `registry.pullSecrets`");
}

function basicOf({ user, password }: Extract<Credential, { type: "basic" }>): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function withQuery(url: URL, about: Readonly<Record<string, string>>): URL {
  const asked = new URL(url);
  for (const [name, value] of Object.entries(about)) asked.searchParams.set(name, value);
  return asked;
}

function tokenIn(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== "object" || answer === null) return undefined;
    const token: unknown = Reflect.get(answer, "token") || Reflect.get(answer, "access_token");
    return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

/** Where a redirect leads. User and password in it are dropped; without TLS it leads only where the transport lets it. */
export function redirected(from: URL, target: string): URL {
  const url = URL.parse(target, from);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:") || (from.protocol === "https:" && url.protocol === "http:")) {
    throw new Unreadable("refused", `\`${from.host}\` redirects to ${url?.protocol === "http:" ? "an address without TLS" : "what is no http or https URL"}`, "check the reference: a login page may lie in between");
  }
  url.username = "";
  url.password = "";
  return url;
}
