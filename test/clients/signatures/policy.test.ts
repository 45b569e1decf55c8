import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import publicGood from "../../../clients/signatures/public-good-root.json" with { type: "json" };
import type { SignaturePolicy } from "#engine";
import { openSignatures } from "../../../clients/signatures/index.ts";
import { bundleBy, fileOf, materialOf, pair } from "./material.ts";

type Document = Record<string, unknown>;
const ours = pair();
const identity = { issuer: "https://issuer.example", identity: "ci@acme.example" };
const verify = (policy: SignaturePolicy) => openSignatures().verify(materialOf([bundleBy(ours)]), policy);
const keys = (content: string): SignaturePolicy => ({ keys: [fileOf("release.pub", content)] });
const pem = (key: KeyObject): string => String(key.export({ type: "spki", format: "pem" }));

describe("who may sign", () => {
  const faults: readonly { readonly claim: string; readonly policy: SignaturePolicy; readonly reason: string }[] = [
    { claim: "is nobody", policy: {}, reason: "names nobody who may sign" },
    { claim: "is nobody, in lists", policy: { keys: [], keyless: [] }, reason: "names nobody who may sign" },
    { claim: "is a private key", policy: keys(String(ours.privateKey.export({ type: "pkcs8", format: "pem" }))), reason: "`release.pub` holds a private key" },
    { claim: "is a certificate", policy: keys("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), reason: "no public key in PEM" },
    { claim: "is two keys in one file", policy: keys(ours.pem + ours.pem), reason: "more than one" },
    { claim: "is a key that is cut off", policy: keys(ours.pem.replace(/.{40}\n-----END/, "\n-----END")), reason: "cannot be read" },
    { claim: "is a key of RSA with 1024 bits", policy: keys(pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)), reason: "of a kind that cannot be used" },
    { claim: "is a key of a curve for coins", policy: keys(pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey)), reason: "of a kind that cannot be used" },
    { claim: "is a key for encryption", policy: keys(pem(generateKeyPairSync("x25519").publicKey)), reason: "of a kind that cannot be used" },
    { claim: "is an identity without an issuer", policy: { keyless: [{ identity: "a" }] }, reason: "without an issuer" },
    { claim: "is an issuer without an identity", policy: { keyless: [{ issuer: "a" }] }, reason: "one of `identity` and `identityPattern`" },
    { claim: "is an identity and a pattern at once", policy: { keyless: [{ issuer: "a", identity: "b", identityPattern: "c" }] }, reason: "one of `identity` and `identityPattern`" },
    { claim: "is the empty identity", policy: { keyless: [{ issuer: "a", identity: "" }] }, reason: "`identity` is empty" },
    { claim: "is a regular expression", policy: { keyless: [{ issuer: "a", identityPattern: "https://.*" }] }, reason: "of a regular expression" },
    { claim: "is everybody", policy: { keyless: [{ issuer: "a", identityPattern: "**" }] }, reason: "fits everybody" },
  ];
  for (const { claim, policy, reason } of faults) {
    it(`${claim}: nothing is judged, and the verdict is unknown with the way out`, async () => {
      const said = await verify(policy);
      expect([said.verdict, said.found, said.reason]).toEqual(["unknown", [], expect.stringContaining(reason)]);
      expect(said.remedy).not.toBe("");
    });
  }

  it("is never quoted where it is a private key", async () => {
    const text = String(ours.privateKey.export({ type: "pkcs8", format: "pem" }));
    const said = JSON.stringify(await verify(keys(text)));
    expect(text.split("\n").filter((line) => line !== "" && said.includes(line))).toEqual([]);
  });
});

