import { setTimeout as sleep } from "node:timers/promises";
import { Agent, ProxyAgent, request, type Dispatcher } from "undici";
import { CollectError } from "#engine";
import { codeOf, ended } from "../kubernetes/faults.ts";
import { proxyFor } from "../kubernetes/proxy.ts";
import { shownUrl } from "./names.ts";
import type { Reading } from "./place.ts";
import { largest } from "./read.ts";
import { unreached } from "./words.ts";

/** An answer as it came, whole. */
export interface Answer {
  readonly status: number;
  /** The media type, `""` where there is none. */
  readonly type: string;
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

const MOST_REDIRECTS = 5;
/** Of an answer that is no success nothing is read: its words may quote what was sent. */
const SUCCESS = 300;

/**
 * Asks for what an URL holds.
 *
 * 1. `headers` (credentials) go to the host of `address` only: a redirect to another one is followed without them, one from https to http never.
 * 2. An answer is bounded in size and time; a busy server is asked again.
 * 3. Proxies of the environment are used as Go programs use them.
 *
 * Throws CollectError where there is no answer; its status is the caller's to read.
 */
export async function ask(address: string, headers: Readonly<Record<string, string>>, reading: Reading): Promise<Answer> {
  const origin = parsed(address).origin;
  let url = parsed(address);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await askAgain(url, url.origin === origin ? headers : {}, reading);
    const target = answer.status >= 300 && answer.status < 400 ? answer.header("location") : undefined;
    if (target === undefined) return answer;
    url = redirected(url, target);
  }
  throw new CollectError(`\`${shownUrl(address)}\` redirects more than ${MOST_REDIRECTS} times`, { remedy: "check the address: a login page may lie in between" });
}

function parsed(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new CollectError("the address of the state is no http or https URL", { remedy: "write it as https://HOST/PATH" });
}

function redirected(from: URL, target: string): URL {
  const url = URL.parse(target, from);
  if (url !== null && (url.protocol === "https:" || (url.protocol === "http:" && from.protocol === "http:"))) {
    url.username = "";
    url.password = "";
    return url;
  }
  throw new CollectError(`\`${shownUrl(from.href)}\` redirects to ${url?.protocol === "http:" ? "an address without TLS" : "what is no http or https URL"}`, {
    remedy: "check the address: a login page may lie in between",
  });
}

async function askAgain(url: URL, headers: Readonly<Record<string, string>>, reading: Reading): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    const answer = await askOnce(url, headers, reading);
    const isBusy = answer.status === 429 || answer.status === 502 || answer.status === 503 || answer.status === 504;
    if (!isBusy || tries >= reading.limits.retries) return answer;
    try {
      await sleep(reading.limits.retryMs * 2 ** tries, undefined, { signal: reading.signal });
    } catch {
      throw ended(reading.signal);
    }
  }
}

async function askOnce(url: URL, headers: Readonly<Record<string, string>>, { env, signal, limits }: Reading): Promise<Answer> {
  if (signal.aborted) throw ended(signal);
  const dispatcher = dispatcherFor(url, env, limits.connectMs);
  const late = AbortSignal.timeout(limits.requestMs);
  try {
    const answer = await request(url, {
      dispatcher,
      signal: AbortSignal.any([signal, late]),
      headers: { "user-agent": "cloud-assert", "accept-encoding": "identity", ...headers },
      headersTimeout: limits.answerMs,
      bodyTimeout: limits.answerMs,
    });
    const header = (name: string) => [answer.headers[name]].flat()[0];
    return {
      status: answer.statusCode,
      type: /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(header("content-type") ?? "")?.[0]?.toLowerCase() ?? "",
      header,
      body: answer.statusCode < SUCCESS ? await bodyOf(answer.body, url, limits.stateBytes) : Buffer.alloc(0),
    };
  } catch (error) {
    if (signal.aborted) throw ended(signal);
    if (error instanceof CollectError) throw error;
    throw unreached(`\`${url.origin}\``, late.aborted ? "REQUEST_TIMEOUT" : codeOf(error));
  } finally {
    // Also ends what was not read of an answer.
    void dispatcher.destroy().catch(() => undefined);
  }
}

async function bodyOf(body: Dispatcher.ResponseData["body"], url: URL, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw largest(`the state at \`${shownUrl(url.href)}\``, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function dispatcherFor(url: URL, env: Reading["env"], connectMs: number): Dispatcher {
  // Said in full, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
  const connect = { timeout: connectMs, rejectUnauthorized: true };
  const proxy = proxyFor(url, env);
  if (proxy === undefined) return new Agent({ connect });
  if (!/^https?:\/\//i.test(proxy) || URL.parse(proxy) === null) {
    throw new CollectError("the proxy of the environment is no http or https URL", { remedy: "correct HTTPS_PROXY or HTTP_PROXY" });
  }
  return new ProxyAgent({ uri: proxy, requestTls: { ...connect, servername: url.hostname }, connectTimeout: connectMs });
}
