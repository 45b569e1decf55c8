import { describe, expect, it } from "vitest";
import { imageDigest, parseImage } from "#values";

const digest = `sha256:${"ab".repeat(32)}`;

const references: readonly (readonly [text: string, parts: object | undefined])[] = [
  ["istio/proxyv2:1.29.2", { registry: "docker.io", repository: "istio/proxyv2", tag: "1.29.2" }],
  ["docker.io/istio/proxyv2:1.29.2", { registry: "docker.io", repository: "istio/proxyv2", tag: "1.29.2" }],
  ["busybox", { registry: "docker.io", repository: "library/busybox" }],
  ["localhost/proxyv2", { registry: "localhost", repository: "proxyv2" }],
  ["registry.example:5000/mesh/proxyv2:1.29.2", { registry: "registry.example:5000", repository: "mesh/proxyv2", tag: "1.29.2" }],
  ["registry.example:5000/mesh/proxyv2", { registry: "registry.example:5000", repository: "mesh/proxyv2" }],
  [`gke.gcr.io/asm/proxyv2@${digest}`, { registry: "gke.gcr.io", repository: "asm/proxyv2", digest }],
  [`gke.gcr.io/asm/proxyv2:1.28.5-asm.9@${digest}`, { registry: "gke.gcr.io", repository: "asm/proxyv2", tag: "1.28.5-asm.9", digest }],
  ["[::1]:5000/proxyv2:1.29.2", { registry: "[::1]:5000", repository: "proxyv2", tag: "1.29.2" }],
  ["auto", { registry: "docker.io", repository: "library/auto" }],
  [digest, undefined],
  ["", undefined],
  ["istio/proxyv2:", undefined],
  ["istio//proxyv2", undefined],
  ["Istio/proxyv2:1", undefined],
  ["istio/proxyv2@sha256:12", undefined],
  ["a@b@c", undefined],
];

describe("an image reference", () => {
  for (const [text, parts] of references) {
    it(`\`${text.slice(0, 60)}\` ${parts === undefined ? "is none" : "is taken apart as container runtimes do"}`, () => {
      expect(parseImage(text)).toEqual(parts);
    });
  }
});

const ids: readonly (readonly [text: string, digest: string | undefined])[] = [
  [`docker.io/istio/proxyv2@${digest}`, digest],
  [`docker-pullable://istio/proxyv2@${digest}`, digest],
  [digest, digest],
  ["docker.io/istio/proxyv2:1.29.2", undefined],
  ["", undefined],
  [digest.toUpperCase(), undefined],
];

describe("the digest a kubelet reports", () => {
  for (const [text, found] of ids) {
    it(`of ${JSON.stringify(text.slice(0, 40))} is ${found === undefined ? "none" : "its last part"}`, () => {
      expect(imageDigest(text)).toBe(found);
    });
  }
});
