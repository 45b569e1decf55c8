import type { DeclaredSize } from "#engine";
import { archOfGke } from "../machines.ts";
import { block, blocks, flag, number, text, texts, type Picked } from "../picked.ts";
import type { Resource } from "../state.ts";
import { at, defined, found, lacks, taintText, type Owner, type Thing, type Unread } from "../things.ts";

/** What the resources of GKE and its fleets declare. */
export function gkeThings(resource: Resource): readonly (Thing | Unread)[] {
  switch (resource.type) {
    case "google_container_cluster":
      return clusterOf(resource);
    case "google_container_node_pool":
      return [poolOf(resource)];
    default:
      return [];
  }
}

function clusterOf(resource: Resource): readonly (Thing | Unread)[] {
  const { attributes, mode } = resource;
  const name = text(attributes, "name");
  const place = placeOf(attributes);
  if (name === undefined || place === undefined) return [lacks(resource, "cluster", name === undefined ? "name" : "location")];
  const account = text(attributes, "project") ?? projectIn(text(attributes, "id"));
  const id = `projects/${account ?? "-"}/locations/${place}/clusters/${name}`;
  const zones = zonesOf(attributes, place);
  const owner = { id, name };
  const ownEnds = block(attributes, "private_cluster_config");
  const autopilot = flag(attributes, "enable_autopilot");
  const pools = autopilot ? [] : blocks(attributes, "node_pool").flatMap((pool) => (text(pool, "name") === undefined ? [] : [seenPool(resource, pool, owner, zones)]));
  return [
    {
      of: "cluster",
      owner,
      data: defined({
        what: "cluster",
        ...at(resource),
        id,
        name,
        cloud: "gcp",
        flavour: autopilot ? "gke-autopilot" : "gke",
        region: regionOf(place),
        account,
        mode,
        version: text(attributes, "master_version"),
        channel: text(block(attributes, "release_channel"), "channel")?.toLowerCase(),
        hostsSha256: found(text(attributes, "endpoint"), text(ownEnds, "private_endpoint"), text(ownEnds, "public_endpoint"), text(block(attributes, "control_plane_endpoints_config", "dns_endpoint_config"), "endpoint")),
        caSha256: text(block(attributes, "master_auth"), "cluster_ca_certificate"),
      }),
    },
    ...pools,
  ];
}

/** A region or a zone; providers before 3.0 kept these in two attributes. */
function placeOf(attributes: Picked): string | undefined {
  return text(attributes, "location") ?? text(attributes, "region") ?? text(attributes, "zone");
}

function projectIn(path: string | undefined): string | undefined {
  return /(?:^|\/)projects\/([^/]+)\//.exec(path ?? "")?.[1];
}

/** `europe-west1-b` lies in `europe-west1`. */
function regionOf(place: string): string {
  return place.replace(/-[a-z]$/, "");
}

/** How many zones hold nodes; undefined where only the default of a region tells, which nobody wrote down. */
function zonesOf(attributes: Picked, place: string): number | undefined {
  const more = texts(attributes, "node_locations") ?? [];
  if (regionOf(place) !== place) return new Set([place, ...more]).size;
  return more.length > 0 ? new Set(more).size : undefined;
}

function seenPool(resource: Resource, pool: Picked, owner: Owner, zones: number | undefined): Thing {
  return { of: "pool", owner, mode: resource.mode, data: { ...poolData(resource, pool, zones), origin: "seen" } };
}

function poolOf(resource: Resource): Thing | Unread {
  const { attributes, mode } = resource;
  const path = text(attributes, "cluster");
  if (text(attributes, "name") === undefined || path === undefined) return lacks(resource, "pool", path === undefined ? "cluster" : "name");
  const place = placeOf(attributes);
  const account = text(attributes, "project") ?? projectIn(path);
  const owner = defined({ name: path.split("/").at(-1) ?? path, region: place === undefined ? undefined : regionOf(place), account });
  return { of: "pool", owner, mode, data: { ...poolData(resource, attributes, zonesIn(attributes)), origin: "declared" } };
}

/** Of a pool its own list of zones counts, which the provider fills in. */
function zonesIn(pool: Picked): number | undefined {
  const zones = texts(pool, "node_locations") ?? [];
  return zones.length > 0 ? new Set(zones).size : undefined;
}

function poolData(resource: Resource, pool: Picked, zones: number | undefined) {
  const config = block(pool, "node_config");
  const machine = text(config, "machine_type");
  const arch = archOfGke(machine);
  return defined({
    what: "pool" as const,
    ...at(resource),
    name: text(pool, "name") ?? "",
    arch,
    instanceTypes: machine === undefined ? [] : [machine],
    version: text(pool, "version"),
    taints: taintsOf(config, arch),
    size: sizeOf(pool, zonesIn(pool) ?? zones),
  });
}

/**
 * GKE adds taints of its own; the effective ones have them already. Of those that older providers do not show, the one of Arm processors is known;
 * which ones accelerators, sandboxes and Windows bring depends on the release.
 */
function taintsOf(config: Picked, arch: string | undefined): readonly string[] | undefined {
  if (Object.keys(config).length === 0) return undefined;
  const effective = blocks(config, "effective_taints");
  if (effective.length === 0 && bringsTaints(config)) return undefined;
  const own = (effective.length > 0 ? effective : blocks(config, "taint")).map((taint) => taintText(text(taint, "key") ?? "", text(taint, "value"), text(taint, "effect") ?? ""));
  return [...new Set([...own, ...(arch === "arm64" ? [taintText("kubernetes.io/arch", "arm64", "NoSchedule")] : [])])].toSorted();
}

function bringsTaints(config: Picked): boolean {
  return blocks(config, "guest_accelerator").length > 0 || blocks(config, "sandbox_config").length > 0 || text(config, "image_type")?.toUpperCase().startsWith("WINDOWS") === true || text(config, "machine_type")?.startsWith("ct") === true;
}

/** Counts are per zone, but for the totals. */
function sizeOf(pool: Picked, zones: number | undefined): DeclaredSize | undefined {
  const scaling = block(pool, "autoscaling");
  const total = number(scaling, "total_max_node_count") ?? 0;
  if (total > 0) return { min: number(scaling, "total_min_node_count") ?? 0, max: total };
  const most = number(scaling, "max_node_count") ?? 0;
  const count = number(pool, "node_count");
  if (zones === undefined) return undefined;
  if (most > 0) return { min: (number(scaling, "min_node_count") ?? 0) * zones, max: most * zones };
  return count === undefined ? undefined : { min: count * zones, max: count * zones };
}
