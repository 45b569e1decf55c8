import { block, blocks, text, type Picked } from "./picked.ts";
import type { Resource } from "./state.ts";
import { at, defined, type Thing } from "./things.ts";

/** What is declared of Google's fleets in some states together: a membership, its own settings and those of its fleet may each stand in another one. */
export interface Fleets {
  /** Meshes that Google manages, for each state those that it decides. */
  readonly meshes: readonly (readonly Thing[])[];
  /** Paths of the clusters of which it is told whether they are members. */
  readonly known: ReadonlySet<string>;
  /** A resource by which some member's mesh is managed, where nothing tells which cluster that is: what a cluster that is not `known` may be. */
  readonly open: Resource | undefined;
}

/** Where one is named: the project of the fleet, the location and the id of the membership. */
interface Place {
  readonly project?: string | undefined;
  readonly location: string;
  readonly id: string;
}

interface Member {
  readonly at: Place;
  /** The cluster, as `projects/P/locations/L/clusters/C`. */
  readonly path: string;
}

interface Setting {
  readonly from: number;
  readonly resource: Resource;
  readonly managed: boolean;
}

/**
 * Joins memberships with their settings, over all states.
 *
 * Guarantees:
 *
 * 1. What a membership says of its own mesh counts more than what its fleet says for all: `MANAGEMENT_MANUAL` there is no managed mesh.
 * 2. A membership is the same only with its location and its project, where both are told.
 *
 * Source: `membershipSpecs` and `fleetDefaultMemberConfig` of the GKE Hub API.
 */
export function fleetsOf(states: readonly (readonly Resource[])[]): Fleets {
  const all = states.flatMap((resources, from) => resources.map((resource) => ({ from, resource })));
  const members = [...new Map(all.flatMap(({ resource }) => memberOf(resource)).map((each) => [JSON.stringify(each), each])).values()];
  const own = all.flatMap(({ from, resource }) => ownSetting(resource).map((setting) => ({ ...setting, from, resource })));
  const ofFleets = all.flatMap(({ from, resource }) => fleetSetting(resource).map((setting) => ({ ...setting, from, resource })));
  const decided = members.map((member) => {
    const mine = own.filter(({ place }) => isSame(place, member.at));
    const theirs = ofFleets.filter(({ project }) => agree(project, member.at.project));
    return { member, by: (mine.length > 0 ? mine : theirs).find(({ managed }) => managed) };
  });
  const placed = own.filter(({ managed, place }) => managed && !members.some((member) => isSame(place, member.at)));
  return {
    meshes: states.map((_, from) => decided.flatMap(({ member, by }) => (by?.from === from ? [managedMesh(by.resource, member.path)] : []))),
    known: new Set([...members.map(({ path }) => path.toLowerCase())]),
    open: [...placed, ...ofFleets.filter(({ managed }) => managed)][0]?.resource,
  };
}

function managedMesh(resource: Resource, id: string): Thing {
  return { of: "mesh", owner: { id }, data: defined({ what: "mesh" as const, ...at(resource), flavour: "csm-managed" as const }) };
}

function memberOf({ type, attributes }: Resource): readonly Member[] {
  if (type === "google_gke_hub_membership") {
    const path = pathOf(text(block(attributes, "endpoint", "gke_cluster"), "resource_link"));
    const id = text(attributes, "membership_id");
    return path === undefined || id === undefined ? [] : [{ path, at: placeOf(id, text(attributes, "project"), text(attributes, "location")) }];
  }
  if (type !== "google_container_cluster") return [];
  const fleet = block(attributes, "fleet");
  const reference = text(fleet, "membership");
  const path = pathOf(text(attributes, "id"));
  return path === undefined || reference === undefined ? [] : [{ path, at: placeOf(reference, text(fleet, "project"), text(fleet, "membership_location")) }];
}

function ownSetting({ type, attributes }: Resource): readonly (Pick<Setting, "managed"> & { readonly place: Place })[] {
  const reference = text(attributes, "membership");
  const managed = isManaged(blocks(attributes, "mesh")[0]);
  if (type !== "google_gke_hub_feature_membership" || reference === undefined || managed === undefined) return [];
  if (text(attributes, "feature")?.split("/").at(-1) !== MESH) return [];
  return [{ managed, place: placeOf(reference, text(attributes, "project"), text(attributes, "membership_location")) }];
}

const MESH = "servicemesh";

function fleetSetting({ type, attributes }: Resource): readonly (Pick<Setting, "managed"> & { readonly project: string | undefined })[] {
  const managed = isManaged(block(attributes, "fleet_default_member_config", "mesh"));
  if (type !== "google_gke_hub_feature" || managed === undefined) return [];
  return [{ managed, project: text(attributes, "project") }];
}

/** Undefined where it is left open. `control_plane` is the older word for it. */
function isManaged(mesh: Picked | undefined): boolean | undefined {
  const said = [mesh === undefined ? undefined : text(mesh, "management"), mesh === undefined ? undefined : text(mesh, "control_plane")];
  if (said.includes("MANAGEMENT_AUTOMATIC") || said.includes("AUTOMATIC")) return true;
  return said.includes("MANAGEMENT_MANUAL") || said.includes("MANUAL") ? false : undefined;
}

/** A membership is named by its id or by its whole path; without a location it is a global one. */
function placeOf(reference: string, project: string | undefined, location: string | undefined): Place {
  const [, ofPath, place, id] = /projects\/([^/]+)\/locations\/([^/]+)\/memberships\/([^/]+)$/.exec(reference) ?? [];
  return { project: ofPath ?? project, location: place ?? location ?? "global", id: id ?? reference };
}

function isSame(one: Place, other: Place): boolean {
  return one.id === other.id && one.location === other.location && agree(one.project, other.project);
}

/** A project has an id and a number: these two do not contradict each other. */
function agree(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other || isNumber(one) !== isNumber(other);
}

function isNumber(project: string): boolean {
  return /^\d+$/.test(project);
}

/** `//container.googleapis.com/projects/P/locations/L/clusters/C`, the older form with `zones` included. */
function pathOf(link: string | undefined): string | undefined {
  const [, project, place, name] = /projects\/([^/]+)\/(?:locations|zones|regions)\/([^/]+)\/clusters\/([^/]+)$/.exec(link ?? "") ?? [];
  return project === undefined ? undefined : `projects/${project}/locations/${place ?? ""}/clusters/${name ?? ""}`;
}
