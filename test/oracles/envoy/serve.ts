import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { Agent, request as httpRequest } from "undici";
import { type Json, type JsonObject, listAt, objectAt, textAt } from "../../../routes/dialects/istio/json.ts";
import { type Running, scratchFolder, start, until } from "../../parts/process.ts";
import type { Generated } from "../istiod.ts";
import { type Received, startEcho } from "./echo.ts";
import { ORACLE, type Servable, servable } from "./listeners.ts";
import { askAll, clientHello, exchange, type Line, type Opening, type RawRequest, TRIES } from "./wire.ts";

const run = promisify(execFile);

/** The configuration of one proxy, to be served under `id`. */
export interface Served {
  readonly id: string;
  readonly generated: Generated;
  /** Names of its listeners that are wanted; others are not served. */
  readonly listeners: readonly string[];
}

/** One connection to a listener, and the request on it. */
export interface Asked {
  readonly listener: string;
  readonly tls?: { readonly serverName?: string };
  readonly destination?: { readonly address: string; readonly port: number };
  readonly source?: { readonly address: string; readonly port: number };
  /** Left out: the connection carries something that is not HTTP; with `tls`, a hello. */
  readonly request?: RawRequest;
  /** Decides weighted choices. */
  readonly random?: number;
}

/** What a client and a backend saw. */
export type Observed =
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "closed" }
  | { readonly type: "connected"; readonly cluster: string }
  | Answered;

export interface Answered {
  readonly type: "answered";
  readonly status: number;
  readonly headers: readonly Line[];
  readonly body: string;
  /** Envoy's reason where it answered itself. */
  readonly details?: string;
  /** The generated route that was matched, where one was. */
  readonly route?: JsonObject;
  readonly cluster?: string;
  readonly received?: Received;
}

/** A real Envoy that serves many configurations. */
export interface DataPlane {
  /** Asks all, those of one kind of connection one behind another; answers come in the order of the questions. */
  ask(id: string, asked: readonly Asked[]): Promise<readonly Observed[]>;
  stop(): Promise<void>;
}

/** Starts an Envoy with all these configurations on loopback. One that Envoy refuses is told by `ask`; the others are served. */
export async function serve(binary: string, wanted: readonly Served[]): Promise<DataPlane> {
  const folder = await scratchFolder("dataplane");
  const [certificate, echo] = await Promise.all([selfSigned(folder), startEcho(folder)]);
  const served = new Map<string, Servable>();
  const clusters: JsonObject[] = [];
  let count = 0;
  for (const { id, generated, listeners } of wanted) {
    const known = new Set(generated.clusters.map((cluster) => textAt(cluster, "name")));
    for (const name of listeners) {
      const listener = generated.listeners.find((candidate) => textAt(candidate, "name") === name);
      if (listener === undefined) continue;
      const prefix = `l${count++}~`;
      const made = servable(listener, generated.routes, { prefix, certificate });
      served.set(`${id} ${name}`, made);
      for (const cluster of made.clusters.http) if (known.has(cluster) && cluster !== "BlackHoleCluster") clusters.push(pipeCluster(`${prefix}${cluster}`, echo.httpPipe));
      for (const cluster of made.clusters.tcp) if (known.has(cluster) && cluster !== "BlackHoleCluster") clusters.push(pipeCluster(`tcp.${prefix}${cluster}`, await echo.tcpPipe(cluster)));
    }
  }
  const process = await startEnvoy(binary, folder, clusters, [...served.values()].map(({ listener }) => listener));
  const admin = new Agent({ connect: { socketPath: path.join(folder, "admin") } });
  const ports = await portsOf(admin);
  const refusals = await refusalsOf(admin);

  async function connection(opening: Opening, { tls }: Asked): Promise<Observed> {
    for (let tried = 0; tried < TRIES; tried++) {
      const read = await exchange(opening, tls === undefined ? "bytes\n" : clientHello(tls.serverName));
      if (read.endsWith("\n")) return { type: "connected", cluster: read.trim() };
    }
    return { type: "closed" };
  }

  async function ask(id: string, asked: readonly Asked[]): Promise<readonly Observed[]> {
    const out: Observed[] = [];
    const kinds = new Map<string, { readonly made: Servable; readonly opening: Opening; readonly asked: { readonly index: number; readonly request: RawRequest }[] }>();
    for (const [index, one] of asked.entries()) {
      const { listener, tls, destination, source, request, random } = one;
      const made = served.get(`${id} ${listener}`);
      const name = made === undefined ? "" : textAt(made.listener, "name");
      const port = ports.get(name);
      if (made === undefined || port === undefined) {
        out[index] = made === undefined ? { type: "closed" } : { type: "refused", reason: refusals.get(name) ?? process.log().slice(-2_000) };
        continue;
      }
      const told = made.looksAtDestination ? { destination: destination ?? { address: "127.0.0.1", port: 1 }, ...(source === undefined ? {} : { source }) } : {};
      if (request === undefined) {
        out[index] = await connection({ port, ...told }, one);
        continue;
      }
      const key = JSON.stringify([port, tls, told]);
      let kind = kinds.get(key);
      if (kind === undefined) kinds.set(key, (kind = { made, opening: { port, ...(tls === undefined ? {} : { tls }), ...told }, asked: [] }));
      kind.asked.push({ index, request: random === undefined ? request : { ...request, headers: [...request.headers, [ORACLE.random, String(random)]] } });
    }
    for (const { made, opening, asked: own } of kinds.values()) {
      const answers = await askAll(opening, own.map(({ request }) => request));
      for (const [at, { index }] of own.entries()) {
        const answer = answers[at];
        out[index] = answer === undefined ? { type: "closed" } : observed(answer, made, textAt(made.listener, "name"));
      }
    }
    return out;
  }

  return {
    ask,
    async stop() {
      await process.stop();
      await Promise.all([admin.close(), echo.stop()]);
    },
  };
}

