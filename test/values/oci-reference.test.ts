import { describe, expect, it } from "vitest";
import { isOfRepository, workloadReference } from "#values";

describe("images of a repository", () => {
  const D = `sha256:${"a".repeat(64)}`;
  const rows: readonly (readonly [image: string, repository: string, is: boolean])[] = [
    ["registry.example/edge/signer:1", "registry.example/edge/signer", true],
    [`oci://registry.example/edge/signer@${D}`, "registry.example/edge/signer", true],
    ["signer:1", "docker.io/library/signer", true],
    ["docker.io/acme/signer", "acme/signer", true],
    ["registry.example:5000/signer:1", "registry.example/signer", false],
    ["registry.example/edge/signer-2:1", "registry.example/edge/signer", false],
    ["no image at all", "registry.example/edge/signer", false],
  ];
  it.each(rows)("%s of %s: %s", (image, repository, is) => {
    expect(isOfRepository(image, repository)).toBe(is);
    expect(workloadReference(image, D, repository) !== undefined).toBe(is);
    expect(workloadReference(image, undefined, repository)).toBeUndefined();
  });

  it("are named by what the kubelet reports, not by their tag", () => expect(workloadReference("registry.example/edge/signer:1", D, "registry.example/edge/signer")).toBe(`oci://registry.example/edge/signer@${D}`));
});
