import { CollectError } from "#engine";

/** What a question was about, in the words of a role. */
export interface Asked {
  readonly verb: string;
  readonly group: string;
  /** With subresource: `pods/proxy`. Empty for a path that is no resource, such as `/version`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  /** A namespaced resource, asked for in all namespaces. */
  readonly everywhere?: boolean;
  readonly path: string;
}

/** The signal's own reason where it is one of ours, else a CollectError that says that the run ended. */
export function ended(signal: AbortSignal): CollectError {
  const reason: unknown = signal.reason;
  if (reason instanceof CollectError) return reason;
  return new CollectError("the run ended before this was read", { remedy: "run again, with a longer --timeout where time was short", unreachable: true });
}

/** 403, with the rule that a role lacks. */
export function forbidden({ verb, group, resource, namespace, path, everywhere }: Asked, who: string, anonymous: boolean): CollectError {
  const first = anonymous ? "give the context a user with credentials; or " : "";
  if (resource === "") {
    return new CollectError(`${who} may not ${verb} the path \`${path}\``, {
      remedy: `${first}bind the ClusterRole \`system:discovery\`, which allows { nonResourceURLs: ["${path}"], verbs: ["${verb}"] }`,
    });
  }
  const where = namespace === undefined ? (everywhere ? " in all namespaces" : "") : ` in namespace \`${namespace}\``;
  const role = namespace === undefined ? "ClusterRole" : `Role in \`${namespace}\`, or its ClusterRole,`;
  const verbs = verb.split(" and ").map((one) => `"${one}"`).join(", ");
  const otherwise = everywhere ? "; or name the namespaces that it may list as `namespaces` of the cluster" : "";
  return new CollectError(`${who} may not ${verb} \`${resource}\` of API group \`${group === "" ? '""' : group}\`${where}`, {
    remedy: `${first}add to its ${role} the rule { apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${verbs}] }${otherwise}`,
  });
}

const certificateFaults: Readonly<Record<string, readonly [string, string]>> = {
  CERT_HAS_EXPIRED: ["has expired", "renew the server's certificate, and check the clock of this machine"],
  CERT_NOT_YET_VALID: ["is not valid yet", "check the clock of this machine"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["is for another host name", "use a server address that the certificate names, or set tls-server-name"],
};

const untrusted: readonly string[] = [
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
];

const brokenOff = "closes the connection before the answer is whole";

const networkFaults: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ["refuses connections", "check that the API server runs and that its address and port are right"],
  ENOTFOUND: ["has a host name that does not resolve", "check the server address, and whether a VPN or a private DNS zone is needed"],
  EAI_AGAIN: ["has a host name that cannot be resolved now", "check the DNS of this machine"],
  EHOSTUNREACH: ["cannot be reached from this network", "check VPN, routes and firewalls"],
  ENETUNREACH: ["cannot be reached from this network", "check VPN, routes and firewalls"],
  ETIMEDOUT: ["does not answer", "check VPN, routes and firewalls"],
  UND_ERR_CONNECT_TIMEOUT: ["does not accept the connection in time", "check VPN, routes and firewalls"],
  UND_ERR_HEADERS_TIMEOUT: ["accepted the request and gave no answer in time", "check the load of the API server and what lies in between"],
  UND_ERR_BODY_TIMEOUT: ["stopped in the middle of an answer", "check the load of the API server and what lies in between"],
  REQUEST_TIMEOUT: ["did not finish an answer in time", "check the load of the API server and what lies in between"],
  ECONNRESET: [brokenOff, "check what lies between: a proxy, a load balancer, a server that restarts"],
  EPIPE: [brokenOff, "check what lies between: a proxy, a load balancer, a server that restarts"],
  UND_ERR_SOCKET: [brokenOff, "check what lies between: a proxy, a load balancer, a server that restarts"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: [brokenOff, "check what lies between: a proxy, a load balancer, a server that restarts"],
  UND_ERR_HEADERS_OVERFLOW: ["answers with headers that are too long", "check that the address is that of an API server"],
};

/** Worth a second try: the connection broke, which also happens to a kept one that the server had just closed. */
export function isBroken(code: string): boolean {
  return Object.hasOwn(networkFaults, code) && networkFaults[code]?.[0] === brokenOff;
}

/** There is a connection, and no whole answer came over it: behind a proxy, what lies behind may be to blame. */
export function isUnanswered(code: string): boolean {
  return isBroken(code) || code === "REQUEST_TIMEOUT" || code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT";
}

interface Peer {
  /** As messages may show it. */
  readonly server: string;
  /** The proxy on the way there. */
  readonly through: string | undefined;
  /** The kubeconfig names a certificate authority. */
  readonly ownAuthority: boolean;
}

/** A connection that failed, told by its code; the words of other programs are never repeated. */
export function unreachable({ server, through, ownAuthority }: Peer, code: string, cause: unknown): CollectError {
  const via = through === undefined ? "" : ` (through the proxy \`${through}\`)`;
  const failing = (what: string, remedy: string) => new CollectError(what, { remedy, unreachable: true, cause });
  const certificate = untrusted.includes(code) ? signedBy(ownAuthority) : Object.hasOwn(certificateFaults, code) ? certificateFaults[code] : undefined;
  if (certificate) return failing(`the certificate of the API server \`${server}\` ${certificate[0]}`, certificate[1]);
  const network = Object.hasOwn(networkFaults, code) ? networkFaults[code] : undefined;
  if (network) return failing(`the API server \`${server}\` ${network[0]}${via}`, through === undefined ? network[1] : `${network[1]}; check the proxy too`);
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG" || code === "EPROTO") {
    return failing(`the API server \`${server}\` does not speak TLS`, "check the port, and whether the address should start with http://");
  }
  if (/^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) {
    return failing(`the API server \`${server}\` refuses the client certificate (${code})`, "renew the client certificate of this kubeconfig user, and check that the cluster trusts its authority");
  }
  if (code.startsWith("HPE_")) return failing(`the API server \`${server}\` does not speak HTTP`, "check the address and the port");
  return failing(`the API server \`${server}\` cannot be reached (${code})${via}`, "check its address, the network in between and the kubeconfig entry");
}

function signedBy(ownAuthority: boolean): readonly [string, string] {
  if (ownAuthority) return ["is signed by another authority than the one configured", "set certificate-authority to the cluster's own CA, or remove a stale one"];
  return ["is signed by an authority that this machine does not know", "set certificate-authority to the cluster's own CA, or name a PEM file in NODE_EXTRA_CA_CERTS"];
}

const proxyCodes: readonly string[] = ["UND_ERR_PRX_TLS", "UND_ERR_ABORTED"];

/** The proxy answered, but not with a tunnel. */
export function proxyFault(through: string, code: string, cause: unknown): CollectError {
  const why = proxyCodes.includes(code) ? "opens no tunnel to the API server" : `cannot be used (${code})`;
  return new CollectError(`the proxy \`${through}\` ${why}`, {
    remedy: "check proxy-url of the kubeconfig or HTTPS_PROXY, its credentials, and NO_PROXY for servers that need no proxy",
    unreachable: true,
    cause,
  });
}

/** The code of the innermost error that has one: fetch and undici wrap what the socket said. */
export function codeOf(error: unknown): string {
  let code = "unknown";
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    // undici's parser has a code for some of its complaints only.
    if (at.name === "HTTPParserError") return "HPE_INVALID";
    if ("code" in at && typeof at.code === "string" && /^[A-Z][A-Z0-9_]{1,80}$/.test(at.code)) code = at.code;
  }
  return code;
}
