import { DOCKER_HUB } from "#values";
import type { RegistrySettings } from "./place.ts";

/** Names by which Docker Hub is known. */
const HUB: ReadonlySet<string> = new Set(["docker.io", "registry-1.docker.io", "registry.hub.docker.com", DOCKER_HUB]);

/** One name for each registry: without scheme and path, in small letters; of Docker Hub the one that its credentials are kept under. */
export function hostKey(text: string): string {
  const host = hostIn(text);
  return HUB.has(host) ? DOCKER_HUB : host.replace(/:443$/, "");
}

function hostIn(text: string): string {
  return (text.replace(/^https?:\/\//i, "").split("/")[0] ?? "").toLowerCase();
}

/** Is `host` or `host:port` among the hosts that a list of the fleet names? Without a port in the list: on any port. */
export function isListed(list: readonly string[], url: Pick<URL, "hostname" | "port" | "protocol">): boolean {
  const port = url.port === "" ? (url.protocol === "http:" ? "80" : "443") : url.port;
  const name = url.hostname.toLowerCase();
  return list.some((entry) => {
    const listed = hostIn(entry);
    return listed === name || listed === `${name}:${port}`;
  });
}

/** Where the API of a repository is asked. */
export interface Endpoint {
  /** `https://registry.example:5000` */
  readonly origin: string;
  /** With what a mirror puts before it. */
  readonly repository: string;
  /** What credentials are looked up by. */
  readonly host: string;
}

/** The registry that is asked for a repository, which may be a mirror, and by which protocol. */
export function endpointOf(registry: string, repository: string, { mirrors, plainHttp }: RegistrySettings): Endpoint {
  const key = hostKey(registry);
  const mirror = Object.entries(mirrors).find(([from]) => hostKey(from) === key)?.[1];
  const [host = "", ...prefix] = (mirror ?? registry).replace(/^https?:\/\//i, "").replace(/\/+$/, "").split("/");
  const plain = URL.parse(`http://${host}`);
  const scheme = plain !== null && isListed(plainHttp, plain) ? "http" : "https";
  return { origin: `${scheme}://${host}`, repository: [...prefix, repository].join("/"), host };
}
