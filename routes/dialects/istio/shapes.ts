import type { Shape } from "./check.ts";

/**
 * What this dialect knows of Istio's objects (istio.io/api networking/v1, of master in August 2026). A field that is missing here makes
 * what it touches undecided, so that a newer Istio is never misread in silence.
 *
 * @module
 */

const texts: Shape = { list: "string" };
const labels: Shape = { map: "string" };
const percent: Shape = { fields: { value: "number" } };
const port: Shape = { fields: { number: "number" } };

const stringMatch: Shape = { fields: { exact: "string", prefix: "string", regex: "string" }, choice: ["exact", "prefix", "regex"] };
const destination: Shape = { fields: { host: "string", subset: "string", port } };
const operations: Shape = { fields: { set: { map: "string" }, add: { map: "string" }, remove: texts } };
const headers: Shape = { fields: { request: operations, response: operations } };

const httpMatch: Shape = {
  fields: {
    name: "ignored", statPrefix: "ignored",
    uri: stringMatch, scheme: stringMatch, method: stringMatch, authority: stringMatch,
    headers: { map: stringMatch }, withoutHeaders: { map: stringMatch }, queryParams: { map: stringMatch },
    port: "number", sourceLabels: labels, sourceNamespace: "string", gateways: texts, ignoreUriCase: "boolean",
  },
};

const http: Shape = {
  fields: {
    name: "ignored",
    match: { list: httpMatch },
    route: { list: { fields: { destination, weight: "weight", headers } } },
    redirect: {
      fields: {
        uri: "string", authority: "string", scheme: "string", redirectCode: "number", prefixRewrite: "string",
        port: "number", derivePort: { oneOf: ["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] },
      },
      choice: ["port", "derivePort"],
    },
    directResponse: { fields: { status: "number", body: { fields: { string: "string", bytes: "string" }, choice: ["string", "bytes"] } } },
    delegate: { fields: { name: "string", namespace: "string" } },
    rewrite: { fields: { uri: "string", authority: "string", uriRegexRewrite: { fields: { match: "string", rewrite: "string" } } } },
    timeout: "duration",
    retries: {
      fields: {
        attempts: "number", perTryTimeout: "duration", retryOn: "string", retryRemoteLocalities: "boolean",
        retryIgnorePreviousHosts: "boolean", backoff: "duration",
      },
    },
    fault: {
      fields: {
        delay: { fields: { fixedDelay: "duration", exponentialDelay: "duration", percentage: percent, percent: "number" }, choice: ["fixedDelay", "exponentialDelay"] },
        abort: { fields: { httpStatus: "number", grpcStatus: "string", http2Error: "string", percentage: percent }, choice: ["httpStatus", "grpcStatus", "http2Error"] },
      },
    },
    mirror: destination, mirrorPercent: "number", mirrorPercentage: percent,
    mirrors: { list: { fields: { destination, percentage: percent } } },
    corsPolicy: {
      fields: {
        allowOrigin: texts, allowOrigins: { list: stringMatch }, allowMethods: texts, allowHeaders: texts, exposeHeaders: texts,
        maxAge: "duration", allowCredentials: "boolean", unmatchedPreflights: { oneOf: ["UNSPECIFIED", "FORWARD", "IGNORE"] },
      },
    },
    headers,
  },
};

const connectionRoute: Shape = { list: { fields: { destination, weight: "weight" } } };
const l4: Readonly<Record<string, Shape>> = {
  destinationSubnets: texts, port: "number", sourceLabels: labels, gateways: texts, sourceNamespace: "string",
};

/** `spec` of a VirtualService. */
export const virtualService: Shape = {
  fields: {
    hosts: texts, gateways: texts, exportTo: texts,
    http: { list: http },
    tls: { list: { fields: { match: { list: { fields: { sniHosts: texts, ...l4 } } }, route: connectionRoute } } },
    tcp: { list: { fields: { match: { list: { fields: { sourceSubnet: "string", ...l4 } } }, route: connectionRoute } } },
  },
};

/** `spec` of a Gateway. Certificates decide who may connect, not where a request goes. */
export const gateway: Shape = {
  fields: {
    selector: labels,
    servers: {
      list: {
        fields: {
          name: "ignored", bind: "string", defaultEndpoint: "ignored", hosts: texts,
          port: { fields: { number: "number", name: "string", protocol: "string", targetPort: "ignored" } },
          tls: {
            fields: {
              httpsRedirect: "boolean",
              mode: { oneOf: ["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"] },
              serverCertificate: "ignored", privateKey: "ignored", caCertificates: "ignored", credentialName: "ignored", credentialNames: "ignored",
              caCertCredentialName: "ignored", tlsCertificates: "ignored", caCrl: "ignored", subjectAltNames: "ignored", verifyCertificateSpki: "ignored",
              verifyCertificateHash: "ignored", minProtocolVersion: "ignored", maxProtocolVersion: "ignored", cipherSuites: "ignored",
            },
          },
        },
      },
    },
  },
};

// What a traffic policy says is compared as it stands, so its inside needs no shape.
const subset: Shape = { fields: { name: "string", labels, trafficPolicy: "ignored" } };

/** `spec` of a DestinationRule. */
export const destinationRule: Shape = {
  fields: {
    host: "string", exportTo: texts, subsets: { list: subset },
    trafficPolicy: "ignored", workloadSelector: { fields: { matchLabels: labels } },
  },
};

/** `spec` of a Sidecar. Inbound settings do not route what a client sends. */
export const sidecar: Shape = {
  fields: {
    workloadSelector: { fields: { labels } },
    ingress: "ignored", inboundConnectionPool: "ignored",
    egress: {
      list: {
        fields: {
          port: { fields: { number: "number", name: "string", protocol: "string", targetPort: "ignored" } },
          bind: "string", captureMode: { oneOf: ["DEFAULT", "IPTABLES", "NONE"] }, hosts: texts,
        },
      },
    },
    outboundTrafficPolicy: { fields: { mode: { oneOf: ["ALLOW_ANY", "REGISTRY_ONLY"] } } },
  },
};

/** `spec` of a ServiceEntry. Endpoints say where a service runs, not which requests it gets. */
export const serviceEntry: Shape = {
  fields: {
    hosts: texts, addresses: texts, exportTo: texts, location: { oneOf: ["MESH_EXTERNAL", "MESH_INTERNAL"] },
    ports: { list: { fields: { number: "number", name: "string", protocol: "string", targetPort: "ignored" } } },
    resolution: { oneOf: ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"] },
    endpoints: "ignored", workloadSelector: "ignored", subjectAltNames: "ignored",
  },
};
