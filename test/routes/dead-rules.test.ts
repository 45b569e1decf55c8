import { describe, expect, it } from "vitest";
import { deadRulesOf } from "#routes";
import { worldOf } from "./dialects/istio/world.ts";

const ground = `
apiVersion: v1
kind: Service
metadata: { name: x, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80 }, { name: http-alt, port: 81 }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: g, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z" }
spec:
  selector: { istio: ingress }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }, { port: { number: 81, name: http-alt, protocol: HTTP }, hosts: ["*"] }]
---`;

/** A VirtualService whose rules forward to one place; each row is the blocks of one rule. */
function service(name: string, day: number, rules: readonly string[], gateways = "[g]"): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default, creationTimestamp: "2026-01-0${day}T00:00:00Z" }
spec: { hosts: [a.com], gateways: ${gateways}, http: [${rules.map((blocks) => `{ ${blocks === "" ? "" : `match: [${blocks}], `}route: [{ destination: { host: x } }] }`).join(", ")}] }
---`;
}

const rows = [
  { name: "one that an older rule takes everything from", yaml: service("r", 2, ["{ uri: { prefix: /a } }", "{ uri: { exact: /a/b } }"]), dead: ["r spec.http[1].match[0]"] },
  { name: "one block of several", yaml: service("r", 2, ["{ uri: { prefix: /a } }, { uri: { prefix: /a/b } }", ""]), dead: ["r spec.http[0].match[1]"] },
  { name: "those that istiod leaves out behind a catch-all", yaml: service("r", 2, ["", "{ uri: { exact: /a } }", ""]), dead: ["r spec.http[1].match[0]", "r spec.http[2]"] },
  { name: "not one that another port still meets", yaml: service("r", 2, ["{ uri: { prefix: /a }, port: 80 }", "{ uri: { exact: /a/b } }"]), dead: [] },
  { name: "one of a younger VirtualService of the host", yaml: service("r", 2, ["{ uri: { prefix: /a } }"]) + service("s", 3, ["{ uri: { exact: /a } }", ""]), dead: ["s spec.http[0].match[0]"] },
  { name: "not one whose view nobody has", yaml: service("r", 2, ["{ gateways: [other], uri: { exact: /a } }", ""]), dead: [] },
];

describe("dead rules of a place are", () => {
  for (const { name, yaml, dead } of rows) {
    it(name, () => expect(deadRulesOf(worldOf(ground + yaml)).map(({ object, path }) => `${object.replace("VirtualService default/", "")} ${path}`)).toEqual(dead));
  }
});
