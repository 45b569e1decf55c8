import { describe, expect, it } from "vitest";
import { parseChallenges } from "../../../clients/registry/challenge.ts";
import { parseDockerConfig, parseHelperAnswer } from "../../../clients/registry/docker-config.ts";
import { endpointOf, hostKey, isListed } from "../../../clients/registry/hosts.ts";
import { parseManifest } from "../../../clients/registry/manifest.ts";
import { TYPES } from "../../support/images.ts";

describe("ways to sign in", () => {
  const cases = [
    { header: 'Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull,push"', expected: [{ scheme: "bearer", parameters: { realm: "https://auth.example/token", service: "registry", scope: "repository:a:pull,push" } }] },
    { header: 'Basic realm="x, y=\\"z\\""', expected: [{ scheme: "basic", parameters: { realm: 'x, y="z"' } }] },
    { header: 'Negotiate, BEARER Realm=https://a/t , Basic realm="b"', expected: [{ scheme: "negotiate", parameters: {} }, { scheme: "bearer", parameters: { realm: "https://a/t" } }, { scheme: "basic", parameters: { realm: "b" } }] },
    { header: 'Bearer realm="first",realm="second"', expected: [{ scheme: "bearer", parameters: { realm: "first" } }] },
    { header: "", expected: [] },
    { header: '"""', expected: [] },
  ];
  for (const { header, expected } of cases) it(`are read out of \`${header.slice(0, 40)}\``, () => expect(parseChallenges(header)).toEqual(expected));

  it("are not read to the end of a header without end", () => expect(parseChallenges("Bearer ".repeat(100_000)).length).toBeLessThan(600));
});

describe("a docker configuration", () => {
  const b64 = (text: string) => Buffer.from(text).toString("base64");
  const credentials = [
    { name: "user and password", entry: { auth: b64("me:pass") }, expected: { type: "basic", user: "me", password: "pass" } },
    { name: "a password with colons", entry: { auth: b64("me:a:b:c") }, expected: { type: "basic", user: "me", password: "a:b:c" } },
    { name: "two fields", entry: { username: "me", password: "pass" }, expected: { type: "basic", user: "me", password: "pass" } },
    { name: "an identity token before a password", entry: { auth: b64("me:pass"), identitytoken: "id" }, expected: { type: "identity", token: "id" } },
    { name: "a token for the registry", entry: { registrytoken: "token" }, expected: { type: "bearer", token: "token" } },
    { name: "nothing: a helper has it", entry: {}, expected: undefined },
    { name: "no base64", entry: { auth: "m%:p" }, expected: undefined },
    { name: "no colon", entry: { auth: b64("me") }, expected: undefined },
    { name: "a line break, which would forge a header", entry: { registrytoken: "a\r\nhost: b" }, expected: undefined },
    { name: "a number", entry: 7, expected: undefined },
  ];
  for (const { name, entry, expected } of credentials) it(`gives ${name}`, () => expect(parseDockerConfig(JSON.stringify({ auths: { "r.example": entry } }))?.auths.get("r.example")).toEqual(expected));

  it("knows a server by its whole name, however that is written", () => {
    const { auths } = parseDockerConfig(JSON.stringify({ auths: { "https://R.example/v1/": { registrytoken: "a" }, "https://index.docker.io/v1/": { registrytoken: "hub" } } })) ?? { auths: new Map() };
    expect([...auths.keys()]).toEqual(["r.example", "index.docker.io"]);
    expect(auths.get(hostKey("r.example.evil.test"))).toBeUndefined();
    expect(auths.get(hostKey("docker.io"))).toEqual({ type: "bearer", token: "hub" });
  });

  for (const text of ["", "{", "[]", "null", '"x"', "7"]) it(`is none where the file holds \`${text}\``, () => expect(parseDockerConfig(text)).toBeUndefined());

  it("takes an identity token from a helper that says so", () => {
    expect(parseHelperAnswer('{"ServerURL":"x","Username":"<token>","Secret":"s"}')).toEqual({ type: "identity", token: "s" });
    expect(parseHelperAnswer('{"Username":"u","Secret":"s"}')).toEqual({ type: "basic", user: "u", password: "s" });
    for (const text of ["credentials not found", "{}", '{"Username":"u"}', "[]"]) expect(parseHelperAnswer(text)).toBeUndefined();
  });
});

