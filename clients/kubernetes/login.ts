import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import path from "node:path";
import { createSecureContext } from "node:tls";
import type { KubeConfig } from "@kubernetes/client-node";
import { CollectError } from "#engine";
import { codeOf, ended } from "./faults.ts";
import { contextOf, expandHome, loadKubeconfig, withoutCredentials, type ClusterEntry, type Context, type FileOrData, type UserEntry } from "./kubeconfig.ts";
import type { KubernetesPlace, Limits, Surroundings } from "./place.ts";
import { ExecPlugin } from "./plugin.ts";
import { proxyFor } from "./proxy.ts";

/** What goes with one request: headers that sign it, and the TLS side of its connection. */
export interface Presented {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized?: boolean | undefined;
  };
}

/** One identity at one API server. */
export interface Login {
  readonly server: URL;
  /** The server as messages may show it. */
  readonly shown: string;
  /** Who asks, in words: "the user `x`". */
  readonly who: string;
  readonly anonymous: boolean;
  readonly compress: boolean;
  readonly proxy?: string | undefined;
  readonly caSha256?: string | undefined;
  present(): Promise<Presented>;
  /** Drops what may have expired. False where nothing of this login can be renewed. */
  renew(): boolean;
  /** Says when the client certificate ended, if it has. */
  expiredCertificate(): string | undefined;
}

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** A token file is read again this often, as client-go does: bound tokens are rotated under the feet of a running pod. */
const tokenFileMs = 60_000;
const ourProvider = "cloud-assert";

/** Signs in as a kubeconfig context, a pod's service account, or a token file at a named server says. Throws CollectError. */
export async function signIn(place: Exclude<KubernetesPlace, { form: "manifests" }>, surroundings: Surroundings, limits: Limits): Promise<Login> {
  const context = await contextFor(place, surroundings);
  const server = serverUrl(context.cluster, context.user);
  const ca = await authorityOf(context.cluster);
  const bearer = bearerOf(context, ca, surroundings, limits);
  const kubeConfig = await authentication(context, bearer);
  let certificate: string | undefined;

  const present = async (): Promise<Presented> => {
    // client-node builds an agent on the way that is not used: pages go through one kept connection of our own.
    const options: RequestOptions = {};
    await within(kubeConfig.applyToHTTPSOptions(options), context, surroundings.signal, limits);
    certificate = pem(options.cert);
    const tls = { ca, cert: certificate, key: pem(options.key), servername: options.servername, rejectUnauthorized: options.rejectUnauthorized };
    checkUsable(tls, context);
    return { headers: { ...signature(options), ...impersonation(context.user) }, tls };
  };

  return {
    server,
    shown: withoutCredentials(server.href),
    who: context.user === undefined ? "an anonymous user (the context names no user)" : `the user \`${context.user.name}\``,
    anonymous: context.user === undefined,
    compress: context.cluster.compress,
    proxy: context.cluster.proxyUrl ?? proxyFor(server, surroundings.env),
    caSha256: ca === undefined ? undefined : fingerprint(ca),
    present,
    renew: () => bearer?.forget() ?? false,
    expiredCertificate: () => expiryOf(certificate),
  };
}

async function contextFor(place: Exclude<KubernetesPlace, { form: "manifests" }>, surroundings: Surroundings): Promise<Context> {
  if (place.form === "inCluster") return inCluster(surroundings);
  if (place.form === "kubeconfig") return contextOf(await loadKubeconfig(place.kubeconfig, surroundings), place.context);
  const { home } = surroundings;
  return {
    name: "server",
    cluster: { name: "server", server: place.server, insecure: false, compress: true, ca: place.ca === undefined ? undefined : { file: expandHome(place.ca, home) } },
    user: { name: "tokenFile", tokenFile: expandHome(place.tokenFile, home) },
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
  return {
    name: "inCluster",
    cluster: { name: "inCluster", server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`, insecure: false, compress: true, ca: { file: path.join(serviceAccount, "ca.crt") } },
    user: { name: "service account", tokenFile: path.join(serviceAccount, "token") },
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
  if (cluster.ca === undefined || cluster.insecure) return undefined;
  const text = "data" in cluster.ca ? Buffer.from(cluster.ca.data, "base64").toString("latin1") : await readLocal(cluster.ca.file, "certificate authority");
  try {
    fingerprint(text);
    return text;
  } catch {
    throw new CollectError(`the certificate authority of cluster \`${cluster.name}\` holds no certificate that can be read`, {
      remedy: "set certificate-authority-data (base64 of PEM) or certificate-authority (a PEM file) again",
      unreachable: true,
    });
  }
}

async function readLocal(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    throw new CollectError(`the ${what} file \`${file}\` cannot be read (${codeOf(error)})`, { remedy: "correct the path or its permissions", unreachable: true });
  }
}

/** SHA-256 of the DER form; of several certificates, over all of them in order. */
function fingerprint(bundle: string): string {
  const begin = "-----BEGIN CERTIFICATE-----";
  const certificates = bundle.split(begin).slice(1).map((part) => new X509Certificate(begin + part));
  if (certificates.length === 0) throw new Error("no certificate");
  const hash = createHash("sha256");
  for (const certificate of certificates) hash.update(certificate.raw);
  return hash.digest("hex");
}

/** A source of credentials that change during a run. */
interface Bearer {
  apply(options: RequestOptions): Promise<void>;
  forget(): boolean;
}

function bearerOf({ cluster, user }: Context, ca: string | undefined, surroundings: Surroundings, limits: Limits): Bearer | undefined {
  if (user === undefined) return undefined;
  if (user.tokenFile !== undefined) return tokenFileBearer(user.tokenFile);
  const signsItself = user.token !== undefined || user.username !== undefined;
  if (user.exec === undefined || signsItself) return undefined;
  if (!surroundings.allowExec) throw refused(user, `the command \`${user.exec.command}\``);
  const caData = ca === undefined ? undefined : Buffer.from(ca, "latin1").toString("base64");
  return pluginBearer(new ExecPlugin(user.exec, { ...cluster, caData }, surroundings, limits));
}

