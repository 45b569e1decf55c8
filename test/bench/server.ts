/**
 * API servers as far as `EnvoyVersionSkew` asks them, in a process of their own: as many clusters as paths `/NUMBER` are asked for.
 * node server.ts CERT KEY LATENCY_MS PODS; prints its port.
 */
import { readFileSync } from "node:fs";
import { createServer, type ServerOptions } from "node:https";
import { gzipSync } from "node:zlib";
import { EKS, ISTIO, proxyPod } from "../parts/world.ts";

const [cert = "", key = "", latency = "0", pods = "0"] = process.argv.slice(2);
const PAGE = 500;
const BYTES = 4_000;
/** Pages that differ; a longer list repeats them, under other continue tokens. */
const DISTINCT = 20;

const pages = Array.from({ length: Math.min(DISTINCT, Math.max(1, Math.ceil(Number(pods) / PAGE))) }, (_, page) => {
  const size = Math.min(PAGE, Number(pods) - page * PAGE);
  const items = Array.from({ length: size }, (__, index) => podOf(page * PAGE + index));
  return JSON.stringify(items);
});
/** By page and continue token: every answer is made once. */
const answers = new Map<string, Buffer>();

const options: ServerOptions = { cert: readFileSync(cert), key: readFileSync(key) };
const server = createServer(options, (request, response) => {
  const url = new URL(request.url ?? "/", "https://localhost");
  const [, cluster = "0", rest = ""] = /^\/(\d+)(\/.*)$/.exec(url.pathname) ?? [];
  setTimeout(() => {
    const body = answerTo(rest, url.searchParams, cluster);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(body ?? zipped({ kind: "Status", status: "Failure", reason: "NotFound", code: 404 }));
  }, Number(latency));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
});

function answerTo(path: string, query: URLSearchParams, cluster: string): Buffer | undefined {
  switch (path) {
    case "/version":
      return zipped({ gitVersion: "v1.34.6-eks-7f9249a" });
    case "/api/v1/namespaces/kube-system":
      return zipped({ kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: `3f0d2c9e-6b1a-4f57-9a52-${cluster.padStart(12, "0")}` } });
    case "/api/v1/pods":
      return listOf(Number(query.get("continue") ?? "0"));
    default:
      return undefined;
  }
}

function listOf(page: number): Buffer {
  const key = String(page);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const next = (page + 1) * PAGE < Number(pods) ? `,"continue":"${page + 1}"` : "";
  const text = `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"${next}},"items":${pages[page % DISTINCT] ?? "[]"}}`;
  const made = gzipSync(text, { level: 1 });
  answers.set(key, made);
  return made;
}

function zipped(value: unknown): Buffer {
  return gzipSync(JSON.stringify(value));
}

/** A pod with a sidecar, as large as pods are. Five hundred workloads in all. */
function podOf(number: number): object {
  const pod = proxyPod(EKS, { namespace: `team-${number % 50}`, workload: `app-${number % 500}`, replica: number, role: "sidecar", image: EKS.proxyImage(ISTIO) });
  const rest = BYTES - JSON.stringify(pod).length;
  // What fills a pod up: many short fields, as managedFields and environments are.
  const fields = Object.fromEntries(Array.from({ length: Math.ceil(Math.max(0, rest) / 32) }, (_, index) => [`f:field-${index}`, { "f:value": index }]));
  return { ...pod, metadata: { ...pod.metadata, managedFields: [{ manager: "kubelet", fieldsV1: fields }] } };
}
