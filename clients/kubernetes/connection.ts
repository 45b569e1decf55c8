import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Agent, ProxyAgent, request, type Dispatcher } from "undici";
import { CollectError } from "#engine";
import { codeOf, ended, forbidden, isBroken, proxyFault, unreachable, type Asked } from "./faults.ts";
import { withoutCredentials } from "./kubeconfig.ts";
import type { Login, Presented, Tls } from "./login.ts";
import type { Limits } from "./place.ts";

/** One request. `path` starts with `/` and is relative to the server's own path. */
export interface Question {
  readonly asked: Asked;
  readonly path: string;
  readonly post?: unknown;
  /** Bytes, after decompression. */
  readonly limit: number;
  /** False: the bytes as the pod sends them. */
  readonly compress?: boolean;
  readonly retries?: number;
  readonly accept?: string;
  /** For one whole answer, where the connection's own limits are too generous. */
  readonly withinMs?: number;
  /** Ends this question alone: nobody reads the answer any more. */
  readonly abandoned?: AbortSignal;
}

/** An answer as it came, whole. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly retryAfter?: string | undefined;
  /** An API server let it through: each of its answers has an id for its audit log, and no proxy before it gives one. */
  readonly audited?: boolean | undefined;
  readonly body: Buffer;
}

/** The answer is larger than its limit; a list is then asked for in smaller pages. */
export class TooLarge extends CollectError {}

const unzip = promisify(gunzip);
/** Of an answer that reports an error no more than this is looked at. */
export const errorBytes = 64 * 1024;

/** One API server: a small pool of kept connections, retries, and the faults of transport in words. */
export class Connection {
  readonly login: Login;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  #tls: Tls | undefined;
  #dispatcher: Dispatcher | undefined;

  constructor(login: Login, signal: AbortSignal, limits: Limits) {
    this.login = login;
    this.limits = limits;
    this.signal = signal;
  }

  /**
   * Asks until there is an answer: 429 and 5xx again as `Retry-After` says, a broken connection twice, 401 once with new
   * credentials. Throws CollectError where there is none in the end; every status but these is the caller's to read.
   */
  async ask(question: Question): Promise<Answer> {
    const retries = question.retries ?? this.limits.retries;
    let renewed = false;
    for (let tries = 0; ; tries += 1) {
      const answer = await this.#attempt(question, tries < Math.min(2, retries));
      if (answer?.status === 401 && !renewed && this.login.renew()) renewed = true;
      else if (answer !== undefined && (!isBusy(answer) || tries >= retries)) return answer;
      else await this.#pause(answer?.retryAfter, tries, question.abandoned);
    }
  }

