import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createServer as createPlain, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecure } from "node:https";
import { connect, createServer as createTcp, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { openKubernetes, type KubernetesPlace, type Limits, type Surroundings } from "../../../clients/kubernetes/index.ts";
import { CollectError, type KubernetesApi, type KubeObject, type Page, type Resource } from "#engine";

const certificates = path.join(import.meta.dirname, "certificates");

export const fileOf = (name: string) => path.join(certificates, name);
const pem = (name: string) => readFileSync(fileOf(name), "utf8");
export const base64 = (name: string) => Buffer.from(pem(name)).toString("base64");

export const pods: Resource = { group: "", versions: ["v1"], plural: "pods", kind: "Pod", namespaced: true };
export const nodes: Resource = { group: "", versions: ["v1"], plural: "nodes", kind: "Node", namespaced: false };
export const routes: Resource = { group: "mesh.example", versions: ["v1", "v1beta1"], plural: "routes", kind: "Route", namespaced: true };

export const pod = (name: string, namespace = "a", more: object = {}) => ({ metadata: { name, namespace, resourceVersion: "7" }, ...more });
export const podList = (names: readonly string[], next?: string) => ({
  kind: "PodList",
  apiVersion: "v1",
  metadata: { resourceVersion: "9", ...(next === undefined ? {} : { continue: next }) },
  items: names.map((name) => pod(name)),
});
export const status = (code: number, reason: string) => ({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "secret words" });

export interface Running {
  readonly url: string;
  readonly port: number;
  /** `METHOD path?query` of every request, in order. */
  readonly seen: string[];
  readonly headers: IncomingMessage["headers"][];
  connections: number;
  readonly server: Server;
}

interface Tls {
  readonly certificate?: string;
  readonly clients?: boolean;
}

/** An HTTPS server on loopback, or a plain one where `tls` is false; it ends with the test. */
export async function serve(listener: RequestListener, tls: Tls | false = {}): Promise<Running> {
  const { certificate = "server", clients = false } = tls || {};
  const options = { key: pem(`${certificate}.key`), cert: pem(`${certificate}.pem`), ...(clients ? { requestCert: true, ca: pem("authority.pem") } : {}) };
  const server = tls === false ? createPlain() : createSecure(options);
  const port = await listen(server);
  const running: Running = { url: `${tls === false ? "http" : "https"}://127.0.0.1:${port}`, port, seen: [], headers: [], connections: 0, server };
  server.on(tls === false ? "connection" : "secureConnection", () => void (running.connections += 1));
  server.on("request", (request, response) => {
    running.seen.push(`${request.method} ${request.url}`);
    running.headers.push(request.headers);
    void Promise.resolve(listener(request, response)).catch(() => response.destroy());
  });
  onTestFinished(() => server.closeAllConnections());
  return running;
}

async function listen(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What a server answers, by the path without its query; anything else is a 404 of Kubernetes. */
export type Answers = Readonly<Record<string, (request: IncomingMessage, url: URL) => readonly [number, unknown, Readonly<Record<string, string>>?]>>;

export function answering(answers: Answers): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const [code, body, headers = {}] = answers[url.pathname]?.(request, url) ?? [404, status(404, "NotFound")];
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(code, { "content-type": "application/json", ...headers }).end(text);
  };
}

/** A folder of its own, gone after the test. */
export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "cloud-assert-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** Writes a kubeconfig with one context; JSON is YAML. */
export async function kubeconfig(server: string, user: object | undefined, cluster: object = { "certificate-authority": fileOf("authority.pem") }): Promise<string> {
  const file = path.join(await folder(), "config");
  const config = {
    clusters: [{ name: "c", cluster: { server, ...cluster } }],
    users: user === undefined ? [] : [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", ...(user === undefined ? {} : { user: "u" }) } }],
    "current-context": "x",
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

const quick: Partial<Limits> = { retryMs: 1, longestRetryMs: 20, pluginMs: 5_000 };

export function around(more: Partial<Surroundings> = {}): Surroundings {
  return { env: { PATH: process.env["PATH"] }, home: "/nowhere", signal: new AbortController().signal, allowExec: true, ...more };
}

export async function open(place: KubernetesPlace, more: Partial<Surroundings> = {}, limits: Partial<Limits> = {}): Promise<KubernetesApi> {
  return openKubernetes(place, around(more), { ...quick, ...limits });
}

/** Opens a server with a token. */
export async function openServer(url: string, limits: Partial<Limits> = {}, namespaces?: readonly string[]): Promise<KubernetesApi> {
  return open({ form: "kubeconfig", kubeconfig: await kubeconfig(url, { token: "secret-token" }), namespaces }, {}, limits);
}

export async function pagesOf(api: KubernetesApi, resource: Resource): Promise<Page[]> {
  return Array.fromAsync(api.list(resource));
}

export const nameOf = (item: KubeObject) => (item.metadata as { readonly name: string }).name;

export async function namesIn(api: KubernetesApi, resource: Resource): Promise<string[]> {
  return (await pagesOf(api, resource)).flatMap(({ items }) => items.map(nameOf));
}

/** The CollectError that a promise ends with; anything else fails the test. */
export async function failure(work: Promise<unknown>): Promise<CollectError> {
  const error: unknown = await work.then(
    () => new Error("nothing was thrown"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CollectError)) throw error;
  return error;
}

/** A proxy that opens tunnels (CONNECT); every host leads to `port` on loopback. */
export async function connectProxy(port: number, refuse?: number): Promise<{ readonly url: string; readonly asked: string[]; readonly authorization: (string | undefined)[] }> {
  const asked: string[] = [];
  const authorization: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createPlain();
  server.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    authorization.push(request.headers["proxy-authorization"]);
    sockets.add(socket);
    if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    for (const one of [socket, upstream]) one.on("error", () => undefined);
  });
  const own = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${own}`, asked, authorization };
}

/** A server that speaks raw bytes. */
export async function serveBytes(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    answer(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(server);
}
