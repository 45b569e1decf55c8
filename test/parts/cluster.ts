import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { openApi, type Api } from "./api.ts";
import { makeAuthority, makeCertificate, type KeyPair, type Wanted } from "./certificates.ts";
import { freePorts, scratchFolder, start, until, type Running } from "./process.ts";

const run = promisify(execFile);

/** Who may log in, by token: `admin` may do everything, the others what roles a test binds to `assert-NAME`. */
const IDENTITIES = ["admin", "reader", "limited", "guest"] as const;
export type Identity = (typeof IDENTITIES)[number];

/** A running API server with its etcd: plain data, so that it can be handed to another process. */
export interface ClusterAddress {
  readonly name: string;
  readonly url: string;
  /** The authority that signed the server's certificate. */
  readonly caFile: string;
  readonly etcdUrl: string;
  readonly tokens: Readonly<Record<Identity, string>>;
  /** Logs in as `assert-reader`. */
  readonly clientCertificate: KeyPair;
  readonly folder: string;
  readonly pid: number;
}

export interface Cluster extends ClusterAddress {
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly name: string;
  /** What `/version` answers and which minor release it emulates: `v1.34.6-eks-7f9249a`. */
  readonly gitVersion: string;
  readonly binaries: { readonly "kube-apiserver": string; readonly etcd: string };
  readonly featureGates?: string;
  readonly flags?: readonly string[];
  /** A folder prepared by an earlier run ({@link pack}), as an archive. */
  readonly archive?: string;
  /** Serve this certificate instead of one of the server's own making. */
  readonly serverCertificate?: Omit<Wanted, "name">;
}

/** Starts etcd and kube-apiserver on loopback ports that are free, and waits until they are ready (about four seconds). */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (tries === 3 || !String(error).includes("address already in use")) throw error;
    }
  }
}

async function startOnce(options: ClusterOptions): Promise<Cluster> {
  const folder = await scratchFolder(options.name);
  if (options.archive !== undefined) await run("tar", ["-xzf", options.archive, "-C", folder]);
  const [clientPort = 0, peerPort = 0, securePort = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${clientPort}`;
  const identity = await makeIdentities(folder, options);

  const etcd = await startEtcd(options, folder, etcdUrl, `http://127.0.0.1:${peerPort}`);
  const server = await startServer(options, { folder, etcdUrl, securePort, ...identity });
  const cluster: ClusterAddress = {
    name: options.name,
    url: `https://127.0.0.1:${securePort}`,
    caFile: identity.server === undefined ? path.join(folder, "certs", "apiserver.crt") : identity.authority.cert,
    etcdUrl,
    tokens: identity.tokens,
    clientCertificate: identity.client,
    folder,
    pid: server.pid,
  };
  const stop = async () => {
    await server.stop();
    await etcd.stop();
  };
  try {
    await ready(cluster, server, etcd);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...cluster, stop };
}

interface Identities {
  readonly tokens: Readonly<Record<Identity, string>>;
  readonly authority: KeyPair;
  readonly client: KeyPair;
  readonly server: KeyPair | undefined;
}

async function makeIdentities(folder: string, { serverCertificate, archive }: ClusterOptions): Promise<Identities> {
  const tokens = Object.fromEntries(IDENTITIES.map((name) => [name, randomBytes(16).toString("hex")])) as Record<Identity, string>;
  const rows = IDENTITIES.map((name, row) => (name === "admin" ? `${tokens[name]},admin,${row},"system:masters"` : `${tokens[name]},assert-${name},${row}`));
  await writeFile(path.join(folder, "tokens.csv"), `${rows.join("\n")}\n`);
  await mkdir(path.join(folder, "certs"), { recursive: true });
  if (archive === undefined) {
    await run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path.join(folder, "sa.key")]);
  }
  const authority = await makeAuthority(folder, "authority");
  const client = await makeCertificate(folder, authority, { name: "client", subject: "/CN=assert-reader" });
  const server = serverCertificate === undefined ? undefined : await makeCertificate(folder, authority, { name: "server", ...serverCertificate });
  return { tokens, authority, client, server };
}

async function startEtcd({ binaries }: ClusterOptions, folder: string, clientUrl: string, peerUrl: string): Promise<Running> {
  return start(
    binaries.etcd,
    [
      ...["--name", "only", "--data-dir", path.join(folder, "etcd"), "--initial-cluster", `only=${peerUrl}`],
      ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--unsafe-no-fsync", "--log-level", "warn"],
    ],
    { logFile: path.join(folder, "etcd.log") },
  );
}