  /** The dispatcher and headers of the next request, for what speaks another protocol than HTTP. */
  async prepare(): Promise<{ readonly dispatcher: Dispatcher; readonly headers: Presented["headers"] }> {
    if (this.signal.aborted) throw ended(this.signal);
    const { headers, tls } = await this.login.present();
    if (this.#dispatcher === undefined || this.#tls !== tls) {
      // Requests under way on the old connections may finish; nothing new is sent there.
      void this.#dispatcher?.close().catch(() => undefined);
      this.#dispatcher = dispatcherFor(this.login, tls, this.limits);
      this.#tls = tls;
    }
    return { dispatcher: this.#dispatcher, headers };
  }

  url(path: string): URL {
    return new URL(this.login.server.pathname.replace(/\/+$/, "") + path, this.login.server.origin);
  }

  /** What a failed connection means, in words. */
  fault(error: unknown): CollectError {
    const code = codeOf(error);
    const expired = isBroken(code) ? this.login.expiredCertificate() : undefined;
    if (expired !== undefined) return refusesCertificate(this.login, expired);
    const through = this.login.proxy === undefined ? undefined : withoutCredentials(this.login.proxy);
    if (through !== undefined && (code === "UND_ERR_ABORTED" || code.startsWith("UND_ERR_PRX") || code.includes("SOCKS"))) return proxyFault(through, code, error);
    return unreachable({ server: this.login.shown, through, ownAuthority: this.login.caSha256 !== undefined }, code, error);
  }

  /** Undefined: the connection broke, and another attempt is allowed. */
  async #attempt(question: Question, mayBreak: boolean): Promise<Answer | undefined> {
    const { dispatcher, headers } = await this.prepare();
    const controller = new AbortController();
    const abort = () => controller.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, question.withinMs ?? this.limits.requestMs);
    this.signal.addEventListener("abort", abort, { once: true });
    question.abandoned?.addEventListener("abort", abort, { once: true });
    // A signal that ended while the credentials were fetched calls nobody any more.
    if (this.signal.aborted || question.abandoned?.aborted === true) abort();
    try {
      return await this.#send(question, dispatcher, headers, controller.signal);
    } catch (error) {
      if (this.signal.aborted) throw ended(this.signal);
      if (error instanceof CollectError) throw error;
      const failure = late ? Object.assign(new Error("late"), { code: "REQUEST_TIMEOUT" }) : error;
      if (mayBreak && isBroken(codeOf(failure))) return undefined;
      throw this.fault(failure);
    } finally {
      clearTimeout(timer);
      this.signal.removeEventListener("abort", abort);
      question.abandoned?.removeEventListener("abort", abort);
    }
  }

  async #send({ path, post, limit, compress = true, accept = "application/json" }: Question, dispatcher: Dispatcher, headers: Presented["headers"], signal: AbortSignal): Promise<Answer> {
    const answer = await request(this.url(path), {
      dispatcher,
      signal,
      method: post === undefined ? "GET" : "POST",
      headers: {
        accept,
        "accept-encoding": compress && this.login.compress ? "gzip" : "identity",
        "user-agent": "cloud-assert",
        ...(post === undefined ? {} : { "content-type": "application/json" }),
        ...mutable(headers),
      },
      ...(post === undefined ? {} : { body: JSON.stringify(post) }),
      headersTimeout: this.limits.answerMs,
      bodyTimeout: this.limits.answerMs,
    });
    const isError = answer.statusCode >= 400;
    const bytes = await readBody(answer.body, limit, isError);
    const zipped = String(answer.headers["content-encoding"] ?? "").toLowerCase() === "gzip";
    return {
      status: answer.statusCode,
      type: contentType(answer.headers["content-type"]),
      retryAfter: textHeader(answer.headers["retry-after"]),
      audited: answer.headers["audit-id"] !== undefined,
      body: zipped ? await this.#unzip(bytes, limit, isError) : bytes,
    };
  }

  async #unzip(bytes: Buffer, limit: number, isError: boolean): Promise<Buffer> {
    try {
      return await unzip(bytes, { maxOutputLength: isError ? errorBytes : limit, chunkSize: chunkOf(bytes, limit) });
    } catch (error) {
      if (isError) return Buffer.alloc(0);
      if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
      throw new CollectError(`the API server \`${this.login.shown}\` sent an answer that cannot be decompressed`, {
        remedy: "set disable-compression in the kubeconfig, and check what lies in between",
        unreachable: true,
      });
    }
  }

  async #pause(retryAfter: string | undefined, tries: number, abandoned: AbortSignal | undefined): Promise<void> {
    const wanted = secondsOf(retryAfter);
    const ms = wanted === undefined ? this.limits.retryMs * 2 ** tries : Math.min(wanted * 1000, this.limits.longestRetryMs);
    // Clusters and resources are read side by side: without jitter they would all come back at once.
    const spread = ms * (0.75 + Math.random() / 2);
    const signal = abandoned === undefined ? this.signal : AbortSignal.any([this.signal, abandoned]);
    try {
      await sleep(wanted === undefined ? spread : Math.max(ms, spread), undefined, { signal });
    } catch {
      throw ended(this.signal);
    }
  }
}

/** Under TLS 1.3 a server that minds the client certificate says so after the handshake, most often by hanging up. */
function refusesCertificate({ shown, who }: Login, expired: string): CollectError {
  return new CollectError(`the API server \`${shown}\` closes the connection; the client certificate of ${who} expired on ${expired}`, {
    remedy: "renew the client certificate",
    unreachable: true,
  });
}

/**
 * In zlib's own steps of 16 kB a page of 2 MB takes more than a hundred turns of its thread, and a copy at the end. The last four bytes
 * say how long the whole is; one more, so that it is seen to be the end. Believed up to 8 MiB: they may lie.
 */
function chunkOf(bytes: Buffer, limit: number): number {
  const told = bytes.length < 18 ? 0 : bytes.readUInt32LE(bytes.length - 4) + 1;
  return Math.max(1 << 14, Math.min(told, limit, 1 << 23));
}