describe("the trusted root", () => {
  const root = (change: (document: Document) => void = () => undefined): string => {
    const document = JSON.parse(publicGood.text) as Document;
    change(document);
    return JSON.stringify(document);
  };
  const at = (document: unknown, ...path: readonly (string | number)[]): Document => path.reduce<unknown>((value, key) => Reflect.get(value as object, key), document) as Document;
  const certificates = (document: Document, list: string, index: number): unknown[] => Reflect.get(at(document, list, index, "certChain"), "certificates") as unknown[];

  it("of the release is whole, and its digest is reported", async () => {
    const said = await verify({ keyless: [identity] });
    expect([said.verdict, said.trustedRoot]).toEqual(["wrong-identity", fileOf("", publicGood.text).sha256]);
    expect((await verify({ keyless: [identity], trustedRoot: fileOf("root.json", root()) })).verdict).toBe("wrong-identity");
  });

  it("is not used, and not named, where keys alone may sign", async () => {
    expect((await verify(keys(ours.pem))).trustedRoot).toBeUndefined();
  });

  const faults: readonly { readonly claim: string; readonly content: string; readonly reason: string }[] = [
    { claim: "that is no JSON", content: "{", reason: "is no JSON" },
    { claim: "that is something else", content: "{}", reason: "is no trusted root" },
    { claim: "that names a field twice", content: publicGood.text.replace('"tlogs"', '"tlogs":[],"tlogs"'), reason: "names a field twice" },
    { claim: "that says not since when a log counts", content: root((document) => delete at(document, "tlogs", 0, "publicKey", "validFor")["start"]), reason: "`tlogs[0].publicKey.validFor.start` is missing" },
    { claim: "that says not since when a log of certificates counts", content: root((document) => delete at(document, "ctlogs", 1, "publicKey")["validFor"]), reason: "`ctlogs[1].publicKey.validFor.start` is missing" },
    { claim: "that says not since when an authority counts", content: root((document) => delete at(document, "certificateAuthorities", 1)["validFor"]), reason: "`certificateAuthorities[1].validFor.start` is missing" },
    { claim: "with an end before the start", content: root((document) => (at(document, "certificateAuthorities", 1, "validFor")["end"] = "2001-01-01T00:00:00Z")), reason: "ends before it starts" },
    { claim: "with a time that is none", content: root((document) => (at(document, "tlogs", 0, "publicKey", "validFor")["start"] = "yesterday")), reason: "a time at `tlogs[0].publicKey.validFor` that is none" },
    { claim: "with a log of certificates under another name", content: root((document) => (at(document, "ctlogs", 0, "logId")["keyId"] = "AAAA")), reason: "is not the digest of its key" },
    { claim: "with the same log twice", content: root((document) => (document["tlogs"] as unknown[]).push(at(document, "tlogs", 0))), reason: "the same log twice" },
    { claim: "with a key that is none", content: root((document) => (at(document, "tlogs", 0, "publicKey")["rawBytes"] = "AAAA")), reason: "a key at `tlogs[0]` that cannot be used" },
    { claim: "with a chain that ends before its root", content: root((document) => certificates(document, "certificateAuthorities", 1).pop()), reason: "ends before a root" },
    { claim: "with a chain in the wrong order", content: root((document) => certificates(document, "certificateAuthorities", 1).reverse()), reason: "is not signed by the one after it" },
    { claim: "with an authority without certificates", content: root((document) => certificates(document, "certificateAuthorities", 0).pop()), reason: "needs one to ten certificates" },
    { claim: "with a certificate that is none", content: root((document) => (at(document, "certificateAuthorities", 0, "certChain", "certificates", 0)["rawBytes"] = "AAAA")), reason: "cannot be read" },
    { claim: "with lenient base64", content: root((document) => (at(document, "tlogs", 0, "logId")["keyId"] = "wNI9atQGlz-VWfO6LRygH4QUfY_8W4RFwiT5i5WRgB0")), reason: "no base64 at `tlogs[0].logId.keyId`" },
    { claim: "with an authority for time that may only sign certificates", content: root((document) => certificates(document, "timestampAuthorities", 0).shift()), reason: "the one that signs times" },
    { claim: "with an authority for certificates that signs times", content: root((document) => (document["certificateAuthorities"] = document["timestampAuthorities"])), reason: "no authority" },
    { claim: "with 101 logs", content: root((document) => (document["tlogs"] = Array.from({ length: 101 }, () => ({})))), reason: "101 entries" },
    { claim: "without an authority for certificates", content: root((document) => (document["certificateAuthorities"] = [])), reason: "names no authority for certificates" },
  ];
  for (const { claim, content, reason } of faults) {
    it(`${claim} is believed in nothing`, async () => {
      const said = await verify({ keyless: [identity], trustedRoot: fileOf("roots/mine.json", content) });
      expect([said.verdict, said.reason]).toEqual(["unknown", expect.stringContaining(reason)]);
      expect(said.found).toEqual([]);
    });
  }

  it("without a log cannot be used where a log is asked for", async () => {
    const without = root((document) => (document["tlogs"] = []));
    expect((await verify({ ...keys(ours.pem), trustedRoot: fileOf("r.json", without), log: true })).reason).toContain("names no transparency log");
  });
});
