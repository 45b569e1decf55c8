import { sha256, type ApiServerFact, type Cluster, type Fact, type Io } from "#engine";

/** How the API server is reached; of a folder of manifests nothing is told, which is no gap: it has no server. */
export async function* readApiServer(cluster: Cluster, io: Io): AsyncIterable<Fact<"api-server">> {
  const { host, caSha256 } = await io.kubernetes();
  io.signal.throwIfAborted();
  if (host === undefined) return;
  const data: ApiServerFact = { hostSha256: sha256(host), ...(caSha256 === undefined ? {} : { caSha256 }), named: namedBy(host) };
  yield { type: "fact", kind: "api-server", cluster: cluster.name, subject: cluster.name, data, source: { collector: "kubernetes", locator: "/" } };
}

/** Names that a cloud gives to one cluster and never to another. Source: the endpoints of EKS, the FQDNs of AKS. */
const OWN: readonly (readonly [ending: string, named: ApiServerFact["named"]])[] = [
  [".eks.amazonaws.com", "eks"],
  [".eks.amazonaws.com.cn", "eks"],
  [".azmk8s.io", "aks"],
  [".cx.prod.service.azk8s.cn", "aks"],
  [".cx.aks.containerservice.azure.us", "aks"],
];

function namedBy(host: string): ApiServerFact["named"] {
  const own = OWN.find(([ending]) => host.endsWith(ending));
  if (own !== undefined) return own[1];
  if (/^(?:kubernetes|kubernetes\.default(?:\.svc(?:\..+)?)?)$/.test(host)) return "inside";
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/.test(host) ? "address" : "other";
}
