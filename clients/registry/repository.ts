import { createHash } from "node:crypto";
import type { Connection } from "./connection.ts";
import type { Endpoint } from "./hosts.ts";
import { ACCEPTED, isDigest, OCI_INDEX, parseManifest, webPage, type Descriptor, type Index, type Manifest } from "./manifest.ts";
import type { Reply } from "./transport.ts";
import { cleaned, sizeText, Unreadable } from "./unreadable.ts";

/** A manifest or an index, its bytes checked against its digest. */
export interface Found {
  readonly digest: string;
  readonly document: Index | Manifest;
}

/** What registries without the API answer, beside 404. */
const NO_SUCH_API = [400, 405, 501];

/** One repository of one registry. Every byte that it gives has been checked against its digest. */
export class Repository {
  readonly #connection: Connection;
  readonly endpoint: Endpoint;

  constructor(connection: Connection, endpoint: Endpoint) {
    this.#connection = connection;
    this.endpoint = endpoint;
  }

  get limits() {
    return this.#connection.limits;
  }

  /** By tag or by digest; undefined: the registry says that there is none. */
  async manifest(tagOrDigest: string, signal: AbortSignal): Promise<Found | undefined> {
    const shown = `the manifest \`${cleaned(this.endpoint.repository)}${isDigest(tagOrDigest) ? "@" : ":"}${tagOrDigest}\``;
    const reply = await this.#connection.ask({ endpoint: this.endpoint, path: `manifests/${tagOrDigest}`, accept: ACCEPTED, signal });
    if (reply.status === 404) {
      if (reply.type === "text/html") {
        reply.discard();
        throw webPage(shown);
      }
      reply.discard();
      return undefined;
    }
    const { type } = reply;
    const said = reply.header("docker-content-digest");
    const bytes = await reply.bytes(this.limits.manifestBytes);
    if (type === "text/html") throw webPage(shown);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (isDigest(tagOrDigest) && digest !== tagOrDigest) throw wrongDigest(shown, tagOrDigest, digest);
    if (said !== undefined && isDigest(said) && said !== digest) throw wrongDigest(shown, said, digest);
    if (said !== undefined && !isDigest(said)) throw new Unreadable("unsupported", `${shown} has the digest \`${cleaned(said, 80)}\`, and only SHA-256 is checked`, "push the image again with SHA-256");
    return { digest, document: parseManifest(bytes, type, shown) };
  }

  /** A whole blob, held in memory. */
  async blob(descriptor: Descriptor, limit: number, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.blobStream(descriptor, limit, signal)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** A blob as it comes. Its end is an Unreadable unless size and digest are those of the descriptor: what came before is worth nothing then. */
  async *blobStream({ digest, size }: Descriptor, limit: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const shown = `the blob \`${digest.slice(0, 19)}…\` of \`${cleaned(this.endpoint.repository)}\``;
    if (size > limit) throw new Unreadable("too-large", `${shown} has ${sizeText(size)}, more than the limit of ${sizeText(limit)}`, "push a smaller one");
    const reply = await this.#connection.ask({ endpoint: this.endpoint, path: `blobs/${digest}`, signal });
    try {
      if (reply.status === 404) throw new Unreadable("not-found", `the registry \`${this.endpoint.host}\` lacks ${shown}`, "push the image again: the registry lost a part of it");
      const hash = createHash("sha256");
      let length = 0;
      for await (const chunk of reply.stream()) {
        length += chunk.length;
        if (length > size) throw wrongDigest(shown, digest, "longer bytes");
        hash.update(chunk);
        yield chunk;
      }
      const found = `sha256:${hash.digest("hex")}`;
      if (length < size || found !== digest) throw length < size ? cutOff(shown, length, size) : wrongDigest(shown, digest, found);
    } finally {
      reply.discard();
    }
  }

  /** A page of the referrers API (OCI 1.1); undefined: the registry has no such API. */
  async referrers(path: string, signal: AbortSignal): Promise<Reply | undefined> {
    const reply = await this.#connection.ask({ endpoint: this.endpoint, path, accept: OCI_INDEX, also: NO_SUCH_API, signal });
    if (reply.status >= 200 && reply.status < 300) return reply;
    reply.discard();
    return undefined;
  }
}

function wrongDigest(shown: string, wanted: string, found: string): Unreadable {
  return new Unreadable("wrong-digest", `${shown} should have the digest ${wanted.slice(0, 19)}… and has ${found.startsWith("sha256:") ? `${found.slice(0, 19)}…` : found}`, "do not use this registry until somebody has found out why: its content was changed or damaged");
}

function cutOff(shown: string, found: number, wanted: number): Unreadable {
  return new Unreadable("wrong-digest", `${shown} ends after ${found} of ${wanted} bytes`, "run again; check what lies between if it stays so");
}