interface ServerPlace extends Identities {
  readonly folder: string;
  readonly etcdUrl: string;
  readonly securePort: number;
}

async function startServer(options: ClusterOptions, { folder, etcdUrl, securePort, authority, server }: ServerPlace): Promise<Running> {
  const key = path.join(folder, "sa.key");
  return start(
    options.binaries["kube-apiserver"],
    [
      ...[`--etcd-servers=${etcdUrl}`, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", `--secure-port=${securePort}`],
      ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${key}`, `--service-account-signing-key-file=${key}`],
      ...[`--token-auth-file=${path.join(folder, "tokens.csv")}`, `--client-ca-file=${authority.cert}`, "--authorization-mode=RBAC"],
      // Its default range warns about loopback addresses every few seconds.
      ...["--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none"],
      // No controller makes default service accounts, none takes the taint off a node that is ready.
      "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
      ...(server === undefined ? [`--cert-dir=${path.join(folder, "certs")}`] : [`--tls-cert-file=${server.cert}`, `--tls-private-key-file=${server.key}`]),
      ...(options.featureGates === undefined ? [] : [`--feature-gates=${options.featureGates}`]),
      ...(options.flags ?? []),
    ],
    { logFile: path.join(folder, "kube-apiserver.log"), env: { KUBE_GIT_VERSION: options.gitVersion } },
  );
}

async function ready(cluster: ClusterAddress, server: Running, etcd: Running): Promise<void> {
  const insecure = await import("undici").then(({ Agent }) => new Agent({ connect: { rejectUnauthorized: false } }));
  const { request } = await import("undici");
  await until(
    `the API server of ${cluster.name} is ready`,
    async () => {
      try {
        const answer = await request(`${cluster.url}/readyz`, { dispatcher: insecure });
        await answer.body.dump();
        return answer.statusCode === 200;
      } catch {
        return false;
      }
    },
    () => {
      const dead = [server, etcd].find((process) => process.ended());
      return dead === undefined ? undefined : dead.log().slice(-2_000);
    },
  );
  await insecure.close();
}

/** Runs `body` as the cluster's administrator. */
export async function asAdmin<T>(cluster: ClusterAddress, body: (api: Api) => Promise<T>): Promise<T> {
  const api = openApi(cluster, cluster.tokens.admin);
  try {
    return await body(api);
  } finally {
    await api.close();
  }
}

/** Keeps the API server from answering while `body` runs: connections are accepted, nothing comes back. */
export async function whilePaused<T>(cluster: ClusterAddress, body: () => Promise<T>): Promise<T> {
  process.kill(cluster.pid, "SIGSTOP");
  try {
    return await body();
  } finally {
    process.kill(cluster.pid, "SIGCONT");
  }
}

/** Archives the data of a cluster that was stopped, for {@link ClusterOptions.archive}. */
export async function pack(cluster: ClusterAddress, archive: string): Promise<void> {
  await run("tar", ["-czf", archive, "-C", cluster.folder, "etcd", "sa.key"]);
}

/** Name and address of a context's user. */
export type Login =
  | { readonly identity: Identity }
  | { readonly certificate: KeyPair }
  | { readonly user: Readonly<Record<string, unknown>> };

export interface Context {
  readonly name: string;
  readonly cluster: ClusterAddress;
  readonly login: Login;
  /** In place of the cluster's own authority or address. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** Writes a kubeconfig with these contexts and returns its path. The first one is current. */
export async function writeKubeconfig(folder: string, contexts: readonly Context[]): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": contexts[0]?.name ?? "",
    clusters: contexts.map(({ name, cluster, overrides }) => ({
      name,
      cluster: { server: cluster.url, "certificate-authority": cluster.caFile, ...overrides },
    })),
    users: contexts.map(({ name, cluster, login }) => ({ name: `${name}-user`, user: userOf(cluster, login) })),
    contexts: contexts.map(({ name }) => ({ name, context: { cluster: name, user: `${name}-user` } })),
  };
  const text = JSON.stringify(config, null, 2);
  const file = path.join(folder, `kubeconfig-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

function userOf(cluster: ClusterAddress, login: Login): unknown {
  if ("identity" in login) return { token: cluster.tokens[login.identity] };
  if ("user" in login) return login.user;
  return { "client-certificate": login.certificate.cert, "client-key": login.certificate.key };
}
