import { WebSocket } from "undici";
import { CollectError, type PodAddress } from "#engine";
import { checkStatus, statusReason, TooLarge, type Connection } from "./connection.ts";
import { codeOf, ended, type Asked } from "./faults.ts";

/** GET through the API server's pod proxy, the bytes as the pod sends them. */
export async function podGet(connection: Connection, pod: PodAddress, port: number, path: string, limit: number): Promise<string> {
  const full = `${podPath(pod)}:${port}/proxy${path.startsWith("/") ? path : `/${path}`}`;
  const asked = { verb: "get", group: "", resource: "pods/proxy", namespace: pod.namespace, path: full };
  // One retry only: what fails here is most often the pod, and there are many pods.
  const answer = await within(limit, pod, connection.ask({ asked, path: full, limit, compress: false, retries: 1, accept: "*/*" }));
  if (answer.status >= 200 && answer.status < 300) return answer.body.toString("utf8");
  if (statusReason(answer) === undefined && answer.status < 500) throw podFault(pod, `answered ${answer.status} on port ${port}`, "check that this port is the proxy's own, and what listens there");
  if (answer.status === 404) throw gone(pod);
  checkStatus(answer, asked, connection.login);
  throw gone(pod);
}

/**
 * Runs a command in a container and gives its standard output.
 *
 * By WebSocket, for that is what the API server and every proxy on the way still speak (SPDY is on its way out). undici's own
 * WebSocket goes through the dispatcher of all other requests, so TLS, credentials and proxy are the same ones; it hides the
 * status of a refused handshake, so that the same path is then asked plainly: an API server says there what it minds, and
 * runs nothing without an upgrade.
 */
export async function podExec(connection: Connection, pod: PodAddress, container: string, command: readonly string[], limit: number): Promise<string> {
  const words = command.map((word): [string, string] => ["command", word]);
  const query = new URLSearchParams([["container", container], ["stdout", "true"], ["stderr", "false"], ["stdin", "false"], ["tty", "false"], ...words]);
  const path = `${podPath(pod)}/exec?${query}`;
  // Up to 1.34 a WebSocket needs `get`, from 1.35 on `create` too.
  const asked = { verb: "get and create", group: "", resource: "pods/exec", namespace: pod.namespace, path: `${podPath(pod)}/exec` };
  const first = await run(connection, pod, path, limit);
  if (first !== undefined) return first;
  await explain(connection, pod, asked, path);
  // The plain question was in order, and has renewed a credential that had expired.
  const second = await run(connection, pod, path, limit);
  if (second !== undefined) return second;
  throw podFault(pod, "cannot be reached for a command: the API server, or a proxy on the way, opens no WebSocket", "let WebSockets through to `pods/exec`, or do without the probe `admin`");
}

/** Undefined where the handshake was refused. */
async function run(connection: Connection, pod: PodAddress, path: string, limit: number): Promise<string | undefined> {
  const { dispatcher, headers } = await connection.prepare();
  const url = connection.url(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, {
    dispatcher,
    protocols: ["v5.channel.k8s.io", "v4.channel.k8s.io"],
    headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
  });
  socket.binaryType = "arraybuffer";
  return new Exchange(socket, connection, pod, limit).result();
}

/** The output of one command as it comes in over its channels: 1 is standard output, 3 how it ended. */
class Exchange {
  readonly #socket: WebSocket;
  readonly #connection: Connection;
  readonly #pod: PodAddress;
  readonly #limit: number;
  readonly #done = Promise.withResolvers<string | undefined>();
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #isOpen = false;

  constructor(socket: WebSocket, connection: Connection, pod: PodAddress, limit: number) {
    this.#socket = socket;
    this.#connection = connection;
    this.#pod = pod;
    this.#limit = limit;
  }

  async result(): Promise<string | undefined> {
    const { signal, limits } = this.#connection;
    const abort = () => this.#done.reject(ended(signal));
    const timer = setTimeout(() => this.#fail(`did not finish the command within ${limits.podExecMs / 1000} s`, "check the load of the node, or do without the probe `admin`"), limits.podExecMs);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#socket.addEventListener("open", () => void (this.#isOpen = true));
    this.#socket.addEventListener("message", ({ data }) => this.#take(data));
    this.#socket.addEventListener("error", ({ error }) => this.#broken(error));
    this.#socket.addEventListener("close", () => this.#broken(undefined));
    try {
      return await this.#done.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.#socket.close();
    }
  }

  #take(data: unknown): void {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
    const content = bytes.subarray(1);
    if (bytes[0] === 3) return this.#end(Buffer.from(content).toString("utf8"));
    if (bytes[0] !== 1) return;
    this.#size += content.length;
    if (this.#size > this.#limit) return this.#fail(`printed more than the limit of ${this.#limit} bytes`, "this answer is not what the probe expects: check what the container is");
    this.#chunks.push(content);
  }

  #end(text: string): void {
    const status = parseStatus(text);
    if (status.succeeded) return this.#done.resolve(Buffer.concat(this.#chunks).toString("utf8"));
    const how = status.exitCode === undefined ? "could not run the command" : `ended the command with exit code ${status.exitCode}`;
    this.#fail(how, "check that the container holds this command and is ready");
  }

  #broken(error: unknown): void {
    if (this.#isOpen) return this.#fail("broke off before the command had ended", "run again; the pod may just have been replaced");
    const code = codeOf(error);
    if (code === "unknown" || code === "UND_ERR_SOCKET") return this.#done.resolve(undefined);
    this.#done.reject(this.#connection.fault(error));
  }

  #fail(what: string, remedy: string): void {
    this.#done.reject(podFault(this.#pod, what, remedy));
  }
}

async function explain(connection: Connection, pod: PodAddress, asked: Asked, path: string): Promise<void> {
  const answer = await connection.ask({ asked, path, limit: 64 * 1024, retries: 1 });
  if (answer.status === 404) throw gone(pod);
  if (answer.status !== 400) checkStatus(answer, asked, connection.login);
}

function parseStatus(text: string): { readonly succeeded: boolean; readonly exitCode?: string | undefined } {
  try {
    const value: unknown = JSON.parse(text);
    const status = typeof value === "object" && value !== null ? new Map<string, unknown>(Object.entries(value)) : new Map<string, unknown>();
    if (status.get("status") === "Success") return { succeeded: true };
    const exitCode = /"reason":\s*"ExitCode",\s*"message":\s*"(\d{1,3})"/.exec(JSON.stringify(status.get("details") ?? {}))?.[1];
    return { succeeded: false, exitCode };
  } catch {
    return { succeeded: false };
  }
}

async function within<T>(limit: number, pod: PodAddress, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TooLarge) throw podFault(pod, `answered with more than the limit of ${limit} bytes`, "check that this port is the proxy's own, and what listens there");
    throw error;
  }
}

function podPath({ namespace, name }: PodAddress): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

function gone(pod: PodAddress): CollectError {
  return podFault(pod, "is not there any more", "run again; it may just have been replaced");
}

function podFault({ namespace, name }: PodAddress, what: string, remedy: string): CollectError {
  return new CollectError(`the pod \`${namespace}/${name}\` ${what}`, { remedy });
}
