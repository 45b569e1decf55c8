import type { AgentProduct, FieldMask } from "#engine";
import { parseImage } from "#values";
import { fieldsIn, listIn, namedIn, textIn, type Fields } from "../fields.ts";

/** What a pod, or the template of a DaemonSet, is known as. */
export interface Known {
  readonly product: AgentProduct;
  /** The container that makes it what it is. */
  readonly container: string;
  /** As the pod asks for it. */
  readonly image: string;
  readonly mode?: string | undefined;
}

interface Sign {
  readonly product: AgentProduct;
  /** The name of a container. Left out: any. */
  readonly container?: string;
  /** The last part of an image's repository, as mirrors keep it. */
  readonly image: string;
}

/** Containers as the charts of these projects, and the clouds that manage them, call them. */
const SIGNS: readonly Sign[] = [
  { product: "cilium", container: "cilium-agent", image: "cilium" },
  { product: "kmesh", image: "kmesh" },
  { product: "merbridge", image: "merbridge" },
  { product: "bpfman", container: "bpfman", image: "bpfman" },
  { product: "istio-cni", container: "install-cni", image: "install-cni" },
  { product: "ztunnel", container: "istio-proxy", image: "ztunnel" },
  { product: "aws-network-policy", container: "aws-eks-nodeagent", image: "aws-network-policy-agent" },
  { product: "nfd", image: "node-feature-discovery" },
];

const DEVICE_PLUGINS = "/var/lib/kubelet/device-plugins";

/** All of a pod's spec that {@link productOf} looks at. */
export const productFields: FieldMask = {
  containers: { name: true, image: true, command: true, args: true, env: { name: true, value: true } },
  volumes: { hostPath: { path: true } },
};

/** Which of the known programs a pod is, by its containers. Undefined for every other pod. */
export function productOf(spec: Fields): Known | undefined {
  const containers = listIn(spec, "containers");
  for (const sign of SIGNS) {
    const found = containers.find((container) => isOf(container, sign));
    if (found === undefined) continue;
    const mode = modeOf(sign.product, found);
    return { product: sign.product, container: textIn(found, "name", 63) ?? "", image: textIn(found, "image", 512) ?? "", ...(mode === undefined ? {} : { mode }) };
  }
  const first = containers[0];
  const isPlugin = listIn(spec, "volumes").some((volume) => textIn(fieldsIn(volume, "hostPath"), "path")?.replace(/\/+$/, "") === DEVICE_PLUGINS);
  return isPlugin && first !== undefined ? { product: "device-plugin", container: textIn(first, "name", 63) ?? "", image: textIn(first, "image", 512) ?? "" } : undefined;
}

/** One of two signs is enough for Cilium, bpfman and Istio: mirrors rename images, forks rename containers. */
function isOf(container: unknown, { product, container: name, image }: Sign): boolean {
  const last = parseImage(textIn(container, "image", 512) ?? "")?.repository.split("/").at(-1);
  if (product === "nfd") return last === image && commandOf(container).some((word) => word.includes("nfd-worker"));
  if (product === "ztunnel") return textIn(container, "name") === name && (last === image || commandOf(container).includes("ztunnel"));
  return last === image || (name !== undefined && name !== "istio-proxy" && textIn(container, "name") === name && product !== "bpfman");
}

function commandOf(container: unknown): readonly string[] {
  return [...listIn(container, "command"), ...listIn(container, "args")].filter((word) => typeof word === "string");
}

function modeOf(product: AgentProduct, container: unknown): string | undefined {
  if (product === "istio-cni") return isSet(container, "EBPF_ENABLED") ? "ambient-ebpf" : isSet(container, "AMBIENT_ENABLED") ? "ambient" : undefined;
  if (product !== "kmesh") return undefined;
  const words = commandOf(container).flatMap((word) => word.split(/\s+/));
  return words.map((word) => /^--mode=([a-z-]{1,32})$/.exec(word)?.[1]).find((mode) => mode !== undefined);
}

/** Istio's chart: `redirectMode: ebpf` becomes `EBPF_ENABLED` (1.18 to 1.20); from 1.23 on what is set stands in a ConfigMap of its own. */
function isSet(container: unknown, name: string): boolean {
  return textIn(namedIn(container, "env", name), "value") === "true";
}
