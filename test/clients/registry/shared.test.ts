import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RegistryApi, SignatureVerifier } from "#engine";
import { sigstore } from "../../../clients/signatures/sigstore.ts";
import { makeVerifier } from "../../../clients/signatures/verifier.ts";
import { descriptor, imageOf, indexOf, layouts, TYPES } from "../../support/images.ts";
import { wasmModule } from "../../support/wasm.ts";
import { bundleBy, fileOf, pair } from "../signatures/material.ts";
import { FaultServer, reaching } from "./server.ts";

const key = pair();
const names = Array.from({ length: 60 }, (_, index) => `wasm/m${index}`);
let server: FaultServer;

beforeAll(async () => {
  server = await FaultServer.open();
  for (const [index, name] of names.entries()) {
    const image = layouts.oci(wasmModule({ padding: index + 1 }));
    const bundle = imageOf([{ type: TYPES.bundle, bytes: Buffer.from(bundleBy(key, image.digest).bytes) }], { artifactType: TYPES.bundle, subject: descriptor(image.type, image.bytes) });
    server.put(name, "v1", image).put(name, image.digest.replace(":", "-"), indexOf([[bundle]]));
  }
});
afterAll(() => server.close());

async function look(registry: RegistryApi, verifier: SignatureVerifier): Promise<readonly string[]> {
  return Promise.all(names.map(async (name) => {
    const { reference, manifestDigest = "", topDigest = "" } = await registry.module(`oci://${server.host}/${name}:v1`);
    return (await verifier.verify(await registry.signatures({ reference, manifestDigest, topDigest }), { keys: [fileOf("release.pub", key.pem)] })).verdict;
  }));
}

describe("modules that three clusters share", () => {
  it("are asked for once, and their signatures are verified once", async () => {
    const libraries = await sigstore();
    let verified = 0;
    const counted = { ...libraries.bundle, bundleFromJSON: (document: unknown) => ((verified += 1), libraries.bundle.bundleFromJSON(document)) };
    const verifier = makeVerifier({ ...libraries, bundle: counted });
    const registries = reaching([server.host], { limits: { answerMs: 20_000, requestMs: 20_000 } });
    const verdicts = await Promise.all([1, 2, 3].map(() => look(registries.visit(), verifier)));
    expect(new Set(verdicts.flat())).toEqual(new Set(["valid"]));
    expect(verified).toBe(names.length);
    expect(server.asked.length).toBe(new Set(server.asked).size);
  });
});
