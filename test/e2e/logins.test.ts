import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { makeCertificate } from "../parts/certificates.ts";
import { startCluster, type ClusterAddress, type Context, type Login } from "../parts/cluster.ts";
import { scratchFolder } from "../parts/process.ts";
import { clustersOf, contexts, desk } from "./assert.ts";
import { onClusters } from "./ground.ts";

interface Way {
  readonly claim: string;
  login(cluster: ClusterAddress, folder: string): Promise<Login>;
}

/** Every way in which a kubeconfig user logs in that our own server can check. */
const WAYS: readonly Way[] = [
  { claim: "a token", login: async () => ({ identity: "reader" }) },
  { claim: "a client certificate in files", login: async ({ clientCertificate }) => ({ certificate: clientCertificate }) },
  {
    claim: "a client certificate inside the kubeconfig",
    login: async ({ clientCertificate: { cert, key } }) => ({ user: { "client-certificate-data": await base64(cert), "client-key-data": await base64(key) } }),
  },
  {
    claim: "a token file",
    async login({ tokens }, folder) {
      const tokenFile = path.join(folder, "token");
      await writeFile(tokenFile, `${tokens.reader}\n`);
      return { user: { tokenFile } };
    },
  },
  { claim: "an exec plugin that gives a token", login: async ({ tokens }, folder) => execLogin(folder, { token: tokens.reader }) },
  {
    claim: "an exec plugin that gives a client certificate",
    async login({ clientCertificate: { cert, key } }, folder) {
      return execLogin(folder, { clientCertificateData: await text(cert), clientKeyData: await text(key) });
    },
  },
];

for (const { claim, login } of WAYS) {
  onClusters(`${claim} logs in: the cluster is read`, async ({ clusters: { gke } }) => {
    const here = await login(gke, await scratchFolder("login"));
    const { run } = await desk({ contexts: [{ name: "gke", cluster: gke, login: here }] });
    const { code, result } = await run(...contexts("gke"));
    expect(result().gaps).toEqual([]);
    expect(code).toBe(0);
  });
}

interface Refusal {
  readonly claim: string;
  context(cluster: ClusterAddress, other: ClusterAddress, folder: string): Promise<Context>;
  readonly reason: RegExp;
}

/** What goes wrong with a login or a certificate: each costs its own cluster only, and says why. */
const REFUSALS: readonly Refusal[] = [
  {
    claim: "the CA of another cluster",
    context: async (cluster, other) => ({ name: "gke", cluster, login: { identity: "reader" }, overrides: { "certificate-authority": other.caFile } }),
    reason: /certificate of the API server .* is signed by another authority/,
  },
  {
    claim: "a token that the server does not know",
    context: async (cluster) => ({ name: "gke", cluster, login: { user: { token: "0000" } } }),
    reason: /does not accept the credentials .* \(401\); sign in again/,
  },
  {
    claim: "an expired client certificate",
    async context(cluster, _other, folder) {
      const authority = { cert: path.join(cluster.folder, "authority.pem"), key: path.join(cluster.folder, "authority.key") };
      const expired = await makeCertificate(folder, authority, { name: "expired", subject: "/CN=assert-reader", between: ["20250101000000Z", "20250201000000Z"] });
      return { name: "gke", cluster, login: { certificate: expired } };
    },
    reason: /\(401\); renew its client certificate: it expired on 2025-02-01/,
  },
  {
    claim: "an exec plugin that is not installed",
    context: async (cluster) => ({ name: "gke", cluster, login: { user: { exec: execOf("no-such-login-plugin") } } }),
    reason: /no-such-login-plugin/,
  },
  {
    claim: "an exec plugin that prints rubbish",
    context: async (cluster, _other, folder) => ({ name: "gke", cluster, login: { user: { exec: execOf(await script(folder, "echo please log in")) } } }),
    reason: /prints|printed|answer/,
  },
];

for (const { claim, context, reason } of REFUSALS) {
  onClusters(`${claim}: a gap that says so, the other cluster is judged`, async ({ clusters: { eks, gke } }) => {
    const bad = await context(gke, eks, await scratchFolder("login"));
    const { run } = await desk({ contexts: [bad, { name: "eks", cluster: eks, login: { identity: "reader" } }] });
    const { code, result, stdout, stderr } = await run(...contexts("eks", "gke"));

    expect(code).toBe(2);
    expect(clustersOf(result().gaps)).toEqual(["gke"]);
    expect(result().gaps.map((gap) => `${gap.reason}; ${gap.remedy}`).join("\n")).toMatch(reason);
    expect(result().coverage.judged).toBe(608);
    // No secret in any message.
    for (const secret of Object.values(gke.tokens)) expect(`${stdout}${stderr}`).not.toContain(secret);
  });
}

onClusters("a server whose certificate has expired: a gap that says so", async ({ parts }) => {
  const cluster = await startCluster({
    name: "expired",
    gitVersion: "v1.33.9",
    binaries: parts,
    serverCertificate: { subject: "/CN=kube-apiserver", altNames: ["IP:127.0.0.1"], between: ["20250101000000Z", "20250201000000Z"] },
  });
  try {
    const { run } = await desk({ contexts: [{ name: "expired", cluster, login: { identity: "admin" } }] });
    const { code, result } = await run(...contexts("expired"));
    expect(code).toBe(2);
    expect(result().gaps[0]?.reason).toMatch(/certificate of the API server .* has expired/);
    expect(result().gaps[0]?.remedy).toContain("clock");
  } finally {
    await cluster.stop();
  }
});

function execOf(command: string): object {
  return { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never" };
}

async function execLogin(folder: string, status: Readonly<Record<string, string>>): Promise<Login> {
  const credential = path.join(folder, "credential.json");
  await writeFile(credential, JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status }));
  return { user: { exec: execOf(await script(folder, `cat ${credential}`)) } };
}

async function script(folder: string, line: string): Promise<string> {
  const file = path.join(folder, "plugin");
  await writeFile(file, `#!/bin/sh\n${line}\n`);
  await chmod(file, 0o755);
  return file;
}

async function text(file: string): Promise<string> {
  return readFile(file, "utf8");
}

async function base64(file: string): Promise<string> {
  return Buffer.from(await text(file)).toString("base64");
}
