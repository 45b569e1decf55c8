import { readFileSync } from "node:fs";
import pLimit from "p-limit";
import { Agent, request, type Dispatcher } from "undici";

/** An object to post; tests write what they like, the API server judges it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Raw requests to one API server as one identity. */
export interface Api {
  ask(method: Dispatcher.HttpMethod, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** As `ask`; an answer that is no success is an error. */
  must(method: Dispatcher.HttpMethod, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  close(): Promise<void>;
}

export function openApi({ url, caFile }: { readonly url: string; readonly caFile: string }, token: string): Api {
  const agent = new Agent({ connect: { ca: readFileSync(caFile) }, connections: 8 });

  async function ask(method: Dispatcher.HttpMethod, path: string, body?: unknown, contentType = "application/json"): Promise<Answer> {
    const answer = await request(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, "content-type": contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: parsed(await answer.body.text()) };
  }

  return {
    ask,
    async must(method, path, body, contentType) {
      const answer = await ask(method, path, body, contentType);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${String(answer.body["message"] ?? "")}`);
      return answer;
    },
    close: () => agent.close(),
  };
}

/** Where a manifest is read, written and, without its name, posted. */
export function pathOf(manifest: Manifest, { named }: { readonly named: boolean }): string {
  const { apiVersion, kind, metadata } = manifest;
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${namespace}/${pluralOf(kind)}${named ? `/${metadata.name}` : ""}`;
}

/** Posts objects, eight at a time, and then their `status` where they have one: the server drops it from a posted pod. */
export async function post(api: Api, manifests: readonly Manifest[]): Promise<void> {
  const atOnce = pLimit(8);
  await Promise.all(manifests.map((manifest) => atOnce(async () => {
    await api.must("POST", pathOf(manifest, { named: false }), manifest);
    const status = manifest["status"];
    if (status === undefined) return;
    const path = `${pathOf(manifest, { named: true })}/status`;
    await api.must("PATCH", path, { status }, "application/strategic-merge-patch+json");
  })));
}

/** Makes each object what the manifest says, whether it is there or not. */
export async function apply(api: Api, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    await api.must("PATCH", `${pathOf(manifest, { named: true })}?fieldManager=tests&force=true`, manifest, "application/apply-patch+yaml");
  }
}

/** Deletes objects at once; what is not there stays away. */
export async function remove(api: Api, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await api.ask("DELETE", `${pathOf(manifest, { named: true })}?gracePeriodSeconds=0`);
}

/** English plurals as Kubernetes forms them. */
function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word.endsWith("y") && !word.endsWith("ay")) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch)$/.test(word) ? `${word}es` : `${word}s`;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { message: text };
  }
}
