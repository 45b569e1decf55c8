import path from "node:path";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { scratchFolder, start, until } from "./process.ts";
import type { Manifest } from "./api.ts";

export interface Kubelet {
  readonly port: number;
  /** One line for every command that somebody asked to run. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts the node agent of `kubelet/main.go`: it answers `pilot-agent request` from the Envoy at `admin`. */
export async function startKubelet(binary: string, admin: string): Promise<Kubelet> {
  const folder = await scratchFolder("kubelet");
  const authority = await makeAuthority(folder, "authority");
  const { cert, key } = await makeCertificate(folder, authority, { name: "kubelet", subject: "/CN=node", altNames: ["IP:127.0.0.1"] });
  const process = await start(binary, ["-cert", cert, "-key", key, "-admin", admin], { logFile: path.join(folder, "kubelet.log") });
  let port: string | undefined;
  await until("the kubelet listens", async () => {
    port = /^listening .*:(\d+)$/m.exec(process.log())?.[1];
    return port !== undefined;
  }, () => (process.ended() ? process.log() : undefined));
  return { port: Number(port), log: () => process.log(), stop: () => process.stop() };
}

/** A node whose agent is that one: the API server goes there for `pods/exec`. */
export function nodeWithKubelet(name: string, { port }: Kubelet): Manifest {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  };
}