function refused(user: UserEntry, what: string): CollectError {
  return new CollectError(`the kubeconfig user \`${user.name}\` signs in with ${what}, which input that is not trusted may not run`, {
    remedy: "run without --untrusted, or give a kubeconfig with a token or a client certificate",
    unreachable: true,
  });
}

function pluginBearer(plugin: ExecPlugin): Bearer {
  return {
    async apply(options) {
      const { token, certificate, key } = await plugin.credential();
      if (token !== undefined) authorize(options, token);
      if (certificate !== undefined) Object.assign(options, { cert: certificate, key });
    },
    forget() {
      plugin.forget();
      return true;
    },
  };
}

/** client-node's own reader keeps the line end of the file, which no header may hold, and blocks while it reads. */
function tokenFileBearer(file: string): Bearer {
  let read: { readonly token: string; readonly at: number } | undefined;
  return {
    async apply(options) {
      if (read === undefined || Date.now() - read.at > tokenFileMs) read = { token: (await readLocal(file, "token")).trim(), at: Date.now() };
      if (read.token === "" || /[^\x21-\x7e]/.test(read.token)) {
        throw new CollectError(`the token file \`${file}\` holds no token`, { remedy: "write the token of a service account or user into it", unreachable: true });
      }
      authorize(options, read.token);
    },
    forget() {
      read = undefined;
      return true;
    },
  };
}

function authorize(options: RequestOptions, token: string): void {
  options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
}

/** One KubeConfig per context, for its current context is shared state. Imported late: it costs 0.1 s bundled, 0.4 s from source. */
async function authentication({ cluster, user }: Context, bearer: Bearer | undefined): Promise<KubeConfig> {
  if (user?.authProvider !== undefined && user.authProvider.name !== "oidc") {
    throw new CollectError(`the kubeconfig user \`${user.name}\` uses the auth-provider \`${user.authProvider.name}\`, which Kubernetes has removed`, {
      remedy: "write the kubeconfig again with the cloud's exec plugin (gke-gcloud-auth-plugin, kubelogin)",
      unreachable: true,
    });
  }
  const { KubeConfig } = await import("@kubernetes/client-node");
  const kubeConfig = new KubeConfig();
  if (bearer !== undefined) {
    kubeConfig.addAuthenticator({
      isAuthProvider: (candidate) => providerName(candidate.authProvider) === ourProvider,
      applyAuthentication: (_user, options) => bearer.apply(options as RequestOptions),
    });
  }
  kubeConfig.loadFromOptions({
    // It refuses plain http unless verification is off, and applies nothing at all without a user; kubectl does neither.
    clusters: [{ name: "cluster", server: "https://unused", skipTLSVerify: cluster.insecure, tlsServerName: cluster.tlsServerName }],
    users: [{ name: "user", ...(user === undefined ? {} : userFor(user, bearer)) }],
    contexts: [{ name: "context", cluster: "cluster", user: "user" }],
    currentContext: "context",
  });
  return kubeConfig;
}

function userFor(user: UserEntry, bearer: Bearer | undefined) {
  const authProvider = bearer === undefined ? user.authProvider && { name: user.authProvider.name, config: { ...user.authProvider.config } } : { name: ourProvider };
  return {
    ...part("cert", user.certificate),
    ...part("key", user.key),
    ...(user.tokenFile === undefined && user.token !== undefined ? { token: user.token } : {}),
    ...(user.username === undefined ? {} : { username: user.username, password: user.password ?? "" }),
    ...(authProvider === undefined ? {} : { authProvider }),
  };
}

function part(name: "cert" | "key", value: FileOrData | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  return "data" in value ? { [`${name}Data`]: value.data } : { [`${name}File`]: value.file };
}

function providerName(provider: unknown): unknown {
  return typeof provider === "object" && provider !== null && "name" in provider ? provider.name : undefined;
}

/** Bounds what client-node does on its own (an OIDC refresh has no time limit), and puts its failures into our words. */
async function within(work: Promise<void>, { user }: Context, signal: AbortSignal, limits: Limits): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fault = (what: string) =>
    new CollectError(`the credentials of the kubeconfig user \`${user?.name ?? ""}\` ${what}`, { remedy: "sign in again, and check the files and addresses of that user entry", unreachable: true });
  const abort = () => reject(ended(signal));
  const timer = setTimeout(() => reject(fault(`were not there within ${(limits.pluginMs + 5000) / 1000} s`)), limits.pluginMs + 5000);
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw ended(signal);
    await Promise.race([work, promise]);
  } catch (error) {
    throw error instanceof CollectError ? error : fault(`cannot be used (${codeOf(error)}${fileOf(error)})`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function fileOf(error: unknown): string {
  return error instanceof Error && "path" in error && typeof error.path === "string" ? `, \`${error.path}\`` : "";
}

function signature({ headers, auth }: RequestOptions): Record<string, string> {
  const given: unknown = headers === undefined || Array.isArray(headers) ? undefined : headers["Authorization"];
  if (typeof given === "string") return { authorization: given };
  return typeof auth === "string" ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
}

/** client-node impersonates the user alone and would drop the groups: another identity than the one that was asked for. */
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

function pem(value: RequestOptions["cert"] | RequestOptions["key"]): string | undefined {
  return typeof value === "string" ? value : Buffer.isBuffer(value) ? value.toString("latin1") : undefined;
}

function checkUsable({ ca, cert, key }: Presented["tls"], { user }: Context): void {
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
