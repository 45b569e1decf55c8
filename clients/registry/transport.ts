import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, ProxyAgent, request, type Dispatcher } from "undici";
import { codeOf, ended, isBroken } from "../kubernetes/faults.ts";
import { proxyFor } from "../kubernetes/proxy.ts";
import { checkAddress, checkedLookup } from "./addresses.ts";
import { isListed } from "./hosts.ts";
import type { RegistryLimits, RegistryRun, RegistrySettings } from "./place.ts";
import { sizeText, Unreadable, unreadableIn } from "./unreadable.ts";

/** One request, without what lies behind a redirect. */
export interface Question {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: URLSearchParams;
  readonly signal: AbortSignal;
}

/** An answer whose body was not read yet. */
export interface Reply {
  readonly url: URL;
  readonly status: number;
  /** Media type in small letters, `""` where there is none. */
  readonly type: string;
  header(name: string): string | undefined;
  /** The body, whole; ends with an Unreadable beyond `limit`. */
  bytes(limit: number): Promise<Buffer>;
  /** The body as it comes. Whoever does not read to the end must `discard`. */
  stream(): AsyncIterable<Buffer>;
  discard(): void;
}

/**
 * HTTP to registries and servers of modules.
 *
 * 1. Every connection goes to an address that was checked after the name was resolved; redirects are never followed here.
 * 2. Certificates are always checked. HTTP without TLS goes to hosts that the fleet names for it.
 * 3. A busy server is asked again as `Retry-After` says, a broken connection once more; a server from which nothing came is not asked a second time in a look.
 */
export class Transport {
  readonly #settings: RegistrySettings;
  readonly #run: RegistryRun;
  readonly limits: RegistryLimits;
  readonly #agents = new Map<string, Dispatcher>();
  readonly #dead = new Map<string, Unreadable>();

  constructor(settings: RegistrySettings, run: RegistryRun, limits: RegistryLimits) {
    this.#settings = settings;
    this.#run = run;
    this.limits = limits;
  }

  /** Asks until there is an answer. Throws Unreadable where there is none, CollectError where the run ends. */
  async ask(question: Question): Promise<Reply> {
    const { url, signal } = question;
    this.#check(url);
    const known = this.#dead.get(url.origin);
    if (known !== undefined) throw known;
    for (let tries = 0; ; tries += 1) {
      const reply = await this.#attempt(question, tries === 0);
      const isBusy = reply === undefined || reply.status === 429 || reply.status === 502 || reply.status === 503 || reply.status === 504;
      if (reply !== undefined && (!isBusy || tries >= this.limits.retries)) return reply;
      reply?.discard();
      await this.#pause(reply?.header("retry-after"), tries, signal);
    }
  }

  /** Undefined: the connection broke, and another attempt is allowed. */
  async #attempt(question: Question, mayBreak: boolean): Promise<Reply | undefined> {
    const { url, signal } = question;
    if (signal.aborted) throw ended(signal);
    const late = AbortSignal.timeout(this.limits.requestMs);
    try {
      const answer = await request(url, {
        dispatcher: this.#agentFor(url),
        signal: AbortSignal.any([signal, late]),
        method: question.form === undefined ? "GET" : "POST",
        headers: {
          "user-agent": "cloud-assert",
          "accept-encoding": "identity",
          ...(question.form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
          ...question.headers,
        },
        ...(question.form === undefined ? {} : { body: question.form.toString() }),
        headersTimeout: this.limits.answerMs,
        bodyTimeout: this.limits.answerMs,
      });
      return new Answer(url, answer, (error) => this.#fault(url, error, signal, late));
    } catch (error) {
      if (mayBreak && !signal.aborted && isBroken(codeOf(error))) return undefined;
      throw this.#fault(url, error, signal, late);
    }
  }

  #fault(url: URL, error: unknown, signal: AbortSignal, late: AbortSignal): Error {
    if (signal.aborted) return ended(signal);
    const known = unreadableIn(error);
    if (known !== undefined) return known;
    const fault = transportFault(url, late.aborted ? "REQUEST_TIMEOUT" : codeOf(error));
    if (fault.isDead) this.#dead.set(url.origin, fault);
    return fault;
  }

  /** What needs no name server to be refused. */
  #check(url: URL): void {
    const host = bare(url.hostname);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isListed(this.#settings.plainHttp, url))) {
      throw new Unreadable("refused", `\`${url.host}\` would be asked without TLS`, "name the host in `registry.plainHttp` of the cluster if it has no TLS, or use https");
    }
    if (isIP(host) !== 0) checkAddress(url.host, host, isListed(this.#settings.privateHosts, url));
    // `fetch` and so every client in a browser refuses them; here they only ever come from somebody who guesses services.
    if (url.port === "0") throw new Unreadable("refused", `\`${url.host}\` names no port that can be asked`, "correct the port");
  }

  #agentFor(url: URL): Dispatcher {
    const agent = this.#agents.get(url.origin) ?? this.#connect(url);
    this.#agents.set(url.origin, agent);
    return agent;
  }

