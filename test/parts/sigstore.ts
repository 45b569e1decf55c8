import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { start, until, type Running } from "./process.ts";

const run = promisify(execFile);

/** Since when the trusted root counts everybody in it. */
export const SINCE = "2026-01-01T00:00:00Z";
export const ISSUER = "https://token.actions.githubusercontent.com";
const PORTS = { ct: 7001, rekor: 7002, rekorGrpc: 7003, rekorMetrics: 7004, tsa: 7005, fulcio: 7006, fulcioGrpc: 7007, fulcioMetrics: 7008, oidc: 7010, proxy: 7011 } as const;

/** Programs of Sigstore, as `npm run parts` builds them. */
export interface SigstorePrograms {
  readonly cosign: string;
  readonly fulcio: string;
  readonly tesseract: string;
  readonly "rekor-server": string;
  readonly "timestamp-server": string;
}

/** A running Fulcio, log of certificates, Rekor 2 and time stamp authority, and an issuer of identities that Fulcio believes. */
export interface Sigstore {
  /** Of the authority: certificate and, unencrypted, its key. */
  readonly ca: { readonly cert: string; readonly key: string };
  readonly files: { readonly ctKey: string; readonly rekorKey: string; readonly tsaChain: string };
  readonly urls: { readonly fulcio: string; readonly ct: string; readonly rekor: string; readonly tsa: string };
  /** A token of a GitHub workflow: `acme/mesh/.github/workflows/release.yml@refs/tags/v1.2.3`. */
  token(workflow: string): string;
  stop(): Promise<void>;
}

/**
 * Starts everything on fixed ports of loopback. The time stamp authority and Fulcio listen on all interfaces for their metrics, so this runs in a
 * network namespace of its own, where nobody else is.
 */
export async function startSigstore(programs: SigstorePrograms, folder: string): Promise<Sigstore> {
  const at = (name: string): string => path.join(folder, name);
  const openssl = (...words: string[]) => run("openssl", words);
  await openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj", "/O=acme/CN=test-fulcio",
    "-addext", "basicConstraints=critical,CA:TRUE,pathlen:1", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "extendedKeyUsage=codeSigning", "-keyout", at("ca.key"), "-out", at("ca.pem"));
  await Promise.all([
    openssl("pkcs8", "-topk8", "-in", at("ca.key"), "-v2", "aes-256-cbc", "-passout", "pass:fulcio", "-out", at("ca.enc")),
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at("ct.key")),
    openssl("genpkey", "-algorithm", "ed25519", "-out", at("rekor.key")),
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "10", "-subj", "/CN=issuer", "-addext", "subjectAltName=DNS:token.actions.githubusercontent.com", "-keyout", at("oidc.key"), "-out", at("oidc.pem")),
    writeFile(at("fulcio.yaml"), FULCIO_CONFIG),
  ]);
  await Promise.all([openssl("ec", "-in", at("ct.key"), "-pubout", "-out", at("ct.pub")), openssl("pkey", "-in", at("rekor.key"), "-pubout", "-out", at("rekor.pub"))]);
  const issuer = await startIssuer({ key: readFileSync(at("oidc.key")), cert: readFileSync(at("oidc.pem")) });
  const local = (port: number): string => `http://127.0.0.1:${port}`;
  const launch = (name: keyof SigstorePrograms, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Running> => start(programs[name], args, { logFile: at(`${name}.log`), env });
  const running = await Promise.all([
    launch("tesseract", ["--private_key", at("ct.key"), "--origin", "test-ct", "--storage_dir", at("ct"), "--roots_pem_file", at("ca.pem"), "--ext_key_usages", "CodeSigning", "--http_endpoint", `127.0.0.1:${PORTS.ct}`, "--checkpoint_interval", "1s"]),
    launch("rekor-server", ["serve", "--http-port", `${PORTS.rekor}`, "--grpc-port", `${PORTS.rekorGrpc}`, "--http-metrics-port", `${PORTS.rekorMetrics}`, "--hostname", "rekor.test", "--storage-dir", at("rekor"), "--signer-filepath", at("rekor.key"), "--checkpoint-interval", "1s"]),
    launch("timestamp-server", ["serve", "--host", "127.0.0.1", "--port", `${PORTS.tsa}`, "--timestamp-signer", "memory", "--disable-ntp-monitoring"]),
    launch("fulcio", ["serve", "--host", "127.0.0.1", "--port", `${PORTS.fulcio}`, "--grpc-host", "127.0.0.1", "--grpc-port", `${PORTS.fulcioGrpc}`, "--metrics-port", `${PORTS.fulcioMetrics}`,
      "--ca", "fileca", "--fileca-cert", at("ca.pem"), "--fileca-key", at("ca.enc"), "--fileca-key-passwd", "fulcio", "--fileca-watch=false", "--config-path", at("fulcio.yaml"),
      "--ct-log-url", local(PORTS.ct), "--ct-log-public-key-path", at("ct.pub"), "--ct-log-origin", "test-ct", "--legacy-unix-domain-socket", `@fulcio-${process.pid}`],
      { HTTPS_PROXY: local(PORTS.proxy), SSL_CERT_FILE: at("oidc.pem") }),
  ]);
  const broken = (): string | undefined => running.find((one) => one.ended())?.log().slice(-2000);
  const answers = (url: string) => async (): Promise<boolean> => fetch(url).then(async (answer) => (await answer.text(), true), () => false);
  const isGood = (url: string) => async (): Promise<boolean> => fetch(url).then(async (answer) => (await answer.text(), answer.ok), () => false);
  await Promise.all([
    until("the log of certificates", answers(local(PORTS.ct)), broken),
    until("rekor", isGood(`${local(PORTS.rekor)}/healthz`), broken),
    until("fulcio", isGood(`${local(PORTS.fulcio)}/healthz`), broken),
    until("the time stamp authority", isGood(`${local(PORTS.tsa)}/api/v1/timestamp/certchain`), broken),
  ]);
  await writeFile(at("tsa-chain.pem"), await (await fetch(`${local(PORTS.tsa)}/api/v1/timestamp/certchain`)).text());
  return {
    ca: { cert: at("ca.pem"), key: at("ca.key") },
    files: { ctKey: at("ct.pub"), rekorKey: at("rekor.pub"), tsaChain: at("tsa-chain.pem") },
    urls: { fulcio: local(PORTS.fulcio), ct: local(PORTS.ct), rekor: local(PORTS.rekor), tsa: `${local(PORTS.tsa)}/api/v1/timestamp` },
    token: issuer.token,
    stop: async () => {
      issuer.stop();
      await Promise.all(running.map((one) => one.stop()));
    },
  };
}

