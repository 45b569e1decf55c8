import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { bytesOf, optional, sdkFault } from "../../../clients/states/optional.ts";
import { defaultStateLimits } from "../../../clients/states/place.ts";
import { CANARY, surroundings, told } from "./support.ts";

const reading = { ...surroundings(), limits: { ...defaultStateLimits, requestMs: 100, stateBytes: 1000 } };
const asked = { locator: "s3://b/k", permission: "allow it", login: "sign in" };
const absent = "@nobody/has-this";

describe("packages that are installed where somebody needs them", () => {
  it("are named, with the way to install them, where one is absent", async () => {
    expect(await told(optional(absent, () => import(absent) as Promise<unknown>))).toBe(
      "reading this state needs the package `@nobody/has-this`, which is not installed | install it beside cloud-assert (`npm install @nobody/has-this`), or read the state by a `command`",
    );
  });

  it("that fail in another way are no such thing", async () => {
    const broken = new SyntaxError("broken");
    await expect(optional("x", () => Promise.reject(broken))).rejects.toBe(broken);
  });
});

describe("what an SDK throws", () => {
  const rows: readonly (readonly [claim: string, error: object, expected: RegExp])[] = [
    ["a missing object of AWS", { name: "NoSuchKey", $metadata: { httpStatusCode: 404 } }, /^there is no state at `s3:\/\/b\/k`/],
    ["a missing bucket", { name: "NoSuchBucket", $metadata: { httpStatusCode: 404 } }, /^the bucket or container of `s3:\/\/b\/k` does not exist/],
    ["a missing container of Azure", { name: "RestError", code: "ContainerNotFound", statusCode: 404 }, /^the bucket or container/],
    ["a refusal of Google", { code: 403 }, /may not be read with the credentials of the environment \(403\) \| allow it/],
    ["credentials that are not accepted", { statusCode: 401 }, /does not accept the credentials of the environment \(401\) \| allow it/],
    ["another region", { name: "PermanentRedirect", $metadata: { httpStatusCode: 301 } }, /is kept in another region \| correct `region`/],
    ["a fault of the service", { $metadata: { httpStatusCode: 500 } }, /answered 500 where a state was expected/],
    ["no credentials of AWS", { name: "CredentialsProviderError" }, /^there are no credentials for `s3:\/\/b\/k` in the environment \| sign in/],
    ["no credentials of Azure", { name: "CredentialUnavailableError" }, /^there are no credentials/],
    ["no credentials of Google", { message: "Could not load the default credentials. Browse to https://cloud.google.com" }, /^there are no credentials/],
    ["no region", { message: "Region is missing" }, /^no region is known/],
    ["no connection", { code: "ECONNREFUSED" }, /^the server of `s3:\/\/b\/k` refuses connections/],
    ["a time-out", { name: "TimeoutError" }, /^the server of `s3:\/\/b\/k` does not answer in time/],
    ["anything else", {}, /^the server of `s3:\/\/b\/k` cannot be reached \(unknown\)/],
  ];
  it.each(rows)("%s is told in our words", async (_, fields, expected) => {
    const error = Object.assign(new Error(`it says ${CANARY}`), fields);
    expect(await told(Promise.reject(sdkFault(error, asked, reading)))).toMatch(expected);
  });
});

describe("a stream of an SDK", () => {
  it("is read to its end", async () => {
    expect((await bytesOf(Readable.from([Buffer.from("a"), Buffer.from("b")]), "x", reading)).toString()).toBe("ab");
  });

  it("that is too long, or that stops without ending, is closed", async () => {
    const long = Readable.from(Array.from({ length: 11 }, () => Buffer.alloc(100)));
    expect(await told(bytesOf(long, "x", reading))).toMatch(/^the state at `x` is larger than the limit/);
    const silent = new Readable({ read: () => undefined });
    const error: unknown = await bytesOf(silent, "x", reading).catch((thrown: unknown) => thrown);
    expect(await told(Promise.reject(sdkFault(error, asked, reading)))).toMatch(/did not finish an answer in time/);
    expect([long.destroyed, silent.destroyed]).toEqual([true, true]);
  });
});
