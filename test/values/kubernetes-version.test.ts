import { describe, expect, it } from "vitest";
import { compareKubernetesVersions, parseKubernetesVersion } from "#values";

describe("a version of Kubernetes", () => {
  it.each([
    ["1.33", { major: 1, minor: 33 }],
    ["v1.33.4-eks-113cf36", { major: 1, minor: 33, patch: 4, build: "eks-113cf36" }],
    ["1.33.5-gke.1162000", { major: 1, minor: 33, patch: 5, build: "gke.1162000" }],
    ["v1.33.3+k3s1", { major: 1, minor: 33, patch: 3, build: "k3s1" }],
    ["1.33.x", undefined],
    ["latest", undefined],
    ["", undefined],
    ["1", undefined],
    ["01.33", undefined],
    ["1.33.4 ", undefined],
    [`1.33.4-${"x".repeat(200)}`, undefined],
  ])("is read from `%s`", (text, version) => {
    expect(parseKubernetesVersion(text)).toEqual(version);
  });

  it.each([
    ["1.33.9", "1.33.10", -1],
    ["1.33", "1.33.9", 0],
    ["1.34", "1.33.9", 1],
    ["2.0", "1.99", 1],
    ["1.33.5-gke.900", "1.33.5-gke.1000", -1],
    ["1.33.4-eks-zzz", "1.33.4-eks-aaa", 0],
  ])("%s against %s", (left, right, order) => {
    const [one, other] = [parseKubernetesVersion(left), parseKubernetesVersion(right)];
    expect(one && other && Math.sign(compareKubernetesVersions(one, other))).toBe(order);
  });
});
