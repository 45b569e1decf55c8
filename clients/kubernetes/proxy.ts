import { BlockList, isIP } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that Go programs, and so kubectl, would use for a server: `HTTPS_PROXY` or `HTTP_PROXY` by the server's scheme,
 * upper case before lower, none for loopback addresses and for what `NO_PROXY` lists.
 */
export function proxyFor(server: URL, env: Env): string | undefined {
  const proxy = server.protocol === "https:" ? either(env, "HTTPS_PROXY") : either(env, "HTTP_PROXY");
  if (proxy === undefined || isLoopback(bare(server.hostname)) || isExempt(server, either(env, "NO_PROXY") ?? "")) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function either(env: Env, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function isExempt(server: URL, list: string): boolean {
  const host = bare(server.hostname).toLowerCase();
  const port = server.port || (server.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((item) => item.trim().toLowerCase())
    .some((item) => item !== "" && matches(item, host, port));
}

function matches(item: string, host: string, port: string): boolean {
  if (item === "*") return true;
  if (item.includes("/")) return isIP(host) !== 0 && inSubnet(item, host);
  const [name, wantedPort] = splitPort(item);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name) !== 0) return name === host;
  const suffix = name.startsWith("*.") ? name.slice(1) : name;
  if (suffix.startsWith(".")) return host.endsWith(suffix);
  return host === suffix || host.endsWith(`.${suffix}`);
}

function inSubnet(item: string, host: string): boolean {
  const [network = "", bits = ""] = item.split("/");
  const family = isIP(network);
  const prefix = Number(bits);
  if (family === 0 || bits === "" || !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))) return false;
  const subnet = new BlockList();
  subnet.addSubnet(network, prefix, family === 4 ? "ipv4" : "ipv6");
  return subnet.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}

function splitPort(item: string): readonly [string, string | undefined] {
  if (isIP(item) !== 0) return [item, undefined];
  const colon = item.lastIndexOf(":");
  const name = bare(colon === -1 ? item : item.slice(0, colon));
  return [name, colon === -1 || item.endsWith("]") ? undefined : item.slice(colon + 1)];
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
