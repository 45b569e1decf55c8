import http from "node:http";
import type { AddressInfo } from "node:net";
import { openRegistries } from "../../../clients/registry/index.ts";
import { defaultRegistryLimits, type RegistryLimits, type RegistryRun, type RegistrySettings } from "../../../clients/registry/place.ts";
import { CollectError, type KubernetesApi, type RegistryApi } from "#engine";
import type { PushedImage } from "../../support/images.ts";
import { hex } from "../../support/wasm.ts";

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A registry that does what no real one does on demand: hang, lie, redirect, refuse. Without a fault it serves what was put into it. */
export class FaultServer {
  /** As `GET /v2/…` with what signed in behind it. */
  readonly asked: string[] = [];
  readonly #server: http.Server;
  readonly #held = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  readonly #faults = new Map<string, Handler>();
  /** What every request must have in `Authorization`, and the challenge for those that do not. */
  guard: { readonly authorization: string; readonly challenge: string } | undefined;

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async open(): Promise<FaultServer> {
    const server = http.createServer();
    const opened = new FaultServer(server);
    server.on("request", (request: http.IncomingMessage, response: http.ServerResponse) => opened.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return opened;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  put(repository: string, tag: string, image: PushedImage): this {
    for (const child of image.children ?? []) this.put(repository, child.digest, child);
    for (const name of [tag, image.digest]) this.#held.set(`/v2/${repository}/manifests/${name}`, image);
    for (const bytes of image.blobs) this.#held.set(`/v2/${repository}/blobs/sha256:${hex(bytes)}`, { type: "application/octet-stream", bytes });
    return this;
  }

  /** What is answered at a path, in place of what is held there. */
  on(path: string, handler: Handler): this {
    this.#faults.set(path, handler);
    return this;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = request.url ?? "/";
    const { authorization } = request.headers;
    this.asked.push(`${path}${authorization === undefined ? "" : ` ${authorization}`}`);
    const fault = this.#faults.get(path) ?? this.#faults.get(path.split("?")[0] ?? "");
    if (fault !== undefined) return fault(request, response);
    if (this.guard !== undefined && authorization !== this.guard.authorization) {
      response.writeHead(401, { "www-authenticate": this.guard.challenge }).end();
      return;
    }
    const held = this.#held.get(path);
    if (held === undefined) response.writeHead(404, { "content-type": "application/json" }).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    else response.writeHead(200, { "content-type": held.type }).end(held.bytes);
  }
}

/** Limits under which a fault is seen in milliseconds. */
export const quick: RegistryLimits = { ...defaultRegistryLimits, connectMs: 2_000, answerMs: 300, requestMs: 1_000, retries: 1, retryMs: 1, longestRetryMs: 5 };

interface Opening {
  readonly settings?: Partial<RegistrySettings>;
  readonly run?: Partial<RegistryRun>;
  readonly limits?: Partial<RegistryLimits>;
  readonly signal?: AbortSignal;
  readonly kubernetes?: () => Promise<KubernetesApi>;
}

/** Registries as clusters reach them that name these hosts as their own, without TLS. */
export function reaching(hosts: readonly string[], { settings, run, limits, signal = new AbortController().signal, kubernetes }: Opening = {}): { visit(more?: Opening): RegistryApi } {
  const registries = openRegistries({ env: {}, home: "/nonexistent", untrusted: false, ...run }, { ...quick, ...limits });
  return {
    visit: (more = {}) =>
      registries.visit({
        settings: { credentials: [], pullSecrets: [], plainHttp: hosts, mirrors: {}, privateHosts: hosts, ...settings, ...more.settings },
        signal: more.signal ?? signal,
        kubernetes: more.kubernetes ?? kubernetes ?? (() => Promise.reject(new CollectError("no cluster here", { remedy: "" }))),
      }),
  };
}
