import { byText, type BpfApplication, type Cluster, type Fact, type Gap, type Io, type KubeObject } from "#engine";
import { fieldsIn, listIn, textIn, textsIn } from "../fields.ts";
import { bpfStates } from "../resources.ts";
import { elsewhereGap, listAll, orGap, unseenGap } from "./lists.ts";

/** One fact for each application and node that bpfman answers for. A cluster without bpfman has none. */
export async function* readBpfApplications(cluster: Cluster, io: Io): AsyncIterable<Fact<"bpf-applications"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenGap(api, cluster, "bpf-applications", ...bpfStates);
  if (blind !== undefined) yield blind;
  yield* elsewhereGap(api, cluster, "bpf-applications", "`BpfApplicationState` objects");
  const gaps: Gap[] = [];
  const facts: Fact<"bpf-applications">[] = [];
  for (const resource of bpfStates) {
    const listed = await orGap(gaps, cluster, "bpf-applications", resource.plural, [], () => listAll(resource, api, io));
    for (const { item, source } of listed) {
      const metadata = fieldsIn(item, "metadata");
      const namespace = resource.namespaced ? `${textIn(metadata, "namespace") ?? "default"}/` : "";
      facts.push({
        type: "fact",
        kind: "bpf-applications",
        cluster: cluster.name,
        subject: `${resource.kind} ${namespace}${textIn(metadata, "name") ?? ""}`,
        data: stateOf(item, namespace),
        source: { collector: "kubernetes", ...source },
      });
    }
  }
  yield* gaps;
  yield* facts;
}

/** bpfman: the application that owns the state, and the node that it is about, are in its status; older releases had both as labels. */
function stateOf(item: KubeObject, namespace: string): BpfApplication {
  const labels = textsIn(fieldsIn(item, "metadata"), "labels");
  const status = fieldsIn(item, "status");
  const spec = fieldsIn(item, "spec");
  const programs = [...listIn(status, "programs"), ...listIn(spec, "programs")].flatMap((program) => textIn(program, "type", 32) ?? []);
  return {
    node: textIn(status, "node", 253) ?? textIn(spec, "node", 253) ?? labels["kubernetes.io/hostname"] ?? "",
    application: `${namespace}${labels["bpfman.io/ownedByProgram"] ?? ""}`,
    status: statusOf(textIn(status, "appLoadStatus", 64) ?? textIn(spec, "appLoadStatus", 64), listIn(status, "conditions")),
    programs: [...new Set(programs)].toSorted(byText),
  };
}

/** Loaded is not yet attached: of what is loaded the condition says the rest (`Success`, `Pending`, `Error`). Releases without conditions say the load alone. */
function statusOf(load: string | undefined, conditions: readonly unknown[]): string {
  const told = conditions.flatMap((condition) => textIn(condition, "type", 64) ?? []);
  const open = load === "LoadSuccess" ? told.find((type) => type !== "Success") : undefined;
  return open ?? load ?? "";
}