function observed({ status, headers, body }: { status: number; headers: readonly Line[]; body: string }, made: Servable, prefix: string): Answered {
  const told = (name: string): string | undefined => headers.find(([header]) => header === name)?.[1];
  const route = made.routes.get(told(ORACLE.route) ?? "");
  const cluster = told(ORACLE.cluster);
  const details = told(ORACLE.details);
  // A backend speaks JSON and carries its mark; an answer of Envoy itself has details.
  const received: Received | undefined = details === undefined && body.startsWith('{"method"') ? JSON.parse(body) : undefined;
  return {
    type: "answered",
    status,
    headers: headers.filter(([name]) => !name.startsWith("x-oracle-")),
    body,
    ...(details === undefined ? {} : { details }),
    ...(route === undefined ? {} : { route }),
    ...(cluster === undefined || cluster === "-" ? {} : { cluster: cluster.startsWith(prefix) ? cluster.slice(prefix.length) : cluster }),
    ...(received === undefined ? {} : { received }),
  };
}

function pipeCluster(name: string, pipe: string): JsonObject {
  return {
    name,
    connect_timeout: "5s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: pipe } } } }] }] },
  };
}

async function startEnvoy(binary: string, folder: string, clusters: readonly JsonObject[], listeners: readonly JsonObject[]): Promise<Running> {
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file("listeners.json"), JSON.stringify({ version_info: "1", resources: listeners }));
  await writeFile(file("envoy.json"), JSON.stringify({
    node: { id: "oracle", cluster: "oracle" },
    admin: { address: { pipe: { path: file("admin") } } },
    dynamic_resources: { lds_config: { resource_api_version: "V3", path_config_source: { path: file("listeners.json") } } },
    static_resources: { clusters },
    // As Istio's bootstrap sets it.
    layered_runtime: { layers: [{ name: "static", static_layer: { "re2.max_program_size.error_level": 32_768 } }] },
  }));
  const process = await start(binary, ["-c", file("envoy.json"), "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"], { logFile: file("envoy.log") });
  const admin = new Agent({ connect: { socketPath: file("admin") } });
  const broken = (): string | undefined => (process.ended() ? process.log().slice(-3_000) : undefined);
  await until("Envoy is ready", async () => (await text(admin, "/ready")).startsWith("LIVE"), broken);
  await admin.close();
  return process;
}

async function text(admin: Agent, where: string): Promise<string> {
  try {
    return await (await httpRequest(`http://admin${where}`, { dispatcher: admin })).body.text();
  } catch {
    return "";
  }
}

/** Lines of `/listeners` look like `l0~::127.0.0.1:40511`. */
async function portsOf(admin: Agent): Promise<ReadonlyMap<string, number>> {
  const lines = (await text(admin, "/listeners")).trim().split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("::")), Number(line.slice(line.lastIndexOf(":") + 1))] as const));
}

async function refusalsOf(admin: Agent): Promise<ReadonlyMap<string, string>> {
  const dump: Json = JSON.parse((await text(admin, "/config_dump?resource=dynamic_listeners")) || "{}");
  return new Map(listAt(dump, "configs").flatMap((config) => {
    const wrong = textAt(objectAt(config, "error_state"), "details");
    return wrong === "" ? [] : [[textAt(config, "name") || textAt(objectAt(objectAt(config, "error_state"), "failed_configuration"), "name"), wrong] as const];
  }));
}

async function selfSigned(folder: string): Promise<{ readonly cert: string; readonly key: string }> {
  const pair = { cert: path.join(folder, "cert.pem"), key: path.join(folder, "key.pem") };
  await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=oracle", "-keyout", pair.key, "-out", pair.cert]);
  return pair;
}