describe("the host that is asked", () => {
  const settings = { credentials: [], pullSecrets: [], plainHttp: ["local.example:5000"], privateHosts: [], mirrors: { "docker.io": "mirror.example/hub" } };
  const cases = [
    { registry: "ghcr.io", origin: "https://ghcr.io", repository: "a/b" },
    { registry: "local.example:5000", origin: "http://local.example:5000", repository: "a/b" },
    { registry: "local.example:5001", origin: "https://local.example:5001", repository: "a/b" },
    { registry: "index.docker.io", origin: "https://mirror.example", repository: "hub/a/b" },
  ];
  for (const { registry, origin, repository } of cases) it(`for ${registry} is ${origin}`, () => expect(endpointOf(registry, "a/b", settings)).toMatchObject({ origin, repository }));

  it("is in a list by name on any port, or with one port", () => {
    const url = new URL("https://r.example:8443/");
    expect([["r.example"], ["R.example:8443"], ["r.example:443"], ["example"], ["evil-r.example"], []].map((list) => isListed(list, url))).toEqual([true, true, false, false, false, false]);
  });
});

describe("a manifest", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const layer = { mediaType: "a/b", digest, size: 1 };
  const parse = (document: unknown, type: string = TYPES.oci) => parseManifest(Buffer.from(typeof document === "string" ? document : JSON.stringify(document)), type, "`m`");
  const refused = [
    { name: "an index and an image at once", document: { mediaType: TYPES.oci, layers: [layer], manifests: [layer] }, words: "an index and a manifest at once" },
    { name: "another type than the registry says", document: { mediaType: TYPES.docker, layers: [layer] }, words: "and the registry says" },
    { name: "an index by its type and an image by its content", document: { mediaType: TYPES.index, layers: [layer] }, type: TYPES.index, words: "does not look like it" },
    { name: "an image by its type and an index by its content", document: { manifests: [layer] }, type: TYPES.oci, words: "does not look like it" },
    { name: "a digest of SHA-512", document: { mediaType: TYPES.oci, layers: [{ ...layer, digest: `sha512:${"0".repeat(128)}` }] }, words: "only SHA-256" },
    { name: "a digest in capitals", document: { mediaType: TYPES.oci, layers: [{ ...layer, digest: `sha256:${"A".repeat(64)}` }] }, words: "only SHA-256" },
    { name: "a short digest", document: { mediaType: TYPES.oci, layers: [{ ...layer, digest: "sha256:00" }] }, words: "only SHA-256" },
    { name: "a size below zero", document: { mediaType: TYPES.oci, layers: [{ ...layer, size: -1 }] }, words: "without a size" },
    { name: "layers that are no list", document: { mediaType: TYPES.oci, layers: "x" }, words: "no list" },
    { name: "schema 1", document: { schemaVersion: 1, fsLayers: [] }, type: "application/vnd.docker.distribution.manifest.v1+prettyjws", words: "none of an image" },
    { name: "layers twice, of which other readers take the others", document: `{"mediaType":"${TYPES.oci}","layers":[],"layers":[]}`, words: "names a field twice" },
    { name: "layers in another spelling, which Istio's agent takes for layers", document: { mediaType: TYPES.oci, layers: [layer], Layers: [{ ...layer, size: 2 }] }, words: "spells `layers` in another way too" },
    { name: "an index in another spelling", document: { mediaType: TYPES.oci, layers: [layer], MANIFESTS: [layer] }, words: "spells `manifests` in another way too" },
    { name: "a layer with another digest in another spelling", document: { mediaType: TYPES.oci, layers: [{ ...layer, Digest: `sha256:${"1".repeat(64)}` }] }, words: "spells `digest` in another way too" },
    { name: "a platform in another spelling", document: { mediaType: TYPES.index, manifests: [{ ...layer, platform: { os: "linux", architecture: "arm64", Architecture: "amd64" } }] }, type: TYPES.index, words: "spells `architecture` in another way too" },
    { name: "a web page", document: "<html>", type: "text/html", words: "a web page came" },
    { name: "no JSON", document: "{", words: "no JSON" },
    { name: "a list", document: [], words: "no JSON object" },
  ];
  for (const { name, document, type, words } of refused) it(`is refused that is ${name}`, () => expect(() => parse(document, type)).toThrow(words));

  it("may have annotations of any spelling", () => expect(parse({ mediaType: TYPES.oci, layers: [{ ...layer, annotations: { Digest: "a", layers: "b" } }] })).toMatchObject({ form: "manifest" }));

  it("without a type of its own is what the registry says", () => expect(parse({ layers: [layer] })).toMatchObject({ form: "manifest", mediaType: "" }));
});
