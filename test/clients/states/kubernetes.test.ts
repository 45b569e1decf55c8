import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CollectError, type KubeObject, type KubernetesApi } from "#engine";
import { FakeCluster } from "../../support/kubernetes.ts";
import { CANARY, read, STATE, textOf, told } from "./support.ts";

const LARGE = JSON.stringify({ version: 4, noise: randomBytes(3000).toString("hex"), canary: CANARY });

/** The packed state in pieces of so many bytes, as Secrets that Terraform would write. */
function secrets(text: string, piece: number): KubeObject[] {
  const packed = gzipSync(text);
  return Array.from({ length: Math.ceil(packed.length / piece) }, (_, index) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "tf", name: `tfstate-default-mesh${index === 0 ? "" : `-part-${index}`}`, managedFields: [{ time: `2026-11-0${index + 1}T00:00:00Z` }, { manager: "none" }] },
    data: { tfstate: packed.subarray(index * piece, (index + 1) * piece).toString("base64") },
  }));
}

const lease = (spec: object): KubeObject => ({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace: "tf", name: "lock-tfstate-default-mesh" }, spec });

/** A cluster that holds them; `lacking` names what may not be read. */
function holding(objects: readonly KubeObject[], lacking: readonly string[] = []): () => Promise<KubernetesApi> {
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);
  const fake = new FakeCluster({ lists: { secrets: ofKind("Secret"), leases: ofKind("Lease") } });
  return async () => {
    const api = await fake.kubernetes();
    return {
      ...api,
      get: (resource, namespace, name) => {
        if (lacking.includes(name)) return Promise.reject(new CollectError(`the user may not get \`${resource.plural}\``, { remedy: "add the rule" }));
        return api.get(resource, namespace, name);
      },
    };
  };
}

const place = { form: "kubernetes" as const, settings: { secret_suffix: "mesh", namespace: "tf" } };

describe("a state in Secrets", () => {
  it("is unpacked, with the time of the last write and its lock", async () => {
    const state = await read(place, { kubernetes: holding([...secrets(STATE, 10_000), lease({ holderIdentity: "x" })]) });
    expect(textOf(state)).toBe(STATE);
    expect(state).toMatchObject({ locator: "/api/v1/namespaces/tf/secrets/tfstate-default-mesh", modified: "2026-11-01T00:00:00.000Z", locked: true });
    expect(await read(place, { kubernetes: holding([...secrets(STATE, 10_000), lease({})]) })).toMatchObject({ locked: false });
  });

  it("is put together from its parts in order of their numbers", async () => {
    const parts = secrets(LARGE, 250);
    expect(parts.length).toBeGreaterThan(10);
    expect(textOf(await read(place, { kubernetes: holding(parts.toReversed()) }))).toBe(LARGE);
  });

  it("needs one name in a role where one Secret is all; a part that is refused is told", async () => {
    expect(textOf(await read(place, { kubernetes: holding(secrets(STATE, 10_000), ["tfstate-default-mesh-part-1", "lock-tfstate-default-mesh"]) }))).toBe(STATE);
    expect(await told(read(place, { kubernetes: holding(secrets(LARGE, 1000), ["tfstate-default-mesh-part-1"]) }))).toBe("the user may not get `secrets` | add the rule");
  });

  it("is not used where a part is missing or broken, or where it unpacks to too much", async () => {
    const parts = secrets(LARGE, 1000);
    expect(await told(read(place, { kubernetes: holding(parts.slice(0, -1)) }))).toMatch(/^the state in the Secret `tf\/tfstate-default-mesh` cannot be unpacked \| run again/);
    expect(await told(read(place, { kubernetes: holding([{ ...parts[0], data: { tfstate: CANARY } }]) }))).toMatch(/cannot be unpacked/);
    expect(await told(read(place, { kubernetes: holding(secrets("x".repeat(10_000), 10_000)) }, { stateBytes: 9000 }))).toMatch(/is larger than the limit/);
  });

  it("that is not there is a gap; a Secret without data says that nothing was written yet", async () => {
    expect(await told(read(place, { kubernetes: holding([]) }))).toMatch(/^there is no state at `tf\/tfstate-default-mesh`/);
    expect((await read(place, { kubernetes: holding([{ ...secrets("", 100)[0], data: {} }]) })).bytes).toHaveLength(0);
  });

  it("of a cluster that cannot be read is told in the words of that cluster", async () => {
    expect(await told(read(place))).toBe("the fleet names no Kubernetes API | add `kubernetes:`");
  });
});
