import type { Shape } from "../istio/check.ts";

/**
 * What this dialect knows of the objects of Gateway API (v1.6, both channels). A field that is missing here makes what it touches
 * undecided, so that a newer release is never misread in silence.
 *
 * @module
 */

const texts: Shape = { list: "string" };
const labelSelector: Shape = {
  fields: { matchLabels: { map: "string" }, matchExpressions: { list: { fields: { key: "string", operator: { oneOf: ["In", "NotIn", "Exists", "DoesNotExist"] }, values: texts } } } },
};

const parentRef: Shape = { fields: { group: "string", kind: "string", namespace: "string", name: "string", sectionName: "string", port: "number" } };
const parents: Readonly<Record<string, Shape>> = { parentRefs: { list: parentRef }, hostnames: texts, useDefaultGateways: { oneOf: ["None"] } };

const reference: Readonly<Record<string, Shape>> = { group: "string", kind: "string", name: "string", namespace: "string", port: "number" };
const header: Shape = { fields: { name: "string", value: "string" } };
const headerFilter: Shape = { fields: { set: { list: header }, add: { list: header }, remove: texts } };
const pathModifier: Shape = { fields: { type: { oneOf: ["ReplaceFullPath", "ReplacePrefixMatch"] }, replaceFullPath: "string", replacePrefixMatch: "string" }, choice: ["replaceFullPath", "replacePrefixMatch"] };
const mirror: Shape = { fields: { backendRef: { fields: reference }, percent: "number", fraction: { fields: { numerator: "number", denominator: "number" } } } };

const filterTypes = ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "CORS", "ExtensionRef", "ExternalAuth"];
const filter: Shape = {
  fields: {
    type: { oneOf: filterTypes },
    requestHeaderModifier: headerFilter, responseHeaderModifier: headerFilter, requestMirror: mirror,
    requestRedirect: { fields: { scheme: { oneOf: ["http", "https"] }, hostname: "string", path: pathModifier, port: "number", statusCode: "number" } },
    urlRewrite: { fields: { hostname: "string", path: pathModifier } },
    cors: { fields: { allowOrigins: texts, allowCredentials: "boolean", allowMethods: texts, allowHeaders: texts, exposeHeaders: texts, maxAge: "number" } },
    extensionRef: "ignored", externalAuth: "ignored",
  },
};

const valueMatch: Shape = { fields: { type: { oneOf: ["Exact", "RegularExpression"] }, name: "string", value: "string" } };
const backends: Shape = { list: { fields: { ...reference, weight: "weight", filters: { list: filter } } } };

/** A rule of an HTTPRoute. */
export const httpRule: Shape = {
  fields: {
    name: "ignored",
    matches: {
      list: {
        fields: {
          path: { fields: { type: { oneOf: ["Exact", "PathPrefix", "RegularExpression"] }, value: "string" } },
          headers: { list: valueMatch }, queryParams: { list: valueMatch },
          method: { oneOf: ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] },
        },
      },
    },
    filters: { list: filter }, backendRefs: backends,
    timeouts: { fields: { request: "duration", backendRequest: "duration" } },
    retry: { fields: { codes: { list: "number" }, attempts: "number", backoff: "duration" } },
    sessionPersistence: "ignored",
  },
};

/** `spec` of an HTTPRoute. */
export const httpRoute: Shape = { fields: { ...parents, rules: { list: httpRule } } };

/** The same where its rules have been looked at. */
export const httpRouteFrame: Shape = { fields: { ...parents, rules: "ignored" } };

/** `spec` of a GRPCRoute. */
export const grpcRoute: Shape = {
  fields: {
    ...parents,
    rules: {
      list: {
        fields: {
          name: "ignored",
          matches: {
            list: { fields: { method: { fields: { type: { oneOf: ["Exact", "RegularExpression"] }, service: "string", method: "string" } }, headers: { list: valueMatch } } },
          },
          filters: { list: filter }, backendRefs: backends, sessionPersistence: "ignored",
        },
      },
    },
  },
};

/** `spec` of a TLSRoute, and of a TCPRoute, which has no hostnames. */
export const connectionRoute: Shape = {
  fields: { ...parents, rules: { list: { fields: { name: "ignored", backendRefs: { list: { fields: { ...reference, weight: "weight" } } } } } } },
};

const secretRef: Shape = { fields: { group: "string", kind: "string", name: "string", namespace: "string" } };
const listener: Shape = {
  fields: {
    name: "string", hostname: "string", port: "number", protocol: "string",
    tls: { fields: { mode: { oneOf: ["Terminate", "Passthrough"] }, certificateRefs: { list: secretRef }, options: "ignored", frontendValidation: "ignored" } },
    allowedRoutes: {
      fields: {
        namespaces: { fields: { from: { oneOf: ["All", "Selector", "Same", "None"] }, selector: labelSelector } },
        kinds: { list: { fields: { group: "string", kind: "string" } } },
      },
    },
  },
};

/** `spec` of a Gateway. Certificates decide who may connect, not where a request goes. */
export const gateway: Shape = {
  fields: {
    gatewayClassName: "string",
    listeners: { list: listener },
    addresses: { list: { fields: { type: "string", value: "string" } } },
    infrastructure: "ignored", tls: "ignored", defaultScope: { oneOf: ["None"] },
    allowedListeners: { fields: { namespaces: { fields: { from: { oneOf: ["All", "Selector", "Same", "None"] }, selector: labelSelector } } } },
  },
};

/** `spec` of a ListenerSet. */
export const listenerSet: Shape = {
  fields: { parentRef: { fields: { group: "string", kind: "string", namespace: "string", name: "string" } }, listeners: { list: listener } },
};

/** `spec` of a ReferenceGrant. */
export const referenceGrant: Shape = {
  fields: {
    from: { list: { fields: { group: "string", kind: "string", namespace: "string" } } },
    to: { list: { fields: { group: "string", kind: "string", name: "string" } } },
  },
};
