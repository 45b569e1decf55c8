import type { WasmBytes } from "#engine";
import { parseStrictJson } from "../documents/strict-json.ts";
import { readLayer } from "./layer.ts";
import type { Manifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";
import type { Shared } from "./shared.ts";
import { fileInTar, gunzipped, NotInArchive } from "./unpack.ts";
import { cleaned, Unreadable } from "./unreadable.ts";

const MOST_LAYERS = 20;
const MOST_CONFIG_BYTES = 1 << 20;

/** Layers that are a module as it is: `application/wasm`, `application/vnd.wasm.content.layer.v1+wasm`, of solo and of Bytecode Alliance. */
const WASM_LAYER = /^application\/(?:wasm|[a-z0-9.]+\+wasm)$/;
const GZIPPED = /^application\/vnd\.(?:docker\.image\.rootfs\.diff\.tar\.gzip|oci\.image\.layer\.v1\.tar\+gzip)$/;
const PLAIN = /^application\/vnd\.(?:docker\.image\.rootfs\.diff\.tar|oci\.image\.layer\.v1\.tar)$/;

/** A module, and what of its image names it: words of a pod replace the command of its image and not its entry point. */
export interface Started {
  readonly module: WasmBytes;
  readonly namedBy: "layer" | "entrypoint" | "command";
}

/**
 * The module that a runtime for Wasm starts of an image: its one layer that is a module, else the file that the entry point names, from the last layer that has it.
 * Throws Unreadable where there are several, or none.
 */
export async function workloadModule(repository: Repository, { layers, config }: Manifest, shared: Shared, signal: AbortSignal): Promise<Started> {
  const modules = layers.filter(({ mediaType }) => WASM_LAYER.test(mediaType));
  const [only, second] = modules;
  if (second !== undefined) throw unsupported(`the image holds ${modules.length} modules`, "push one module in an image, so that it is known which one runs");
  if (only !== undefined) return { module: await shared.blobs.get(`${only.digest} module`, () => readLayer(repository, only, signal, (bytes) => bytes)), namedBy: "layer" };
  if (config === undefined || layers.length > MOST_LAYERS) throw unsupported(config === undefined ? "the image has no configuration, which would name its entry point" : `the image has more than ${MOST_LAYERS} layers`, "push the module as an image of its own");
  const { path, namedBy } = entryPointOf(await repository.blob(config, MOST_CONFIG_BYTES, signal));
  const { moduleBytes } = repository.limits;
  let failure: Unreadable | undefined;
  for (const layer of layers.toReversed()) {
    const isGzipped = GZIPPED.test(layer.mediaType);
    if (!isGzipped && !PLAIN.test(layer.mediaType)) throw unsupported(`the image has a layer of the type ${cleaned(layer.mediaType, 80)}, which is not read`, "push it with layers of plain tar or gzip");
    const isWanted = (name: string): boolean => plainPath(name) === path;
    try {
      const module = await shared.blobs.get(`${layer.digest} file ${path}`, () => readLayer(repository, layer, signal, (bytes) => fileInTar(isGzipped ? gunzipped(bytes, moduleBytes) : bytes, isWanted, `\`${cleaned(path, 80)}\``)));
      return { module, namedBy };
    } catch (error) {
      if (!(error instanceof NotInArchive)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? unsupported("the image has no layers", "push it again");
}

/** The first word of the entry point, else of the command, as a path from the root. */
function entryPointOf(bytes: Uint8Array): { readonly path: string; readonly namedBy: "entrypoint" | "command" } {
  let document: unknown;
  try {
    document = parseStrictJson(bytes);
  } catch {
    throw unsupported("the configuration of the image is no JSON", "push the image again");
  }
  const config = fieldOf(document, "config");
  const [entry, command] = [fieldOf(config, "Entrypoint"), fieldOf(config, "Cmd")].map((list): readonly unknown[] => (Array.isArray(list) ? list : []));
  const first = entry?.[0] ?? command?.[0];
  const namedBy = entry?.[0] === undefined ? "command" : "entrypoint";
  if (typeof first !== "string" || first === "") throw unsupported("the image names no entry point", "write the path of the module into its entry point");
  const path = plainPath(first);
  // Where a relative path begins, runtimes do not agree on.
  if (!first.startsWith("/") && !["", "/"].includes(textOf(fieldOf(config, "WorkingDir")))) throw unsupported(`the entry point of the image is \`${cleaned(first, 80)}\`, which begins in a folder of its own`, "write the path of the module from the root into its entry point");
  if (!/\.(?:wasm|wat)$/.test(path)) throw unsupported(`the entry point of the image is \`${cleaned(first, 80)}\`, which is no module`, "this is an image for another runtime: name the image of the module");
  return { path, namedBy };
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function plainPath(name: string): string {
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

function unsupported(reason: string, remedy: string): Unreadable {
  return new Unreadable("unsupported", reason, remedy);
}
