import type { Cluster, Fact, Gap, Io, KubeObject, NodeToleration, RuntimeClassFact } from "#engine";
import { fieldsIn, listIn, textIn, textsIn } from "../fields.ts";
import { runtimeClasses, shims } from "../resources.ts";
import { listAll, orGap, unseenGap } from "./lists.ts";

/** One fact for each RuntimeClass, and for each Shim of SpinKube's runtime-class-manager where that is installed. */
export async function* readRuntimeClasses(cluster: Cluster, io: Io): AsyncIterable<Fact<"runtime-classes"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenGap(api, cluster, "runtime-classes", runtimeClasses, shims);
  if (blind !== undefined) yield blind;
  const gaps: Gap[] = [];
  const read = (resource: typeof shims, factOf: (item: KubeObject, name: string) => RuntimeClassFact) =>
    orGap(gaps, cluster, "runtime-classes", resource.plural, [], async () => (await listAll(resource, api, io)).map(({ item, source }) => ({ data: factOf(item, textIn(fieldsIn(item, "metadata"), "name") ?? ""), source })));
  const found = [...(await read(runtimeClasses, classOf)), ...(await read(shims, shimOf))];
  yield* gaps;
  for (const { data, source } of found) {
    yield { type: "fact", kind: "runtime-classes", cluster: cluster.name, subject: `${data.type} ${data.name}`, data, source: { collector: "kubernetes", ...source } };
  }
}

function classOf(item: KubeObject, name: string): RuntimeClassFact {
  const scheduling = fieldsIn(item, "scheduling");
  return { type: "class", name, handler: textIn(item, "handler", 253) ?? "", nodeSelector: textsIn(scheduling, "nodeSelector"), tolerations: listIn(scheduling, "tolerations").map(tolerationOf) };
}

function tolerationOf(toleration: unknown): NodeToleration {
  const [key, value, effect] = [textIn(toleration, "key", 317), textIn(toleration, "value", 63), textIn(toleration, "effect", 64)];
  return { operator: textIn(toleration, "operator", 16) ?? "Equal", ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }), ...(effect === undefined ? {} : { effect }) };
}

/** A Shim may write architectures as `uname` does. */
function archOf(name: string): string {
  return name === "aarch64" ? "arm64" : name === "x86_64" ? "amd64" : name;
}

function shimOf(item: KubeObject, name: string): RuntimeClassFact {
  const spec = fieldsIn(item, "spec");
  const made = fieldsIn(spec, "runtimeClass");
  const [runtimeClass, handler] = [textIn(made, "name", 253), textIn(made, "handler", 253)];
  const platforms = listIn(fieldsIn(spec, "fetchStrategy"), "platforms").slice(0, 32).map((platform) => {
    const sha256 = textIn(platform, "sha256", 64);
    return { os: textIn(platform, "os", 32) ?? "", arch: archOf(textIn(platform, "arch", 32) ?? ""), ...(sha256 === undefined ? {} : { sha256 }) };
  });
  return { type: "shim", name, ...(runtimeClass === undefined ? {} : { runtimeClass }), ...(handler === undefined ? {} : { handler }), platforms };
}
