import pLimit from "p-limit";
import { byText, defineCollector, type Cluster, type Fact, type Io, type JsonObject, type RegistryApi, type Request, type ResolvedModule, type SignaturePolicy, type WasmImage } from "#engine";
import { references, workloads } from "./references.ts";

const AT_ONCE = 8;

export default defineCollector<"wasm-images">({
  name: "oci",
  summary: "what the references of Wasm modules resolve to: digests, bytes and who signed them",
  provides: ["wasm-images"],
  after: ["node-agents", "wasm-modules", "wasm-loaded"],

  async *collect(cluster, requests, io) {
    io.signal.throwIfAborted();
    const wanted = requests.map((request) => wantedBy(request, io));
    const registry = io.registry();
    const limit = pLimit(AT_ONCE);
    const all = new Map(wanted.flat().map((one) => [keyOf(one), one]));
    let done = 0;
    const resolved = await Promise.all(
      [...all].map(([key, { reference, loader }]) =>
        limit(async () => {
          io.signal.throwIfAborted();
          const module = await registry.module(reference, loader);
          done += 1;
          io.progress(`${done} of ${all.size} modules resolved`);
          return [key, module] as const;
        }),
      ),
    );
    const images = new Map(resolved);
    for (const [index, request] of requests.entries()) yield* answer(cluster, request, (wanted[index] ?? []).flatMap((one) => resolvedFor(one, request, images.get(keyOf(one)))), registry, io);
  },
});

interface Wanted {
  readonly reference: string;
  readonly loader: "proxy" | "runtime";
}

function keyOf({ reference, loader }: Wanted): string {
  return `${loader} ${reference}`;
}

/** Where both are asked about, each fact says for whom it was read. */
function resolvedFor({ loader }: Wanted, { options }: Request<"wasm-images">, module: ResolvedModule | undefined): readonly ResolvedModule[] {
  return module === undefined ? [] : [repositoryIn(options) === undefined ? module : { ...module, readAs: loader }];
}

function repositoryIn(options: JsonObject | undefined): string | undefined {
  const repository = options?.["repository"];
  return typeof repository === "string" ? repository : undefined;
}

function wantedBy({ options }: Request<"wasm-images">, io: Io): readonly Wanted[] {
  const repository = repositoryIn(options);
  if (repository === undefined) return references(io.facts("wasm-modules"), io.facts("wasm-loaded")).map((reference) => ({ reference, loader: "proxy" }));
  const { inPods, inMesh } = workloads(repository, io.facts("wasm-modules"), io.facts("node-agents"));
  return [...inPods.map((reference) => ({ reference, loader: "runtime" as const })), ...inMesh.map((reference) => ({ reference, loader: "proxy" as const }))];
}

/** One fact for each reference; with a policy also what its signatures say, judged where the bytes are read. */
async function* answer(cluster: Cluster, { selector, options }: Request<"wasm-images">, images: readonly ResolvedModule[], registry: RegistryApi, io: Io): AsyncIterable<Fact<"wasm-images">> {
  const policy = policyIn(options);
  const limit = pLimit(AT_ONCE);
  const judged = await Promise.all(images.map((image) => limit(() => (policy === undefined ? image : signed(image, policy, registry, io)))));
  for (const data of judged.toSorted((a, b) => byText(subjectOf(a), subjectOf(b)))) {
    yield {
      type: "fact",
      kind: "wasm-images",
      cluster: cluster.name,
      subject: subjectOf(data),
      ...(selector === undefined ? {} : { selector }),
      data,
      source: { collector: "oci", locator: data.reference, ...(data.manifestDigest === undefined ? {} : { digest: data.manifestDigest }) },
    };
  }
}

function subjectOf({ reference, readAs }: WasmImage): string {
  return readAs === undefined ? reference : `${reference} (${readAs})`;
}

async function signed(image: ResolvedModule, policy: SignaturePolicy, registry: RegistryApi, io: Io): Promise<WasmImage> {
  const { reference, manifestDigest, topDigest } = image;
  if (manifestDigest === undefined || topDigest === undefined) return image;
  io.signal.throwIfAborted();
  const material = await registry.signatures({ reference, manifestDigest, topDigest }, policy.repository);
  io.signal.throwIfAborted();
  return { ...image, signatures: await io.signatures().verify(material, policy) };
}

/** As {@link wasmImagesRequest} wrote it; the files in it are whole here. */
function policyIn(options: JsonObject | undefined): SignaturePolicy | undefined {
  const policy = options?.["signatures"];
  return typeof policy === "object" && policy !== null && !Array.isArray(policy) ? (policy as SignaturePolicy) : undefined;
}
