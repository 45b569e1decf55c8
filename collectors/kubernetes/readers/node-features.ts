import { KERNEL_MODULES, KERNEL_OPTIONS, type Cluster, type Fact, type Gap, type Io, type KubeObject, type NodeFeatureFact } from "#engine";
import { fieldsIn, listIn, textIn, textsIn, type Fields } from "../fields.ts";
import { nodeFeatures } from "../resources.ts";
import { elsewhereGap, listAll, unseenGap } from "./lists.ts";

/** One fact for each `NodeFeature` object, cut down to what profiles ask for. A cluster without NFD has none. */
export async function* readNodeFeatures(cluster: Cluster, io: Io): AsyncIterable<Fact<"node-features"> | Gap> {
  const api = await io.kubernetes();
  const blind = await unseenGap(api, cluster, "node-features", nodeFeatures);
  if (blind !== undefined) return yield blind;
  yield* elsewhereGap(api, cluster, "node-features", "`NodeFeature` objects");
  for (const { item, source } of await listAll(nodeFeatures, api, io)) {
    const metadata = fieldsIn(item, "metadata");
    const data = featureOf(item);
    const subject = `${textIn(metadata, "namespace") ?? "default"}/${textIn(metadata, "name") ?? ""}`;
    if (data !== undefined) yield { type: "fact", kind: "node-features", cluster: cluster.name, subject, data, source: { collector: "kubernetes", ...source } };
  }
}

const NODE = "nfd.node.kubernetes.io/node-name";
const PREFIX = "feature.node.kubernetes.io/";

function featureOf(item: KubeObject): NodeFeatureFact | undefined {
  const node = textsIn(fieldsIn(item, "metadata"), "labels")[NODE];
  if (node === undefined) return undefined;
  const spec = fieldsIn(item, "spec");
  const features = fieldsIn(spec, "features");
  const attributes = fieldsIn(features, "attributes");
  const kernel = textIn(elements(attributes, "kernel.version"), "full", 256);
  const config = elements(attributes, "kernel.config");
  const modules = elements(fieldsIn(features, "flags"), "kernel.loadedmodule");
  const pci = fieldsIn(fieldsIn(features, "instances"), "pci.device");
  return {
    node,
    labels: Object.fromEntries(Object.entries(textsIn(spec, "labels")).map(([key, value]) => [key.includes("/") ? key : `${PREFIX}${key}`, value])),
    ...(kernel === undefined ? {} : { kernel }),
    ...(config === undefined ? {} : { kernelConfig: Object.fromEntries(KERNEL_OPTIONS.flatMap((option) => optionIn(config, option))) }),
    ...(modules === undefined ? {} : { modules: KERNEL_MODULES.filter((name) => Object.hasOwn(modules, name)) }),
    ...(pci["elements"] === undefined ? {} : { pci: [...new Set(listIn(pci, "elements").flatMap(deviceOf))].toSorted() }),
  };
}

function elements(features: Fields, name: string): Fields | undefined {
  const feature = fieldsIn(features, name);
  return feature["elements"] === undefined ? undefined : fieldsIn(feature, "elements");
}

function optionIn(config: Fields, option: string): readonly (readonly [string, string])[] {
  const value = textIn(config, option, 64);
  return value === undefined ? [] : [[option, value]];
}

function deviceOf(element: unknown): readonly string[] {
  const attributes = fieldsIn(element, "attributes");
  const [kind, vendor] = [textIn(attributes, "class", 4), textIn(attributes, "vendor", 4)];
  // of Xilinx every device, for a design may present another class; the others make more than accelerators
  return kind !== undefined && vendor !== undefined && (kind.startsWith("12") || vendor === "10ee") ? [`${kind}_${vendor}`] : [];
}
