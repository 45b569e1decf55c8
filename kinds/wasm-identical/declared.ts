import { byText, fault, type Finding } from "#engine";
import type { Module, Row } from "./rows.ts";
import type { Spec } from "./spec.ts";
import { citeRow, clustersText, short } from "./words.ts";

interface Complaint {
  /** Stable: what is wrong, without digests that change. */
  readonly cause: string;
  readonly what: string;
  readonly remedy: string;
}

/** What is wrong with a module by itself, wherever it is: a declaration that Istio cannot follow, or one that may change behind everybody's back. */
export function* faultsOfRows({ name, rows }: Module, { pinned }: Spec): Iterable<Finding> {
  const complaints = rows.flatMap((row) => [pinFault(row), formFault(row), runtimeFault(row), ...(pinned ? [unpinned(row)] : [])].flatMap((complaint) => (complaint === undefined ? [] : [{ row, complaint }])));
  const groups = Map.groupBy(complaints, ({ complaint }) => `${complaint.cause}\0${complaint.what}`);
  for (const [, group] of [...groups].toSorted(([a], [b]) => byText(a, b))) {
    const [first] = group;
    if (first === undefined) continue;
    const clusters = group.map(({ row }) => row.cluster);
    yield fault({
      subject: name,
      cause: `${first.complaint.cause} ${clusters.join(" ")}`,
      message: `\`${name}\` in ${clustersText(clusters)} ${first.complaint.what}`,
      remedy: first.complaint.remedy,
      evidence: group.map(({ row }) => citeRow(row)),
    });
  }
}

/** The agent compares the digest in the declaration with that of the manifest for the platform, or with the bytes of a module that came by HTTP. Istio: pkg/wasm/cache.go. */
function pinFault({ fact: { data: { code } }, image }: Row): Complaint | undefined {
  if (code.source === "oci") {
    const { topDigest, manifestDigest } = image?.data ?? {};
    const named = code.reference.split("@")[1];
    const pin = code.sha256 === undefined ? named : `sha256:${code.sha256}`;
    if (pin === undefined || manifestDigest === undefined || pin === manifestDigest) return undefined;
    if (pin === topDigest) return { cause: "pinned to an index", what: `is pinned to ${short(pin)}, the digest of an index: Istio's agent compares it with that of the image, ${short(manifestDigest)}, and loads nothing`, remedy: `pin it to ${manifestDigest}` };
    return { cause: "another pin", what: `is pinned to ${short(pin)}, and its reference names ${short(manifestDigest)}: the tag was moved, and Istio's agent loads nothing`, remedy: "name the image by the digest that is meant, or correct `sha256`" };
  }
  if (code.source === "http" && code.sha256 !== undefined && image?.data.module !== undefined && image.data.module.wasmSha256 !== code.sha256) {
    const wrapped = code.by === "envoy" && image.data.wrapping !== undefined;
    if (wrapped) return undefined;
    return { cause: "another pin", what: `is pinned to ${short(code.sha256)}, and its address gives ${short(image.data.module.wasmSha256)}: nothing is loaded`, remedy: "publish the module that is meant, or correct `sha256`" };
  }
  return undefined;
}

function formFault({ fact: { data: { code } }, image }: Row): Complaint | undefined {
  const { layout, wrapping } = image?.data ?? {};
  if (code.source === "oci" && (layout === "cncf" || layout === "cosign")) {
    return { cause: "form of the image", what: `is an image in the form of ${layout === "cncf" ? "the CNCF's artifacts" : "`cosign upload wasm`"}, which Istio's agent does not load`, remedy: "push it as one layer of type `application/vnd.oci.image.layer.v1.tar+gzip` that holds `plugin.wasm`" };
  }
  if (code.source === "http" && code.by === "envoy" && wrapping !== undefined) {
    return { cause: "wrapped", what: `is packed with ${wrapping.join(" and ")}, which Envoy does not unpack when it fetches by itself`, remedy: "publish the module as it is" };
  }
  // config.core.v3.RemoteDataSource: `sha256` has at least one character.
  if (code.source === "http" && code.by === "envoy" && code.sha256 === undefined) {
    return { cause: "no pin", what: "is fetched by Envoy itself and names no `sha256`, and Envoy refuses such a configuration", remedy: "write the digest of the module into `sha256`, or declare it in a WasmPlugin" };
  }
  return undefined;
}

function runtimeFault({ image }: Row): Complaint | undefined {
  const module = image?.data.module;
  if (module === undefined) return undefined;
  if (module.model === "component") return { cause: "component", what: "is a component, and Envoy loads plain modules only", remedy: "build it as a module for proxy-wasm" };
  if (module.abi === undefined) return { cause: "no interface", what: "exports no version of proxy-wasm that Envoy knows (0.1.0, 0.2.0, 0.2.1), so Envoy does not load it", remedy: "build it with an SDK for proxy-wasm" };
  return undefined;
}

function unpinned({ fact: { data: { code } } }: Row): Complaint | undefined {
  if ((code.source !== "oci" && code.source !== "http") || code.sha256 !== undefined || code.reference.includes("@sha256:")) return undefined;
  const by = code.source === "oci" ? "a tag" : "an address";
  return { cause: "not pinned", what: `is named by ${by} alone (\`${code.reference}\`), which may stand for other bytes tomorrow`, remedy: code.source === "oci" ? "write the digest of the image behind it: `@sha256:…`" : "write the digest of the module into `sha256`" };
}
