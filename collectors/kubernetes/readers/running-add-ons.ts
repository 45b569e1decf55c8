import { byText, type FieldMask, type KubeObject, type Source } from "#engine";
import { parseImage } from "#values";
import { fieldsIn, listIn, textIn } from "../fields.ts";

/** Where EKS runs its add-ons. */
export const ADDONS_NAMESPACE = "kube-system";

/** The image by which each is told, without its registry: AWS keeps them in one of each region. */
const IMAGES: ReadonlyMap<string, string> = new Map([
  ["amazon-k8s-cni", "vpc-cni"],
  ["eks/coredns", "coredns"],
  ["eks/kube-proxy", "kube-proxy"],
  ["eks/aws-ebs-csi-driver", "aws-ebs-csi-driver"],
  ["ebs-csi-driver/aws-ebs-csi-driver", "aws-ebs-csi-driver"],
  ["eks/aws-efs-csi-driver", "aws-efs-csi-driver"],
  ["eks/metrics-server", "metrics-server"],
]);

/** An add-on that runs. */
export interface Addon {
  readonly name: string;
  readonly image: string;
  readonly source: Omit<Source, "collector">;
}

/** All that {@link Addons} looks at. */
export const addonFields: FieldMask = { metadata: { namespace: true, deletionTimestamp: true }, spec: { containers: { image: true } }, status: { phase: true } };

/** Gathers the add-ons among the pods of a cluster, one by one; memory grows with their images. */
export class Addons {
  readonly #found = new Map<string, Addon>();

  /** Forgets all, for a list that starts again. */
  clear(): void {
    this.#found.clear();
  }

  add(pod: KubeObject, source: () => Addon["source"]): void {
    const metadata = fieldsIn(pod, "metadata");
    const phase = textIn(fieldsIn(pod, "status"), "phase");
    if (textIn(metadata, "namespace") !== ADDONS_NAMESPACE || metadata["deletionTimestamp"] !== undefined || phase === "Succeeded" || phase === "Failed") return;
    for (const container of listIn(fieldsIn(pod, "spec"), "containers")) {
      const image = textIn(container, "image", 512);
      const name = image === undefined ? undefined : IMAGES.get(parseImage(image)?.repository ?? "");
      if (image === undefined || name === undefined) continue;
      const key = `${name} ${image}`;
      const known = this.#found.get(key);
      const here = source();
      if (known === undefined || here.locator < known.source.locator) this.#found.set(key, { name, image, source: here });
    }
  }

  sorted(): readonly Addon[] {
    return [...this.#found].toSorted(([a], [b]) => byText(a, b)).map(([, addon]) => addon);
  }
}