/** GitHub as an issuer: which claims of its tokens a certificate holds, and where. */
const FULCIO_CONFIG = `oidc-issuers:
  ${ISSUER}:
    issuer-url: ${ISSUER}
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
ci-issuer-metadata:
  github-workflow:
    default-template-values:
      url: "https://github.com"
    extension-templates:
      github-workflow-ref: "ref"
      build-signer-uri: "{{ .url }}/{{ .job_workflow_ref }}"
      source-repository-uri: "{{ .url }}/{{ .repository }}"
      source-repository-ref: "ref"
      runner-environment: "runner_environment"
    subject-alternative-name-template: "{{ .url }}/{{ .job_workflow_ref }}"
`;

/** Discovery and keys of the issuer, which Fulcio reaches through a proxy that leads there and nowhere else. */
async function startIssuer(tls: { readonly key: Buffer; readonly cert: Buffer }): Promise<{ token(workflow: string): string; stop(): void }> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const documents: Readonly<Record<string, object>> = {
    "/.well-known/openid-configuration": { issuer: ISSUER, jwks_uri: `${ISSUER}/keys`, id_token_signing_alg_values_supported: ["RS256"], response_types_supported: ["id_token"], subject_types_supported: ["public"] },
    "/keys": { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }] },
  };
  const server = https.createServer(tls, (request, response) => {
    const document = documents[request.url ?? ""];
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(document ?? {}));
  });
  const proxy = http.createServer((_, response) => void response.writeHead(502).end());
  proxy.on("connect", (request: http.IncomingMessage, client: net.Socket, head: Buffer) => {
    if (request.url !== "token.actions.githubusercontent.com:443") return void client.end("HTTP/1.1 502 refused\r\n\r\n");
    const upstream = net.connect(PORTS.oidc, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  await Promise.all([listen(server, PORTS.oidc), listen(proxy, PORTS.proxy)]);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    token(workflow) {
      const [repository = "", ref = ""] = [workflow.split("/.github/")[0], workflow.split("@")[1]];
      const now = Math.floor(Date.now() / 1000);
      const sha = "0123456789abcdef0123456789abcdef01234567";
      const claims = {
        iss: ISSUER, aud: "sigstore", sub: `repo:${repository}:ref:${ref}`, iat: now, nbf: now - 5, exp: now + 600, repository, repository_owner: "acme", repository_owner_id: "1", repository_id: "2", repository_visibility: "private",
        ref, sha, event_name: "push", workflow: "release", workflow_ref: workflow, workflow_sha: sha, job_workflow_ref: workflow, job_workflow_sha: sha, run_id: "3", run_attempt: "1", runner_environment: "github-hosted",
      };
      const body = `${part({ alg: "RS256", kid: "k1", typ: "JWT" })}.${part(claims)}`;
      return `${body}.${sign("sha256", Buffer.from(body), privateKey).toString("base64url")}`;
    },
    stop() {
      server.close();
      proxy.close();
      server.closeAllConnections();
      proxy.closeAllConnections();
    },
  };
}

function listen(server: http.Server | https.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => void server.once("error", reject).listen(port, "127.0.0.1", resolve));
}
