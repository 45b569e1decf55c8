import type { PathNormalization, Unmodelled } from "../../decide/model.ts";
import { at, canonical, isObject, type Json, type JsonObject, numberAt, objectAt, textAt, textsAt } from "./json.ts";

/** What of the mesh configuration routes requests, defaults filled in. */
export interface Mesh {
  readonly seen: boolean;
  readonly rootNamespace: string;
  readonly pathNormalization: PathNormalization;
  /** The `HTTPRetry` for rules without one; undefined: istiod's own. */
  readonly retries: JsonObject | undefined;
  readonly allowAny: boolean;
  readonly virtualServiceExportTo: readonly string[];
  readonly destinationRuleExportTo: readonly string[];
  readonly serviceExportTo: readonly string[];
  readonly trustedProxies: number;
  readonly networks: boolean;
  /** Settings that could matter and are not modelled. */
  readonly unmodelled: readonly Unmodelled[];
}

/** Settings that never change where a request goes. */
const harmless: ReadonlySet<string> = new Set([
  "accessLogFile", "accessLogFormat", "accessLogEncoding", "enableTracing", "enableAutoMtls", "meshMTLS", "trustDomain", "trustDomainAliases",
  "enablePrometheusMerge", "extensionProviders", "defaultProviders", "ingressClass", "ingressService", "ingressControllerMode", "ingressSelector",
  "configSources", "dnsRefreshRate", "enableEnvoyAccessLogService", "disableEnvoyListenerLog", "connectTimeout", "tcpKeepalive", "ca",
  "caCertificates", "certificates", "outboundClusterStatName", "inboundClusterStatName", "proxyListenPort", "proxyInboundListenPort", "tlsDefaults",
  "thriftConfig", "verifyCertificateAtClient", "h2UpgradePolicy", "localityLbSetting", "protocolDetectionTimeout",
]);

const known: ReadonlySet<string> = new Set([
  "rootNamespace", "pathNormalization", "defaultHttpRetryPolicy", "outboundTrafficPolicy", "defaultVirtualServiceExportTo",
  "defaultDestinationRuleExportTo", "defaultServiceExportTo", "defaultConfig", "meshNetworks",
]);

const normalizations: Readonly<Record<string, PathNormalization>> = {
  "": "base", DEFAULT: "base", BASE: "base", NONE: "none", MERGE_SLASHES: "merge-slashes", DECODE_AND_MERGE_SLASHES: "decode-and-merge-slashes",
};

/** Settings of `defaultConfig` that route requests; the others are of the proxy's own life. */
const routing: ReadonlySet<string> = new Set(["proxyHeaders", "runtimeValues", "connectionSettings"]);

/** Reads the text of the mesh configuration, parsed by whoever has a YAML reader; undefined where it was not seen. */
export function parseMesh(config: Json, rootNamespace: string): Mesh {
  const normalization = textAt(objectAt(config, "pathNormalization"), "normalization");
  const policy = textAt(objectAt(config, "outboundTrafficPolicy"), "mode");
  const retries = at(config, "defaultHttpRetryPolicy");
  const networks = objectAt(config, "meshNetworks");
  const unmodelled = isObject(config) ? unmodelledSettings(config) : [];
  const problem = (path: string, value: string): Unmodelled => ({ reason: `\`${path}\` is \`${value}\`, which is not known`, where: { object: "mesh config", path } });
  const pathNormalization = Object.hasOwn(normalizations, normalization) ? normalizations[normalization] : undefined;
  return {
    seen: isObject(config),
    rootNamespace: textAt(config, "rootNamespace") || rootNamespace,
    pathNormalization: pathNormalization ?? "base",
    retries: isObject(retries) ? retries : undefined,
    allowAny: policy !== "REGISTRY_ONLY",
    virtualServiceExportTo: exportTo(config, "defaultVirtualServiceExportTo"),
    destinationRuleExportTo: exportTo(config, "defaultDestinationRuleExportTo"),
    serviceExportTo: exportTo(config, "defaultServiceExportTo"),
    trustedProxies: numberAt(objectAt(objectAt(config, "defaultConfig"), "gatewayTopology"), "numTrustedProxies"),
    networks: Object.keys(objectAt(networks, "networks")).length > 1,
    unmodelled: [
      ...unmodelled,
      ...(pathNormalization === undefined ? [problem("pathNormalization.normalization", normalization)] : []),
      ...(["", "ALLOW_ANY", "REGISTRY_ONLY"].includes(policy) ? [] : [problem("outboundTrafficPolicy.mode", policy)]),
    ],
  };
}

function exportTo(config: Json, key: string): readonly string[] {
  const given = textsAt(config, key);
  return given.length > 0 ? given : ["*"];
}

function unmodelledSettings(config: JsonObject): readonly Unmodelled[] {
  const found = (path: string, value: Json): Unmodelled => ({
    reason: `the setting \`${path}\` is not modelled`,
    where: { object: "mesh config", path },
    key: `mesh config ${path} ${canonical(value)}`,
  });
  const top = Object.keys(config).filter((key) => !known.has(key) && !harmless.has(key)).map((key) => found(key, config[key]));
  const proxy = objectAt(config, "defaultConfig");
  return [...top, ...Object.keys(proxy).filter((key) => routing.has(key)).map((key) => found(`defaultConfig.${key}`, proxy[key]))];
}
