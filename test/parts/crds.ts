import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import pLimit from "p-limit";
import { pathOf, type Api, type Manifest } from "./api.ts";
import { until } from "./process.ts";

const run = promisify(execFile);

/** Where the mesh's resource definitions are published: Go modules, read from the module cache and never copied here. */
export const CRD_MODULES = [
  { module: "istio.io/api@v1.32.0", folder: "kubernetes", file: "customresourcedefinitions.gen.yaml" },
  { module: "sigs.k8s.io/gateway-api@v1.6.0", folder: "config/crd/standard" },
] as const;

/** Definitions of what makes nodes what they are, for the tests of hardware profiles alone. */
export const HARDWARE_MODULES = [
  { module: "sigs.k8s.io/node-feature-discovery@v0.18.3", folder: "deployment/base/nfd-crds", file: "nfd-api-crds.yaml" },
  { module: "github.com/bpfman/bpfman-operator@v0.6.0", folder: "config/crd/bases" },
  { module: "github.com/cilium/cilium@v1.18.4", folder: "pkg/k8s/apis/cilium.io/client/crds/v2" },
] as const;

/** Definitions of reports, for the test of those alone. */
export const REPORT_MODULES = [{ module: "github.com/openreports/reports-api@v0.2.1", folder: "config/crd" }] as const;

type Sources = typeof CRD_MODULES | typeof HARDWARE_MODULES | typeof REPORT_MODULES;

/** Puts the modules of the definitions into Go's module cache, where they are not there already. */
export async function fetchCrds(): Promise<void> {
  await Promise.all([...CRD_MODULES, ...HARDWARE_MODULES, ...REPORT_MODULES].map(({ module }) => folderOf(module)));
}

/** Why the definitions cannot be read without a download; undefined when they can. */
export async function crdsMissing(sources: Sources = CRD_MODULES): Promise<string | undefined> {
  try {
    await Promise.all(sources.map(({ module }) => folderOf(module, OFFLINE)));
    return undefined;
  } catch {
    return `${sources.map(({ module }) => module).join(" and ")} are not in Go's module cache`;
  }
}

/** The definitions of Istio and of Gateway API's standard channel, or others, from Go's module cache. */
export async function readCrds(sources: Sources = CRD_MODULES): Promise<readonly Manifest[]> {
  const found = await Promise.all(sources.map(async (source) => {
    const folder = path.join(await folderOf(source.module, OFFLINE), source.folder);
    const files = "file" in source ? [source.file] : (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
    const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
    return texts.flatMap((text) => loadAll(text) as readonly (Manifest | undefined)[]);
  }));
  return found.flat().filter((object) => object?.kind === "CustomResourceDefinition") as readonly Manifest[];
}

const OFFLINE = { GOPROXY: "off", GOSUMDB: "off" } as const;

async function folderOf(module: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  // Outside of any module, so that no go.mod of ours has a say in the version.
  const { stdout } = await run("go", ["mod", "download", "-json", module], { cwd: tmpdir(), env: { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off", ...env } });
  const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
  return Dir;
}

/** Posts definitions and waits until every resource of theirs is served, about a second after `Established`. */
export async function postCrds(api: Api, crds: readonly Manifest[]): Promise<void> {
  const atOnce = pLimit(8);
  await Promise.all(crds.map((crd) => atOnce(() => api.must("POST", pathOf(crd, { named: false }), crd))));
  for (const crd of crds) {
    const { group, names, versions } = crd["spec"] as CrdSpec;
    const served = versions.filter((version) => version.served);
    await until(`${crd.metadata.name} is served`, async () => {
      const answers = await Promise.all(served.map(({ name }) => api.ask("GET", `/apis/${group}/${name}/${names.plural}?limit=1`)));
      return answers.every(({ status }) => status === 200);
    });
  }
}

interface CrdSpec {
  readonly group: string;
  readonly names: { readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}
