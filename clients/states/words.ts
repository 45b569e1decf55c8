import { CollectError } from "#engine";

const RUN_AGAIN = "run again later, and check what lies between: a proxy, a load balancer, a server that restarts";
const CHECK_NETWORK = "check the address, VPN, routes and firewalls";

/** What a failed connection means, by its code; the words of other programs are never repeated. */
const FAULTS: ReadonlyMap<string, readonly [what: string, remedy: string]> = new Map([
  ["ECONNREFUSED", ["refuses connections", "check that the server runs and that its address and port are right"]],
  ["ENOTFOUND", ["has a host name that does not resolve", "check the name, and whether a VPN or a private DNS zone is needed"]],
  ["EAI_AGAIN", ["has a host name that cannot be resolved now", "check the DNS of this machine"]],
  ["EHOSTUNREACH", ["cannot be reached from this network", CHECK_NETWORK]],
  ["ENETUNREACH", ["cannot be reached from this network", CHECK_NETWORK]],
  ["ETIMEDOUT", ["does not answer", CHECK_NETWORK]],
  ["TIMEOUT", ["does not answer in time", CHECK_NETWORK]],
  ["UND_ERR_CONNECT_TIMEOUT", ["does not accept the connection in time", CHECK_NETWORK]],
  ["UND_ERR_HEADERS_TIMEOUT", ["accepted the request and gave no answer in time", RUN_AGAIN]],
  ["UND_ERR_BODY_TIMEOUT", ["stopped in the middle of an answer", RUN_AGAIN]],
  ["REQUEST_TIMEOUT", ["did not finish an answer in time", RUN_AGAIN]],
  ["ECONNRESET", ["closes the connection before the answer is whole", RUN_AGAIN]],
  ["EPIPE", ["closes the connection before the answer is whole", RUN_AGAIN]],
  ["UND_ERR_SOCKET", ["closes the connection before the answer is whole", RUN_AGAIN]],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", ["closes the connection before the answer is whole", RUN_AGAIN]],
  ["CERT_HAS_EXPIRED", ["has a certificate that has expired", "renew it, and check the clock of this machine"]],
  ["ERR_TLS_CERT_ALTNAME_INVALID", ["has a certificate for another host name", "use an address that the certificate names"]],
]);

const UNKNOWN_AUTHORITY = /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_SIGNATURE_FAILURE)/;

/** `where` could not be asked, for the reason that a code stands for. */
export function unreached(where: string, code: string): CollectError {
  if (UNKNOWN_AUTHORITY.test(code)) {
    return new CollectError(`${where} has a certificate of an authority that this machine does not know`, { remedy: "name its PEM file in NODE_EXTRA_CA_CERTS" });
  }
  const [what, remedy] = FAULTS.get(code) ?? [`cannot be reached (${code})`, CHECK_NETWORK];
  return new CollectError(`${where} ${what}`, { remedy });
}

/** No state is kept there. That is a gap, not an empty state: a slip of the pen in a name looks the same. */
export function noState(where: string): CollectError {
  return new CollectError(`there is no state at \`${where}\``, { remedy: "check the names in the fleet file and the workspace; nothing may have been applied there yet" });
}

/** The place knows who asks, or does not, and refuses. */
export function refusedBy(where: string, status: number, permission: string): CollectError {
  const what = status === 401 ? "does not accept the credentials of the environment" : "may not be read with the credentials of the environment";
  return new CollectError(`\`${where}\` ${what} (${status})`, { remedy: permission });
}
