import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { CANARY, read, STATE, textOf, told } from "./support.ts";
import { serve } from "./server.ts";

const place = (address: string, workspace?: string) => ({ form: "http" as const, settings: { address }, workspace });
const env = { TF_HTTP_USERNAME: "reader", TF_HTTP_PASSWORD: CANARY };
const quick = { retryMs: 1, retries: 2, answerMs: 300, requestMs: 600, connectMs: 300 };
const BASIC = `Basic ${Buffer.from(`reader:${CANARY}`).toString("base64")}`;

describe("the backend `http`", () => {
  it("gives the state with the time at which it was written; user and password come from the environment", async () => {
    await using server = await serve((_, response) => response.writeHead(200, { "last-modified": "Sun, 01 Nov 2026 08:00:00 GMT", "content-md5": createHash("md5").update(STATE).digest("base64") }).end(STATE));
    const state = await read(place(`${server.url}/eks?token=${CANARY}`), { env });
    expect(textOf(state)).toBe(STATE);
    expect({ ...state, bytes: 0, sha256: "" }).toEqual({ bytes: 0, sha256: "", locator: `${server.url}/eks`, modified: "2026-11-01T08:00:00.000Z" });
    expect(server.asked).toEqual([{ method: "GET", path: `/eks?token=${CANARY}`, authorization: BASIC }]);
  });

  it("says with 204 that nothing was written yet", async () => {
    await using server = await serve((_, response) => response.writeHead(204).end());
    expect((await read(place(server.url))).bytes).toHaveLength(0);
  });

  it("is asked again while it is too busy", async () => {
    let times = 0;
    await using server = await serve((_, response) => response.writeHead((times += 1) < 3 ? 503 : 200).end(STATE));
    expect(textOf(await read(place(server.url), {}, quick))).toBe(STATE);
  });

  it("may redirect: to another host no credentials follow, on the same one they do", async () => {
    await using elsewhere = await serve((_, response) => response.writeHead(200).end(STATE));
    await using server = await serve(({ url }, response) => {
      response.writeHead(307, { location: url === "/a" ? "/b" : `${elsewhere.url}/signed?sig=${CANARY}` }).end();
    });
    const state = await read(place(`${server.url}/a`), { env });
    expect(server.asked.map(({ authorization }) => authorization)).toEqual([BASIC, BASIC]);
    expect(elsewhere.asked).toEqual([{ method: "GET", path: `/signed?sig=${CANARY}`, authorization: undefined }]);
    expect(state.locator).toBe(`${server.url}/a`);
  });
});

describe("what cannot be read is told without a secret", () => {
  const page = `<html>${CANARY}</html>`;
  const rows: readonly (readonly [claim: string, status: number, headers: Record<string, string>, body: string, expected: RegExp])[] = [
    ["404: not an empty state", 404, {}, page, /^there is no state at `http:\/\/127.0.0.1:\d+\/eks` \|/],
    ["401", 401, {}, page, /does not accept the credentials of the environment \(401\) \| set TF_HTTP_USERNAME and TF_HTTP_PASSWORD/],
    ["403", 403, {}, page, /may not be read with the credentials of the environment \(403\)/],
    ["500", 500, {}, page, /answered 500 where a state was expected/],
    ["503 that stays", 503, {}, page, /answered 503/],
    ["a login page that is called a success", 200, { "content-type": "text/html; charset=utf-8" }, page, /answered with a web page where a state was expected/],
    ["a body that is not the one of its digest", 200, { "content-md5": "AAAA" }, STATE, /not the one that its Content-MD5 stands for/],
    ["a body that is packed", 200, { "content-encoding": "gzip" }, STATE, /answered with a packed state, which was not asked for/],
    ["a body that is too large", 200, {}, "x".repeat(2001), /is larger than the limit of 0\.002 MB/],
    ["a body that is shorter than it says", 200, { "content-length": "1000" }, STATE.slice(0, 99), /stopped in the middle of an answer|closes the connection before the answer is whole|did not finish an answer in time/],
    ["a redirect to itself", 302, { location: "/eks" }, "", /redirects more than 5 times/],
    ["a redirect to a file", 302, { location: "file:///etc/passwd" }, "", /redirects to what is no http or https URL/],
  ];
  it.each(rows)("%s", async (_, status, headers, body, expected) => {
    await using server = await serve((_request, response) => response.writeHead(status, headers).end(body));
    expect(await told(read(place(`${server.url}/eks?k=${CANARY}`), { env }, { ...quick, stateBytes: 2000 }))).toMatch(expected);
  });

  it("a server that never answers, one that hangs up, and none at all", async () => {
    await using silent = await serve(() => undefined);
    expect(await told(read(place(silent.url), {}, quick))).toMatch(/gave no answer in time|did not finish/);
    await using rude = await serve((_, response) => void response.socket?.destroy());
    expect(await told(read(place(rude.url), {}, quick))).toMatch(/closes the connection/);
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const address = closed.address();
    await new Promise((resolve) => closed.close(resolve));
    expect(await told(read(place(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`), {}, quick))).toMatch(/refuses connections/);
  });

  it("an address with user and password in it is never shown with them, and a workspace is none of this backend", async () => {
    expect(await told(read(place(`http://u:${CANARY}@127.0.0.1:1/x`), {}, quick))).toMatch(/`http:\/\/127.0.0.1:1` refuses connections/);
    expect(await told(read(place("https://x", "prod")))).toMatch(/^the backend `http` has no workspaces/);
    expect(await told(read(place(`nonsense ${CANARY}`)))).toMatch(/^the address of the state is no http or https URL/);
  });

  it("a run that ends", async () => {
    await using silent = await serve(() => undefined);
    expect(await told(read(place(silent.url), { signal: AbortSignal.timeout(50) }))).toMatch(/^the run ended before this was read/);
  });
});

it("50 states are read side by side", async () => {
  await using server = await serve(({ url }, response) => void setTimeout(() => response.writeHead(200).end(`${STATE}${url}`), 20));
  const states = await Promise.all(Array.from({ length: 50 }, (_, index) => read(place(`${server.url}/${index}`))));
  expect(states.map(textOf)).toEqual(Array.from({ length: 50 }, (_, index) => `${STATE}/${index}`));
});
