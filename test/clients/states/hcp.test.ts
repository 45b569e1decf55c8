import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority, makeCertificate } from "../../parts/certificates.ts";
import { scratchFolder } from "../../parts/process.ts";
import { CANARY, folderOf, read, STATE, textOf, told } from "./support.ts";

/** The API as HashiCorp documents it: two questions, and a blob that another server may keep. */
const asked: string[] = [];
let server: Server;
let blobs: Server;
let answers: Readonly<Record<string, readonly [status: number, body: unknown]>> = {};
const known = tls.getCACertificates();
const portOf = (of: Server) => (of.address() as AddressInfo).port;
const host = () => `localhost:${portOf(server)}`;
const TOKEN = `${CANARY}-token`;
const place = (workspace = "eks") => ({ form: "hcp" as const, settings: { organization: "o", workspace, hostname: host() } });
const env = { TF_TOKEN_localhost: TOKEN };

beforeAll(async () => {
  const folder = await scratchFolder("hcp");
  const authority = await makeAuthority(folder, "authority");
  const pair = await makeCertificate(folder, authority, { name: "server", subject: "/CN=localhost", altNames: ["DNS:localhost"] });
  tls.setDefaultCACertificates([...known, readFileSync(authority.cert, "utf8")]);
  const options = { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
  server = createServer(options, ({ url = "", headers }, response) => {
    asked.push(`${url} ${headers.authorization ?? "nobody"}`);
    const [status, body] = headers.authorization === `Bearer ${TOKEN}` ? (answers[url] ?? [404, {}]) : [401, { errors: [CANARY] }];
    response.writeHead(status, status === 302 ? { location: String(body) } : {}).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  blobs = createServer(options, ({ headers }, response) => {
    asked.push(`blob ${headers.authorization ?? "nobody"}`);
    response.end(STATE);
  });
  await Promise.all([server, blobs].map((one) => new Promise<void>((resolve) => one.listen(0, "localhost", resolve))));
});

afterAll(() => {
  tls.setDefaultCACertificates(known);
  for (const one of [server, blobs]) one.closeAllConnections();
  for (const one of [server, blobs]) one.close();
});

const version = (url: string) => ({
  "/api/v2/organizations/o/workspaces/eks": [200, { data: { id: "ws-1", attributes: { locked: true } } }] as const,
  "/api/v2/workspaces/ws-1/current-state-version": [200, { data: { id: "sv-1", attributes: { "hosted-state-download-url": url, "created-at": "2026-11-01T08:00:00.000Z" } } }] as const,
});

describe("a workspace of HCP Terraform", () => {
  it("gives its current state, when it was written and whether it is locked", async () => {
    answers = { ...version(`https://${host()}/api/v2/state-versions/sv-1/blob`), "/api/v2/state-versions/sv-1/blob": [302, `https://localhost:${portOf(blobs)}/signed?sig=1`] };
    asked.length = 0;
    const state = await read(place(), { env });
    expect(textOf(state)).toBe(STATE);
    expect(state).toMatchObject({ locator: `https://${host()}/app/o/workspaces/eks`, modified: "2026-11-01T08:00:00.000Z", locked: true });
    // The signed address of the blob is all that its server needs.
    expect(asked.map((line) => line.split(" ").slice(1).join(" "))).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`, "nobody"]);
  });

  it("does not give the token to the server of a blob elsewhere", async () => {
    answers = version(`https://localhost:${portOf(blobs)}/signed`);
    asked.length = 0;
    expect(textOf(await read(place(), { env }))).toBe(STATE);
    expect(asked.at(-1)).toBe("blob nobody");
  });

  it("takes the token that `terraform login` wrote", async () => {
    answers = version(`https://localhost:${portOf(blobs)}/signed`);
    await using home = await folderOf({ ".terraform.d/credentials.tfrc.json": JSON.stringify({ credentials: { [host()]: { token: TOKEN } } }) });
    expect(textOf(await read(place(), { home: home.path }))).toBe(STATE);
  });

  it("tells what is missing: a token, a right, the workspace, a state, the API itself", async () => {
    answers = { ...version("http://elsewhere/x"), "/api/v2/organizations/o/workspaces/empty": [200, { data: { id: "ws-2" } }], "/api/v2/organizations/o/workspaces/odd": [200, `<html>${CANARY}`] };
    expect(await told(read(place(), {}))).toMatch(/^there is no token for `localhost:\d+` \| set TF_TOKEN_localhost, or run `terraform login localhost:\d+`/);
    expect(await told(read(place(), { env: { TF_TOKEN_localhost: "other" } }))).toMatch(/does not accept the credentials of the environment \(401\) \| renew the token/);
    expect(await told(read(place("nobody"), { env }))).toMatch(/^there is no state at `https:\/\/localhost:\d+\/app\/o\/workspaces\/nobody`/);
    expect(await told(read(place("empty"), { env }))).toMatch(/^there is no state at/);
    expect(await told(read(place("odd"), { env }))).toMatch(/does not answer as the API of HCP Terraform/);
    expect(await told(read(place(), { env }))).toMatch(/does not answer as the API of HCP Terraform/);
  });
});