  #connect(url: URL): Dispatcher {
    const isNamed = isListed(this.#settings.privateHosts, url);
    // Said in full, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
    const connect = { timeout: this.limits.connectMs, rejectUnauthorized: true };
    // Idle connections must not keep the process alive long after the last answer.
    const pool = { connections: 8, keepAliveTimeout: 4_000, keepAliveMaxTimeout: 4_000 };
    const proxy = proxyFor(url, this.#run.env);
    if (proxy === undefined) return new Agent({ ...pool, connect: { ...connect, lookup: checkedLookup(isNamed) } });
    if (!isNamed) {
      throw new Unreadable("refused", `\`${url.host}\` is reached through a proxy, so that nobody here can check which address it has`, "name the host in `registry.privateHosts` of the cluster, or in NO_PROXY");
    }
    if (!/^https?:\/\//i.test(proxy) || URL.parse(proxy) === null) throw new Unreadable("unreachable", "the proxy of the environment is no http or https URL", "correct HTTPS_PROXY or HTTP_PROXY");
    return new ProxyAgent({ ...pool, uri: proxy, requestTls: { ...connect, servername: url.hostname }, connectTimeout: this.limits.connectMs });
  }

  async #pause(retryAfter: string | undefined, tries: number, signal: AbortSignal): Promise<void> {
    const seconds = retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter.trim()) ? Number(retryAfter) : undefined;
    const wanted = seconds === undefined ? this.limits.retryMs * 2 ** tries : seconds * 1000;
    try {
      await sleep(Math.min(wanted, this.limits.longestRetryMs), undefined, { signal });
    } catch {
      throw ended(signal);
    }
  }
}

class Answer implements Reply {
  readonly url: URL;
  readonly #answer: Dispatcher.ResponseData;
  readonly #fault: (error: unknown) => Error;

  constructor(url: URL, answer: Dispatcher.ResponseData, fault: (error: unknown) => Error) {
    this.url = url;
    this.#answer = answer;
    this.#fault = fault;
    // A body that is thrown away may still break.
    answer.body.on("error", () => undefined);
  }

  get status(): number {
    return this.#answer.statusCode;
  }

  get type(): string {
    return /^[\w.+-]{1,80}\/[\w.+-]{1,120}/.exec(this.header("content-type") ?? "")?.[0]?.toLowerCase() ?? "";
  }

  header(name: string): string | undefined {
    return [this.#answer.headers[name]].flat()[0];
  }

  async bytes(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream()) {
      size += chunk.length;
      if (size > limit) {
        this.discard();
        throw new Unreadable("too-large", `\`${this.url.host}\` sent more than ${sizeText(limit)} where less was expected`, "check what the reference names");
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  async *stream(): AsyncGenerator<Buffer> {
    try {
      yield* this.#answer.body as AsyncIterable<Buffer>;
    } catch (error) {
      throw this.#fault(error);
    }
  }

  discard(): void {
    this.#answer.body.destroy();
  }
}

const FAULTS: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ["refuses connections", "check that the registry runs and that its address and port are right"],
  ENOTFOUND: ["has a host name that does not resolve", "check the reference, and whether a VPN or a private DNS zone is needed"],
  EAI_AGAIN: ["has a host name that cannot be resolved now", "check the DNS of this machine"],
  UND_ERR_CONNECT_TIMEOUT: ["does not accept the connection in time", "check VPN, routes and firewalls"],
  UND_ERR_HEADERS_TIMEOUT: ["accepted the request and gave no answer in time", "check the load of the registry, and run again"],
  UND_ERR_BODY_TIMEOUT: ["stopped in the middle of an answer", "check the load of the registry, and run again"],
  REQUEST_TIMEOUT: ["did not finish an answer in time", "check the load of the registry, and run again"],
  CERT_HAS_EXPIRED: ["has a certificate that has expired", "renew the certificate of the registry"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["has a certificate for another host name", "use a name that the certificate has"],
};
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_SIGNATURE_)/;
/** The answer itself went wrong: the next one may not. */
const NOT_DEAD: ReadonlySet<string> = new Set(["UND_ERR_BODY_TIMEOUT", "REQUEST_TIMEOUT", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_ABORTED"]);

/** A connection that failed, told by its code; the words of other programs are never repeated. */
function transportFault(url: URL, code: string): Unreadable {
  const host = `\`${url.host}\``;
  const isDead = !NOT_DEAD.has(code);
  const dead = (what: string, remedy: string) => new Unreadable("unreachable", `${host} ${what}`, remedy, isDead);
  const known = Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
  if (known !== undefined) return dead(...known);
  if (UNTRUSTED.test(code)) return dead("has a certificate that this machine does not trust", "name the authority's PEM file in NODE_EXTRA_CA_CERTS");
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG" || code === "EPROTO") return dead("does not speak TLS", "check the port; name the host in `registry.plainHttp` if it has no TLS");
  if (isBroken(code)) return dead("closes the connection before the answer is whole", "check what lies between: a proxy, a load balancer, a server that restarts");
  if (code.startsWith("HPE_")) return dead("does not speak HTTP", "check the host and the port");
  return dead(`cannot be reached (${code})`, "check the reference and the network in between");
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
