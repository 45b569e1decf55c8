import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobOf } from "../../../clients/states/azurerm.ts";
import { objectOf as gcsObject } from "../../../clients/states/gcs.ts";
import type { StatePlace } from "../../../clients/states/index.ts";
import { objectOf as s3Object } from "../../../clients/states/s3.ts";
import { CANARY, read, STATE, told } from "./support.ts";
import { serve } from "./server.ts";

/** The SDKs look at the environment of the process themselves. */
const ENV = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: CANARY, AWS_EC2_METADATA_DISABLED: "true", ARM_ACCESS_KEY: Buffer.from(CANARY).toString("base64") };
const before = Object.fromEntries(Object.keys(ENV).map((name) => [name, process.env[name]]));
beforeAll(() => void Object.assign(process.env, ENV));
afterAll(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const quick = { retries: 0, retryMs: 1, answerMs: 300, requestMs: 700, connectMs: 300, stateBytes: 2000 };
const clouds: readonly (readonly [name: string, place: (url: string) => StatePlace])[] = [
  ["S3", (url) => ({ form: "s3", settings: { bucket: "b", key: "k", endpoint: url, use_path_style: true } })],
  ["Cloud Storage", (url) => ({ form: "gcs", settings: { bucket: "b", storage_custom_endpoint: `${url}/storage/v1/` } })],
  ["Blob Storage", (url) => ({ form: "azurerm", settings: { storage_account_name: "acc", container_name: "c", key: "k", endpoint: `${url}/acc` } })],
];

describe.each(clouds)("a server that should be %s", (_, place) => {
  it("and never answers costs its time and no more", async () => {
    await using silent = await serve(() => undefined);
    expect(await told(read(place(silent.url), { env: ENV }, quick))).toMatch(/^the server of `.*` /);
  });

  it("and answers with a page, in which our secret stands, is not quoted", async () => {
    await using server = await serve(({ url, headers }, response) => response.writeHead(403, { "content-type": "text/html" }).end(`<html>${url} ${headers.authorization} ${CANARY}</html>`));
    expect(await told(read(place(server.url), { env: ENV }, quick))).toMatch(/may not be read with the credentials of the environment \(403\) \|/);
  });

  it("and sends us to another one gets nobody there our credentials", async () => {
    await using elsewhere = await serve((_request, response) => response.writeHead(200, { "content-type": "application/json" }).end(STATE));
    await using server = await serve((_request, response) => response.writeHead(307, { location: `${elsewhere.url}/x` }).end());
    await read(place(server.url), { env: ENV }, quick).catch(() => undefined);
    expect(elsewhere.asked.map(({ authorization }) => authorization).filter((header) => header !== undefined)).toEqual([]);
  });

  it("and is none at all is told", async () => {
    expect(await told(read(place("http://127.0.0.1:1"), { env: ENV }, quick))).toMatch(/^the server of `.*` (?:refuses connections|cannot be reached)/);
  });

  it("and holds more than a state may be is not read to its end", async () => {
    const large = "x".repeat(3000);
    await using server = await serve(({ url = "" }, response) => {
      if (url.includes("/storage/v1/") && !url.includes("alt=media")) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ size: "3000", generation: "1" }));
      else response.writeHead(200, { "content-length": large.length, etag: "x", "last-modified": "Sun, 01 Nov 2026 08:00:00 GMT" }).end(large);
    });
    expect(await told(read(place(server.url), { env: ENV }, quick))).toMatch(/is larger than the limit of 0\.002 MB/);
  });

  it("is left when the run ends", async () => {
    await using silent = await serve(() => undefined);
    expect(await told(read(place(silent.url), { env: ENV, signal: AbortSignal.timeout(50) }, { ...quick, requestMs: 60_000, answerMs: 60_000 }))).toMatch(/^the run ended before this was read/);
  });
});

describe("the object of a workspace", () => {
  it("is where Terraform keeps it", () => {
    const s3 = { bucket: "b", key: "a/k" };
    expect([s3Object(s3), s3Object(s3, "default"), s3Object(s3, "w"), s3Object({ ...s3, workspace_key_prefix: "p" }, "w")]).toEqual(["a/k", "a/k", "env:/w/a/k", "p/w/a/k"]);
    expect([gcsObject({ bucket: "b" }), gcsObject({ bucket: "b", prefix: "/a//b/" }, "w")]).toEqual(["default.tfstate", "a/b/w.tfstate"]);
    const blob = { storage_account_name: "a", container_name: "c", key: "k" };
    expect([blobOf(blob), blobOf(blob, "w")]).toEqual(["k", "kenv:w"]);
  });
});
