import { createServer } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import path from "node:path";
import { toText } from "../../../routes/languages/bytes.ts";
import type { Line } from "./wire.ts";

/** What a backend received; its answer's body is the JSON of this. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Line[];
}

/** A header that every answer of a backend carries, so that operations on responses have something to work on. */
const ANSWERED: Line = ["x", "up"];

/** Backends of a data plane, on pipes: one that speaks HTTP, and one for each cluster that takes bytes. */
export interface Echo {
  readonly httpPipe: string;
  tcpPipe(cluster: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startEcho(folder: string): Promise<Echo> {
  const servers: Server[] = [];
  const listen = async (server: Server, name: string): Promise<string> => {
    const pipe = path.join(folder, name);
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(pipe, resolve));
    return pipe;
  };
  const http = createServer({ insecureHTTPParser: true, keepAliveTimeout: 0 }, (request, response) => {
    const headers: Line[] = [];
    for (let at = 0; at < request.rawHeaders.length; at += 2) headers.push([(request.rawHeaders[at] ?? "").toLowerCase(), toText(request.rawHeaders[at + 1] ?? "")]);
    const body = JSON.stringify({ method: request.method ?? "", path: toText(request.url ?? ""), headers } satisfies Received);
    request.resume();
    response.writeHead(200, { "content-length": Buffer.byteLength(body), [ANSWERED[0]]: ANSWERED[1] });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  http.on("upgrade", (_, socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  return {
    httpPipe: await listen(http, "http"),
    tcpPipe: (cluster) => listen(createTcpServer((socket) => socket.on("error", () => undefined).once("data", () => socket.end(`${cluster}\n`))), `tcp${servers.length}`),
    stop: async () => {
      http.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
