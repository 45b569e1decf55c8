import { describe, expect, it } from "vitest";
import { proxyFor } from "../../../clients/kubernetes/proxy.ts";

const proxy = "http://proxy.example:3128";
const cases: readonly { readonly name: string; readonly server: string; readonly env: Record<string, string>; readonly goes: string | undefined }[] = [
  { name: "nothing set", server: "https://a.example", env: {}, goes: undefined },
  { name: "HTTPS_PROXY for https", server: "https://a.example", env: { HTTPS_PROXY: proxy }, goes: proxy },
  { name: "the lower-case name too", server: "https://a.example", env: { https_proxy: proxy }, goes: proxy },
  { name: "upper case before lower", server: "https://a.example", env: { HTTPS_PROXY: proxy, https_proxy: "http://other" }, goes: proxy },
  { name: "HTTP_PROXY is not for https", server: "https://a.example", env: { HTTP_PROXY: proxy }, goes: undefined },
  { name: "HTTP_PROXY for http", server: "http://a.example", env: { HTTP_PROXY: proxy }, goes: proxy },
  { name: "a proxy without scheme is http", server: "https://a.example", env: { HTTPS_PROXY: "proxy.example:3128" }, goes: proxy },
  { name: "loopback never goes through one", server: "https://127.0.0.1:6443", env: { HTTPS_PROXY: proxy }, goes: undefined },
  { name: "nor does localhost", server: "https://localhost", env: { HTTPS_PROXY: proxy }, goes: undefined },
  { name: "nor does ::1", server: "https://[::1]:6443", env: { HTTPS_PROXY: proxy }, goes: undefined },
  { name: "a name in NO_PROXY", server: "https://a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "b.example, a.example" }, goes: undefined },
  { name: "no_proxy in lower case", server: "https://a.example", env: { HTTPS_PROXY: proxy, no_proxy: "a.example" }, goes: undefined },
  { name: "a name covers its subdomains", server: "https://k8s.a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.example" }, goes: undefined },
  { name: "but not names that only end alike", server: "https://nota.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.example" }, goes: proxy },
  { name: "a leading dot covers subdomains", server: "https://k8s.a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: ".a.example" }, goes: undefined },
  { name: "and not the name itself", server: "https://a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: ".a.example" }, goes: proxy },
  { name: "a star and a dot", server: "https://k8s.a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "*.a.example" }, goes: undefined },
  { name: "a star alone is everything", server: "https://a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "*" }, goes: undefined },
  { name: "case does not count", server: "https://A.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.EXAMPLE" }, goes: undefined },
  { name: "an address", server: "https://10.1.2.3", env: { HTTPS_PROXY: proxy, NO_PROXY: "10.1.2.3" }, goes: undefined },
  { name: "a subnet", server: "https://10.1.2.3", env: { HTTPS_PROXY: proxy, NO_PROXY: "10.0.0.0/8" }, goes: undefined },
  { name: "another subnet", server: "https://10.1.2.3", env: { HTTPS_PROXY: proxy, NO_PROXY: "192.168.0.0/16" }, goes: proxy },
  { name: "a subnet of IPv6", server: "https://[fd00::1]", env: { HTTPS_PROXY: proxy, NO_PROXY: "fd00::/8" }, goes: undefined },
  { name: "a broken subnet covers nothing", server: "https://10.1.2.3", env: { HTTPS_PROXY: proxy, NO_PROXY: "10.0.0.0/99,10.0.0.0/" }, goes: proxy },
  { name: "a port that is the server's", server: "https://a.example:6443", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.example:6443" }, goes: undefined },
  { name: "a port that is not", server: "https://a.example:6443", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.example:443" }, goes: proxy },
  { name: "the port that https has by itself", server: "https://a.example", env: { HTTPS_PROXY: proxy, NO_PROXY: "a.example:443" }, goes: undefined },
];

describe("the proxy of a server", () => {
  for (const { name, server, env, goes } of cases) {
    it(name, () => expect(proxyFor(new URL(server), env)).toBe(goes));
  }
});
