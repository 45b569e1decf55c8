import { readFileSync } from "node:fs";
import { request as ask, createServer, type ServerOptions } from "node:https";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import type { ClusterAddress } from "./cluster.ts";
import { scratchFolder } from "./process.ts";

/** Stands between a client and a real API server, so that a test can act between two requests. */
export interface Gate {
  /** The cluster, as it is seen through the gate. */
  readonly cluster: ClusterAddress;
  /** Paths with their query, in the order in which they came. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Opens a gate that passes every request on once `before` has ended; what comes back is not touched. */
export async function openGate(behind: ClusterAddress, before: (path: string) => Promise<void>): Promise<Gate> {
  const folder = await scratchFolder("gate");
  const authority = await makeAuthority(folder, "gate-authority");
  const pair = await makeCertificate(folder, authority, { name: "gate", subject: "/CN=gate", altNames: ["IP:127.0.0.1"] });
  const options: ServerOptions = { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
  const ca = readFileSync(behind.caFile);
  const asked: string[] = [];

  const server = createServer(options, (request, response) => {
    const path = request.url ?? "/";
    asked.push(path);
    const fail = () => void response.destroy();
    before(path).then(() => {
      const onward = ask(`${behind.url}${path}`, { method: request.method, headers: request.headers, ca }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", fail);
      request.pipe(onward);
    }, fail);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  return {
    cluster: { ...behind, url: `https://127.0.0.1:${port}`, caFile: authority.cert },
    asked,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
