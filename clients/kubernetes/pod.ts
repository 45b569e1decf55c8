import { CollectError, type PodAddress } from "#engine";
import { checkStatus, statusReason, TooLarge, type Answer, type Connection } from "./connection.ts";
import { codeOf, ended, isBroken, isUnanswered } from "./faults.ts";
import { openWebSocket, ProtocolError, type Incoming } from "./websocket.ts";

/** GET through the API server's pod proxy, the bytes as the pod sends them. */
export async function podGet(connection: Connection, pod: PodAddress, port: number, path: string, limit: number, withinMs = connection.limits.podMs): Promise<string> {
  const full = `${podPath(pod)}:${port}/proxy${path.startsWith("/") ? path : `/${path}`}`;
  const asked = { verb: "get", group: "", resource: "pods/proxy", namespace: pod.namespace, path: full };
  // One retry only: what fails here is most often the pod, and there are many pods.
  const answer = await within(limit, pod, connection.ask({ asked, path: full, limit, compress: false, retries: 1, accept: "*/*", withinMs: Math.min(withinMs, connection.limits.podMs) }));
  if (answer.status >= 200 && answer.status < 300) return answer.body.toString("utf8");
  const isPods = statusReason(answer) === undefined && !isUnreached(answer);
  if (isPods && (answer.audited === true || answer.status < 500)) throw podFault(pod, `answered ${answer.status} on port ${port}`, "check that this port is the one that was meant, and what listens there", answer.audited === true ? answer.status : undefined);
  if (answer.status === 404) throw gone(pod);
  if (answer.status === 400) throw podFault(pod, `cannot be asked on port ${port}: the API server refused (400)`, "check that the pod runs and has an address; those of the node's own loopback are refused");
  checkStatus(answer, asked, connection.login);
  throw gone(pod);
}

/** How API servers before 1.19 said, without a Status, that nobody listens. */
function isUnreached({ status, body }: Answer): boolean {
  return status === 503 && /^Error(?:: '|\s+trying to reach service)/.test(body.toString("latin1", 0, 64));
}

const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/** Channels of the remote command protocol; the first byte of every message. */
const standardOutput = 1;
const outcome = 3;
/** A message is at most 32 kB of output, or how the command ended. */
const longestMessage = 1024 * 1024;

/**
 * Runs a command in a container and gives its standard output; by WebSocket, for that is what the API server and every proxy
 * on the way still speak (SPDY is on its way out).
 */
export async function podExec(connection: Connection, pod: PodAddress, container: string, command: readonly string[], limit: number): Promise<string> {
  const words = command.map((word): [string, string] => ["command", word]);
  const query = new URLSearchParams([["container", container], ["stdout", "true"], ["stderr", "false"], ["stdin", "false"], ["tty", "false"], ...words]);
  const late = AbortSignal.timeout(connection.limits.podMs);
  const signal = AbortSignal.any([connection.signal, late]);
  try {
    const incoming = await upgraded(connection, pod, `${podPath(pod)}/exec?${query.toString()}`, signal);
    const end = () => incoming.end();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      return await outputOf(incoming, pod, limit);
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  } catch (error) {
    if (connection.signal.aborted) throw ended(connection.signal);
    if (late.aborted) throw podFault(pod, `did not finish the command within ${connection.limits.podMs / 1000} s`, "check the load of the node, or do without the probe `admin`");
    if (error instanceof ProtocolError) throw podFault(pod, "was asked to run a command, and what came back is no WebSocket of an API server", "check what lies between: a proxy may answer in its place");
    throw error instanceof CollectError ? error : connection.fault(error);
  }
}

async function upgraded(connection: Connection, pod: PodAddress, path: string, signal: AbortSignal): Promise<Incoming> {
  // Up to 1.34 a WebSocket needs `get`, from 1.35 on `create` too.
  const asked = { verb: "get and create", group: "", resource: "pods/exec", namespace: pod.namespace, path: `${podPath(pod)}/exec` };
  const open = () => openWebSocket(connection, path, protocols, longestMessage, signal);
  const first = await open().catch((error: unknown) => {
    // As with every question: a kept connection that the server has just closed.
    if (isBroken(codeOf(error)) && !signal.aborted) return open();
    throw error;
  });
  const answer = "status" in first && first.status === 401 && connection.login.renew() ? await open() : first;
  if (!("status" in answer)) return answer;
  const reason = statusReason(answer);
  if (answer.status === 404 && reason !== undefined) throw gone(pod);
  if (answer.status < 300 || answer.status === 400 || (reason === undefined && answer.status !== 401)) throw notUpgraded(pod, answer.status, reason);
  checkStatus(answer, asked, connection.login);
  throw gone(pod);
}

function notUpgraded(pod: PodAddress, status: number, reason: string | undefined): CollectError {
  return podFault(pod, `cannot be reached for a command: the answer to a WebSocket was ${status}${reason ? `, ${reason}` : ""}`, "check that the pod has this container, and that every proxy on the way lets WebSockets through to `pods/exec`; or do without the probe `admin`");
}

async function outputOf(incoming: Incoming, pod: PodAddress, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const message of untilBroken(incoming)) {
    const content = message.subarray(1);
    if (message[0] === outcome) {
      checkOutcome(content.toString("utf8"), pod);
      return Buffer.concat(chunks).toString("utf8");
    }
    if (message[0] !== standardOutput) continue;
    size += content.length;
    if (size > limit) throw podFault(pod, `printed more than the limit of ${limit} bytes`, "this answer is not what the probe expects: check what the container is");
    chunks.push(content);
  }
  throw podFault(pod, "broke off before the command had ended", "run again; the pod may just have been replaced");
}

/** A socket that breaks ends the messages, as one that is closed does: neither tells how the command ended. */
async function* untilBroken(incoming: Incoming): AsyncGenerator<Buffer> {
  try {
    yield* incoming.messages();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
  }
}

function checkOutcome(text: string, pod: PodAddress): void {
  const status = parseStatus(text);
  if (status.succeeded) return;
  const how = status.exitCode === undefined ? "could not run the command" : `ended the command with exit code ${status.exitCode}`;
  throw podFault(pod, how, "check that the container holds this command and is ready");
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
    // The API server waits for the pod, and hangs up where the pod did: the cluster is not to blame.
    if (error instanceof CollectError && isUnanswered(codeOf(error.cause))) throw podFault(pod, "gave no whole answer through the API server", "check that the pod runs and what listens on this port");
    throw error;
  }
}

function podPath({ namespace, name }: PodAddress): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

function gone(pod: PodAddress): CollectError {
  return podFault(pod, "is not there any more", "run again; it may just have been replaced");
}

function podFault({ namespace, name }: PodAddress, what: string, remedy: string, answered?: number): CollectError {
  return new CollectError(`the pod \`${namespace}/${name}\` ${what}`, { remedy, ...(answered === undefined ? {} : { answered }) });
}
