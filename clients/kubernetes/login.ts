import { createHash, X509Certificate } from "node:crypto";
import path from "node:path";
import { createSecureContext } from "node:tls";
import { CollectError } from "#engine";
import { credentialsOf, readPart, type Credential } from "./credentials.ts";
import { codeOf } from "./faults.ts";
import { contextOf, expandHome, loadKubeconfig, withoutCredentials, type ClusterEntry, type Context, type UserEntry } from "./kubeconfig.ts";
import type { KubernetesPlace, Limits, Surroundings } from "./place.ts";
import { proxyFor } from "./proxy.ts";

type LivePlace = Exclude<KubernetesPlace, { form: "manifests" }>;

/** What goes with one request: the headers that sign it, and the TLS side of its connection. */
export interface Presented {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: Tls;
}

/** One object as long as nothing of it changes. */
export interface Tls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly insecure: boolean;
}

/** One identity at one API server. */
export interface Login {
  readonly server: URL;
  /** The server as messages may show it. */
  readonly shown: string;
  /** Who asks, in words. */
  readonly who: string;
  readonly anonymous: boolean;
  readonly compress: boolean;
  readonly proxy?: string | undefined;
  readonly caSha256?: string | undefined;
  present(): Promise<Presented>;
  /** Drops what may have expired. False where nothing of this login can be renewed. */
  renew(): boolean;
  /** The day on which the client certificate ended, if it has. */
  expiredCertificate(): string | undefined;
}

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Signs in as a kubeconfig context, a pod's service account, or a token file at a named server says. Throws CollectError. */
export async function signIn(place: LivePlace, surroundings: Surroundings, limits: Limits): Promise<Login> {
  const context = await contextFor(place, surroundings);
  const { cluster, user } = context;
  const server = serverUrl(cluster, user);
  const ca = await authorityOf(cluster);
  const credentials = credentialsOf(context, ca, surroundings, limits);
  const own: Credential = { cert: await readPart(user?.certificate, "client certificate"), key: await readPart(user?.key, "client key") };
  let tls: Tls | undefined;

  const present = async (): Promise<Presented> => {
    const { authorization, cert = own.cert, key = own.key } = await credentials.current();
    if (tls === undefined || tls.cert !== cert || tls.key !== key) {
      tls = { ca, cert, key, servername: cluster.tlsServerName, insecure: cluster.insecure };
      checkUsable(tls, user);
    }
    return { headers: { ...(authorization === undefined ? {} : { authorization }), ...impersonation(user) }, tls };
  };

  return {
    server,
    shown: withoutCredentials(server.href),
    who: whoIn(place, user),
    anonymous: isAnonymous(user),
    compress: cluster.compress,
    proxy: cluster.proxyUrl ?? proxyFor(server, surroundings.env),
    caSha256: ca === undefined ? undefined : fingerprint(ca),
    present,
    renew: () => credentials.forget(),
    expiredCertificate: () => expiryOf(tls?.cert),
  };
}

function whoIn({ form }: LivePlace, user: UserEntry | undefined): string {
  if (form === "inCluster") return "the service account of this pod";
  if (form === "server") return "the identity of the token file";
  if (user === undefined) return "an anonymous user";
  const as = user.impersonate === undefined ? "" : ` as \`${user.impersonate.user}\``;
  return `the kubeconfig user \`${user.name}\`${isAnonymous(user) ? ", which has no credentials," : ""}${as}`;
}

function isAnonymous(user: UserEntry | undefined): boolean {
  return user === undefined || [user.certificate, user.token, user.tokenFile, user.username, user.exec, user.authProvider].every((way) => way === undefined);
}

async function contextFor(place: LivePlace, surroundings: Surroundings): Promise<Context> {
  if (place.form === "inCluster") return inCluster(surroundings);
  if (place.form === "kubeconfig") return contextOf(await loadKubeconfig(place.kubeconfig, surroundings), place.context);
  const ca = place.ca === undefined ? undefined : { file: expandHome(place.ca, surroundings.home) };
  return {
    name: "server",
    cluster: { name: "server", server: place.server, insecure: false, compress: true, ca },
    user: { name: "server", tokenFile: expandHome(place.tokenFile, surroundings.home) },
  };
}

function inCluster({ env, serviceAccount = serviceAccountFolder }: Surroundings): Context {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (!host || !port) {
    throw new CollectError("`inCluster` was asked for outside a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set", {
      remedy: "run in a pod of that cluster, or name a kubeconfig context",
      unreachable: true,
    });
  }
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    name: "inCluster",
    cluster: { name: "inCluster", server, insecure: false, compress: true, ca: { file: path.join(serviceAccount, "ca.crt") } },
    user: { name: "inCluster", tokenFile: path.join(serviceAccount, "token") },
  };
}

/** As client-go reads it: without a scheme it is https where anything about TLS is configured, else http. */
function serverUrl(cluster: ClusterEntry, user: UserEntry | undefined): URL {
  const tls = cluster.ca !== undefined || cluster.insecure || user?.certificate !== undefined;
  const url = URL.parse(cluster.server.includes("://") ? cluster.server : `${tls ? "https" : "http"}://${cluster.server}`);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new CollectError(`the server of cluster \`${cluster.name}\` is not an http or https URL`, { remedy: "write it as https://HOST:PORT", unreachable: true });
}

async function authorityOf(cluster: ClusterEntry): Promise<string | undefined> {
  if (cluster.insecure) return undefined;
  const text = await readPart(cluster.ca, "certificate authority");
  if (text === undefined || fingerprint(text) !== undefined) return text;
  throw new CollectError(`the certificate authority of cluster \`${cluster.name}\` holds no certificate that can be read`, {
    remedy: "set certificate-authority-data (base64 of PEM) or certificate-authority (a PEM file) again",
    unreachable: true,
  });
}

/** SHA-256 of the DER form; of several certificates, over all of them in order. Undefined where one cannot be read, or there is none. */
function fingerprint(bundle: string): string | undefined {
  const begin = "-----BEGIN CERTIFICATE-----";
  const hash = createHash("sha256");
  const parts = bundle.split(begin).slice(1);
  try {
    for (const part of parts) hash.update(new X509Certificate(begin + part).raw);
  } catch {
    return undefined;
  }
  return parts.length === 0 ? undefined : hash.digest("hex");
}

function impersonation(user: UserEntry | undefined): Record<string, string | readonly string[]> {
  const as = user?.impersonate;
  if (as === undefined) return {};
  return {
    "impersonate-user": as.user,
    ...(as.uid === undefined ? {} : { "impersonate-uid": as.uid }),
    ...(as.groups.length === 0 ? {} : { "impersonate-group": as.groups }),
    ...Object.fromEntries([...as.extra].map(([key, values]) => [`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`, values])),
  };
}

function checkUsable({ ca, cert, key }: Tls, user: UserEntry | undefined): void {
  try {
    createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new CollectError(`the client certificate or key of the kubeconfig user \`${user?.name ?? ""}\` cannot be used (${codeOf(error)})`, {
      remedy: "give a PEM certificate and its own PEM key, without a passphrase",
      unreachable: true,
    });
  }
}

function expiryOf(certificate: string | undefined): string | undefined {
  if (certificate === undefined) return undefined;
  const end = Date.parse(new X509Certificate(certificate).validTo);
  return end < Date.now() ? new Date(end).toISOString().slice(0, 10) : undefined;
}
