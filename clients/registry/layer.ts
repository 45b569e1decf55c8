import type { WasmBytes } from "#engine";
import type { Descriptor } from "./manifest.ts";
import type { Repository } from "./repository.ts";
import { Unreadable } from "./unreadable.ts";
import { readModule } from "./wasm-bytes.ts";

/** The module in a layer, `unpacked` as its form wants. Its layer is read to its checked end, or what it says counts for nothing: an Unreadable. */
export async function readLayer(repository: Repository, layer: Descriptor, signal: AbortSignal, unpacked: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>): Promise<WasmBytes> {
  const blob = watched(repository.blobStream(layer, repository.limits.moduleBytes, signal));
  const module = await readModule(unpacked(blob.bytes));
  if (!blob.isWhole()) throw new Unreadable("unsupported", `the layer \`${layer.digest.slice(0, 19)}…\` goes on behind the end of its gzip`, "push the image again");
  return module;
}

/** A stream, and whether it was read to its checked end. */
function watched(source: AsyncIterable<Buffer>): { readonly bytes: AsyncIterable<Buffer>; isWhole(): boolean } {
  let whole = false;
  async function* bytes(): AsyncGenerator<Buffer> {
    yield* source;
    whole = true;
  }
  return { bytes: bytes(), isWhole: () => whole };
}
