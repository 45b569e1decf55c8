import type { ResolvedModule } from "#engine";
import { redirected } from "./connection.ts";
import { readModule } from "./wasm-bytes.ts";
import { webPage } from "./manifest.ts";
import type { Reply, Transport } from "./transport.ts";
import { sizeText, Unreadable } from "./unreadable.ts";
import { unboxed, type Wrapping } from "./unpack.ts";

/** A module at an address, unpacked as Istio's agent unpacks it. Nothing signs in there. */
export async function readHttpModule(address: string, transport: Transport, signal: AbortSignal): Promise<Pick<ResolvedModule, "module" | "wrapping">> {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") throw new Unreadable("invalid", "the address of the module is no URL that can be asked", "write it as https://HOST/PATH");
  const reply = await follow(url, transport, signal);
  try {
    if (reply.status === 404 || reply.status === 410) throw new Unreadable("not-found", `\`${reply.url.host}\` has no such module (${reply.status})`, "publish it there, or correct the address");
    if (reply.status === 401 || reply.status === 403) throw new Unreadable("unauthorized", `\`${reply.url.host}\` does not give the module to everybody (${reply.status})`, "publish the module where this tool may read it, or in a registry");
    if (reply.status === 429) throw new Unreadable("throttled", `\`${reply.url.host}\` has had too many requests (429) and went on saying so`, "run again later");
    if (reply.status !== 200) throw new Unreadable("unreachable", `\`${reply.url.host}\` answers ${reply.status}`, "look into its log, and run again");
    if (reply.type === "text/html") throw webPage("a module");
    const wrapping: Wrapping = [];
    const { moduleBytes } = transport.limits;
    const module = await readModule(unboxed(bounded(reply, moduleBytes), moduleBytes, wrapping));
    return { module, ...(wrapping.length === 0 ? {} : { wrapping }) };
  } finally {
    reply.discard();
  }
}

async function follow(from: URL, transport: Transport, signal: AbortSignal): Promise<Reply> {
  let url = from;
  for (let redirects = 0; redirects <= transport.limits.redirects; redirects += 1) {
    const reply = await transport.ask({ url, signal });
    const target = reply.status >= 300 && reply.status < 400 ? reply.header("location") : undefined;
    if (target === undefined) return reply;
    reply.discard();
    url = redirected(url, target);
  }
  throw new Unreadable("unreachable", `\`${from.host}\` redirects more than ${transport.limits.redirects} times`, "check the address: a login page may lie in between");
}

/** Longer bodies are refused: Istio's agent cuts them off, so that what runs would be no module. */
async function* bounded(reply: Reply, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of reply.stream()) {
    size += chunk.length;
    if (size > limit) throw new Unreadable("too-large", `\`${reply.url.host}\` sends more than ${sizeText(limit)}`, "publish a module of the size that Istio loads");
    yield chunk;
  }
}
