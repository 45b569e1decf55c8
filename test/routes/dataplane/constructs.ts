import { at, isObject, type Json, type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from "../../../routes/dialects/istio/json.ts";
import type { MadeWorld } from "./worlds.ts";

/** What worlds are made of, by the names in the README of routes, each with how to see it. */
export const CONSTRUCTS: Readonly<Record<string, (world: MadeWorld) => boolean>> = {
  ...Object.fromEntries(["exact", "prefix", "regex"].map((kind) => [`http.match.uri ${kind}`, inMatch((match) => at(objectAt(match, "uri"), kind) !== undefined)])),
  ...Object.fromEntries(["ignoreUriCase", "queryParams", "method", "authority", "scheme", "port", "gateways", "sourceLabels", "sourceNamespace", "withoutHeaders"].map((field) => [`http.match.${field}`, inMatch((match) => at(match, field) !== undefined)])),
  ...Object.fromEntries(["exact", "prefix", "regex", "presence"].map((kind) => [`http.match.headers ${kind}`, inMatch((match) => headersOf(match).some((header) => (kind === "presence" ? isObject(header) && Object.keys(header).length === 0 : at(header, kind) !== undefined)))])),
  "http.match claims": inMatch((match) => JSON.stringify(match).includes("@request.auth.claims")),
  "http.route weights": inRule((rule) => listAt(rule, "route").length > 1),
  "http.route.headers": inRule((rule) => listAt(rule, "route").some((share) => at(share, "headers") !== undefined)),
  ...Object.fromEntries(["headers", "redirect", "directResponse", "timeout", "retries", "mirror", "mirrors", "corsPolicy", "delegate"].map((field) => [`http.${field}`, inRule((rule) => at(rule, field) !== undefined)])),
  ...Object.fromEntries(["uri", "authority", "uriRegexRewrite"].map((field) => [`http.rewrite.${field}`, inRule((rule) => at(objectAt(rule, "rewrite"), field) !== undefined)])),
  ...Object.fromEntries(["delay", "abort"].map((field) => [`http.fault.${field}`, inRule((rule) => at(objectAt(rule, "fault"), field) !== undefined)])),
  ...Object.fromEntries(["tls", "tcp"].map((field) => [field, of("VirtualService", (spec) => listAt(spec, field).length > 0)])),
  "VirtualService exportTo": of("VirtualService", (spec) => at(spec, "exportTo") !== undefined),
  "several VirtualServices of one host": (world) => {
    const hosts = specsOf(world, "VirtualService").flatMap((spec) => textsAt(spec, "hosts"));
    return new Set(hosts).size < hosts.length;
  },
  "wildcard hosts": of("VirtualService", (spec) => textsAt(spec, "hosts").some((host) => host.startsWith("*"))),
  ...Object.fromEntries(["HTTP", "HTTPS", "TLS", "TCP"].map((protocol) => [`Gateway server ${protocol}`, inServer((server) => textAt(objectAt(server, "port"), "protocol") === protocol)])),
  "Gateway tls.httpsRedirect": inServer((server) => at(objectAt(server, "tls"), "httpsRedirect") === true),
  "Gateway hosts with a namespace": inServer((server) => textsAt(server, "hosts").some((host) => host.includes("/"))),
  ...Object.fromEntries(["subsets", "trafficPolicy", "workloadSelector", "exportTo"].map((field) => [`DestinationRule ${field}`, of("DestinationRule", (spec) => at(spec, field) !== undefined)])),
  ServiceEntry: of("ServiceEntry", () => true),
  "Service headless": of("Service", (spec) => at(spec, "clusterIP") === "None"),
  "Service with several ports": of("Service", (spec) => listAt(spec, "ports").length > 1),
  "Service exported": (world) => world.objects.some((object) => at(object, "kind") === "Service" && JSON.stringify(object).includes("networking.istio.io/exportTo")),
  "Service of TLS or TCP": of("Service", (spec) => listAt(spec, "ports").some((port) => [443, 3306].includes(numberAt(port, "port")))),
  "Sidecar egress": of("Sidecar", (spec) => listAt(spec, "egress").length > 0),
  "Sidecar outboundTrafficPolicy": of("Sidecar", (spec) => at(spec, "outboundTrafficPolicy") !== undefined),
  ...Object.fromEntries(["pathNormalization", "defaultHttpRetryPolicy", "outboundTrafficPolicy", "defaultVirtualServiceExportTo", "defaultConfig"].map((field) => [`mesh config ${field}`, (world: MadeWorld) => at(world.meshConfig, field) !== undefined])),
};

function specsOf(world: MadeWorld, kind: string): readonly JsonObject[] {
  return world.objects.filter((object) => at(object, "kind") === kind).map((object) => objectAt(object, "spec"));
}

function of(kind: string, holds: (spec: JsonObject) => boolean): (world: MadeWorld) => boolean {
  return (world) => specsOf(world, kind).some(holds);
}

function inServer(holds: (server: Json) => boolean): (world: MadeWorld) => boolean {
  return of("Gateway", (spec) => listAt(spec, "servers").some(holds));
}

function inRule(holds: (rule: Json) => boolean): (world: MadeWorld) => boolean {
  return of("VirtualService", (spec) => listAt(spec, "http").some(holds));
}

function inMatch(holds: (match: Json) => boolean): (world: MadeWorld) => boolean {
  return inRule((rule) => listAt(rule, "match").some(holds));
}

function headersOf(match: Json): readonly Json[] {
  return Object.values(objectAt(match, "headers"));
}