function isBusy({ status }: Answer): boolean {
  return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** `Retry-After` in seconds or as a date. */
function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

async function readBody(body: Dispatcher.ResponseData["body"], limit: number, isError: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const most = isError ? errorBytes : limit;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop closes the connection: nobody has to read to the end of an endless body.
    if (size > most && isError) break;
    if (size > most) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(limit: number): TooLarge {
  return new TooLarge(`the answer is larger than the limit of ${limit} bytes`, { remedy: "check that the address is that of an API server, and which objects are that large" });
}

/** The media type of a header, `""` where there is none, or none that may be shown. */
export function contentType(value: string | string[] | undefined): string {
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(textHeader(value) ?? "")?.[0]?.toLowerCase() ?? "";
}

function textHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function mutable(headers: Presented["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]));
}

function dispatcherFor({ server, proxy }: Login, tls: Tls, limits: Limits): Dispatcher {
  const connect = {
    timeout: limits.connectMs,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    // Said in full, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off for all clusters.
    rejectUnauthorized: !tls.insecure,
  };
  // HTTP/2 costs more CPU a page in Node than HTTP/1.1, and pages of one list come one after the other anyway.
  const pool = { connections: 4, allowH2: false, keepAliveTimeout: 30_000 };
  if (proxy === undefined) return new Agent({ ...pool, connect });
  if (!/^(https?|socks5?h?):\/\//i.test(proxy) || URL.parse(proxy) === null) {
    throw new CollectError("the proxy for this cluster is not an http, https or socks5 URL", { remedy: "correct proxy-url of the kubeconfig, or HTTPS_PROXY", unreachable: true });
  }
  const uri = proxy.replace(/^socks5h:/i, "socks5:");
  const servername = tls.servername ?? server.hostname;
  return new ProxyAgent({ ...pool, uri, requestTls: { ...connect, servername }, connectTimeout: limits.connectMs });
}

/** Throws what a status other than success means. 404 and 410 that come from Kubernetes itself are let through. */
export function checkStatus(answer: Answer, asked: Asked, { who, shown, anonymous, expiredCertificate }: Login): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  const fromKubernetes = statusReason(answer) !== undefined;
  if (status === 401) throw unauthorized(shown, who, anonymous, expiredCertificate());
  if ((status === 404 || status === 410) && fromKubernetes) return;
  if (status === 404 && answer.type === "text/plain" && answer.body.toString("latin1").trim() === "404 page not found") return;
  if (status === 403 && fromKubernetes) throw forbidden(asked, who, anonymous);
  if (status >= 300 && status < 400) {
    throw new CollectError(`\`${shown}\` redirects (${status}) instead of answering \`${asked.path}\``, { remedy: "use the address of the API server itself; a login page may lie in between", unreachable: true });
  }
  if (status === 429) throw new CollectError(`the API server \`${shown}\` has too much to do (429) and went on saying so`, { remedy: "run again later, or give this identity a FlowSchema of its own" });
  if (status >= 500) throw new CollectError(`the API server \`${shown}\` failed to answer \`${asked.path}\` (${status}${reasonText(answer)})`, { remedy: serverRemedy(asked) });
  if (!fromKubernetes) throw notKubernetes(shown, answer);
  throw new CollectError(`the API server \`${shown}\` refused \`${asked.path}\` (${status}${reasonText(answer)})`, { remedy: "check that this server version knows the resource, and that the address is right" });
}

function serverRemedy({ group, path }: Asked): string {
  return group.includes(".") ? `check the API server and, where \`${group}\` is an aggregated API, \`kubectl get apiservices\`` : `look into the API server's log for \`${path}\`, then run again`;
}

function unauthorized(shown: string, who: string, anonymous: boolean, expired: string | undefined): CollectError {
  const remedy =
    expired !== undefined
      ? `renew its client certificate: it expired on ${expired}`
      : anonymous
        ? "give the context a user with credentials: this server does not answer anonymous requests"
        : "sign in again: the token or certificate may have expired, or belong to another cluster";
  return new CollectError(`the API server \`${shown}\` does not accept the credentials of ${who} (401)`, { remedy, unreachable: true });
}

/** An answer that no API server gives. */
export function notKubernetes(shown: string, { status, type }: Answer): CollectError {
  return new CollectError(`\`${shown}\` answered ${status} with ${type === "" ? "no content type" : type} where JSON of an API server was expected`, {
    remedy: `check the server address${shown.startsWith("http:") ? ", and whether it should start with https://" : ""}: a login page, a proxy or another program may answer in its place`,
    unreachable: true,
  });
}

/** `reason` of a Kubernetes Status object, `""` where it has none; undefined where the answer is no Status. */
export function statusReason({ body }: Answer): string | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "Status") return undefined;
    return "reason" in value && typeof value.reason === "string" && /^[A-Za-z]{1,64}$/.test(value.reason) ? value.reason : "";
  } catch {
    return undefined;
  }
}

function reasonText(answer: Answer): string {
  const reason = statusReason(answer);
  return reason ? `, ${reason}` : "";
}
