import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import tls from "node:tls";
import { makeAuthority, makeCertificate } from "./certificates.ts";
import { freePorts, scratchFolder, start, until, type Running } from "./process.ts";

/** A store of objects that runs. */
export interface Store {
  readonly url: string;
  stop(): Promise<void>;
}

/** S3 with the native lock of Terraform, on a folder. The bucket `tfstate` is there. */
export async function startS3(program: string): Promise<Store & { readonly env: Readonly<Record<string, string>> }> {
  const folder = await scratchFolder("s3");
  await mkdir(path.join(folder, "data/tfstate"), { recursive: true });
  const secret = randomBytes(12).toString("hex");
  const [port = 0] = await freePorts(1);
  const server = await start(program, ["--port", `127.0.0.1:${port}`, "--region", "us-east-1", "posix", path.join(folder, "data")], { logFile: path.join(folder, "log"), env: { ROOT_ACCESS_KEY: "states", ROOT_SECRET_KEY: secret } });
  return { ...(await listening(server, port)), env: { AWS_ACCESS_KEY_ID: "states", AWS_SECRET_ACCESS_KEY: secret } };
}

/** S3 with versions and DynamoDB, in memory. */
export async function startMoto(program: string): Promise<Store> {
  const folder = await scratchFolder("moto");
  const [port = 0] = await freePorts(1);
  return listening(await start(program, ["-H", "127.0.0.1", "-p", String(port)], { logFile: path.join(folder, "log") }), port);
}

/** Cloud Storage, on a folder. The bucket `tfstate` is there. */
export async function startGcs(program: string): Promise<Store> {
  const folder = await scratchFolder("gcs");
  await mkdir(path.join(folder, "data/tfstate"), { recursive: true });
  const [port = 0] = await freePorts(1);
  const words = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-backend", "filesystem", "-filesystem-root", path.join(folder, "data"), "-public-host", `127.0.0.1:${port}`, "-external-url", `http://127.0.0.1:${port}`];
  return listening(await start(program, words, { logFile: path.join(folder, "log") }), port);
}

/** Azure Blob Storage, and the way by which Terraform, which knows Azure's own names only, gets there. */
export interface AzureStore extends Store {
  readonly account: string;
  readonly key: string;
  /** For Terraform: a proxy in place of the network, and the authority of the certificate behind it. */
  readonly env: Readonly<Record<string, string>>;
}

/** The account must not be the one that every Azurite has: its signatures follow a rule of their own. */
export async function startAzure(program: string): Promise<AzureStore> {
  const folder = await scratchFolder("azure");
  const [account, key] = ["meshstate", randomBytes(32).toString("base64")];
  const [port = 0] = await freePorts(1);
  const words = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", path.join(folder, "data"), "--silent", "--skipApiVersionCheck"];
  const store = await listening(await start(program, words, { logFile: path.join(folder, "log"), env: { AZURITE_ACCOUNTS: `${account}:${key}` } }), port);

  const authority = await makeAuthority(folder, "authority");
  const pair = await makeCertificate(folder, authority, { name: "blobs", subject: "/CN=blobs", altNames: ["DNS:*.blob.core.windows.net"] });
  const ending = tls.createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (client) => joined(client, port)).listen(0, "127.0.0.1");
  const proxy = http.createServer((_, response) => response.writeHead(502).end()).listen(0, "127.0.0.1");
  proxy.on("connect", (request, client: net.Socket) => {
    if (request.url !== `${account}.blob.core.windows.net:443`) return void client.end("HTTP/1.1 502 refused\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    joined(client, (ending.address() as AddressInfo).port);
  });
  await until("the way to Azurite is open", () => Promise.resolve(ending.listening && proxy.listening));

  return {
    ...store,
    account,
    key,
    env: { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, SSL_CERT_FILE: authority.cert },
    async stop() {
      proxy.closeAllConnections();
      proxy.close();
      ending.close();
      await store.stop();
    },
  };
}

function joined(client: net.Socket, port: number): void {
  const onward = net.connect(port, "127.0.0.1");
  client.pipe(onward).pipe(client);
  client.on("error", () => onward.destroy());
  onward.on("error", () => client.destroy());
}

/** Waits until a server takes connections. */
export async function listening(server: Running, port: number): Promise<Store> {
  await until(
    `port ${port} is open`,
    () =>
      new Promise((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => void socket.end(() => resolve(true)));
        socket.on("error", () => resolve(false));
      }),
    () => (server.ended() ? server.log().slice(-2_000) : undefined),
  );
  return { url: `http://127.0.0.1:${port}`, stop: () => server.stop() };
}

/** A server for the backend `http`, which locks as GitLab's does. States are kept in memory. */
export async function startStateServer(user: string, password: string): Promise<Store> {
  const states = new Map<string, Buffer>();
  const locks = new Map<string, string>();
  const server = http.createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const { pathname: name, searchParams } = new URL(request.url ?? "/", "http://here");
      const answer = (status: number, text: string | Buffer = "") => void response.writeHead(status, { "last-modified": "Sun, 01 Nov 2026 08:00:00 GMT" }).end(text);
      if (request.headers.authorization !== `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`) return answer(401);
      const id = (text: string) => (JSON.parse(text) as { readonly ID: string }).ID;
      const held = locks.get(name);
      switch (request.method) {
        case "LOCK":
          if (held !== undefined) return answer(423, held);
          locks.set(name, body.toString());
          return answer(200);
        case "UNLOCK":
          locks.delete(name);
          return answer(200);
        case "POST":
          if (held !== undefined && id(held) !== searchParams.get("ID")) return answer(423, held);
          states.set(name, body);
          return answer(200);
        default: {
          const state = states.get(name);
          return state === undefined ? answer(404) : answer(200, state);
        }
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
