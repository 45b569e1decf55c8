import { CollectError, type StateBytes } from "#engine";
import { ALLOWED } from "./allowed.ts";
import { pick, type Picked } from "./picked.ts";
import { scan, ScanError, type Scanned } from "./scan.ts";

/** One object that a state holds, of a type that is read. */
export interface Resource {
  readonly type: string;
  readonly mode: "managed" | "data";
  /** Terraform's own address; for people, never to judge by. */
  readonly address: string;
  readonly tainted: boolean;
  readonly attributes: Picked;
}

/** All that is kept of a state. */
export interface State {
  readonly lineage?: string | undefined;
  readonly serial?: string | undefined;
  readonly resources: readonly Resource[];
  /** Addresses of objects of these types that wait to be destroyed. */
  readonly deposed: readonly string[];
  /** Addresses of objects whose attributes are in the form of Terraform 0.11. */
  readonly flat: readonly string[];
  /** No state was written there yet. */
  readonly empty: boolean;
}

const states = new WeakMap<StateBytes, State>();

/**
 * What may be known of a state. Clusters that share one parse it once.
 *
 * Throws CollectError, in words that quote nothing of the state, for what is none: other forms are told with the way to the one that is read.
 */
export function stateOf(found: StateBytes, name: string): State {
  const known = states.get(found) ?? readState(found.bytes, name);
  states.set(found, known);
  return known;
}

const EMPTY: State = { resources: [], deposed: [], flat: [], empty: true };

function readState(bytes: Uint8Array, name: string): State {
  if (bytes.length === 0) return EMPTY;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw refused(name, "is packed with gzip", "name it in the form of its backend, which unpacks it, or unpack it with `gunzip`");
  const { members, resources } = scanned(bytes, name);
  const other = otherForm(members);
  if (other !== undefined) throw refused(name, other.what, other.remedy);
  const kept: Kept = { resources: [], deposed: [], flat: [] };
  const listed = members.get("resources");
  if (listed !== undefined && listed.is !== "list") throw refused(name, "is no state: its `resources` are no list", "check what the source names");
  for (const resource of resources) addResource(kept, resource);
  const lineage = members.get("lineage");
  const serial = members.get("serial");
  return {
    ...kept,
    ...(lineage?.is === "text" && lineage.text !== "" ? { lineage: shortText(lineage.text) } : {}),
    ...(serial?.is === "number" && /^\d{1,20}$/.test(serial.digits) ? { serial: serial.digits } : {}),
    empty: false,
  };
}

function scanned(bytes: Uint8Array, name: string): Scanned {
  try {
    return scan(bytes, (type) => Object.hasOwn(ALLOWED, type));
  } catch (error) {
    // Other words than our own would quote the state.
    const ends = error instanceof ScanError && error.ends;
    throw refused(name, `is no whole JSON object (${bytes.length} bytes)${ends ? "; it ends in the middle" : ""}`, "run again when nobody writes it; if it stays, compare it with `terraform state pull`");
  }
}

const PULL = "name the state itself, or what prints it: `command: [terraform, state, pull]`";

/** What else people keep under the name of a state. */
function otherForm(members: Scanned["members"]): { readonly what: string; readonly remedy: string } | undefined {
  const stated = members.get("version");
  const version = stated?.is === "number" ? stated.digits : undefined;
  if (members.has("encrypted_data")) return { what: "is encrypted by OpenTofu", remedy: "have OpenTofu read it: `command: [tofu, state, pull]`" };
  if (members.has("format_version") && members.has("resource_changes")) return { what: "is a plan, not a state", remedy: PULL };
  if (members.has("format_version")) return { what: "is what `terraform show -json` prints, not a state", remedy: PULL };
  if (version === "3" && (members.has("backend") || members.has("state_store")) && !members.has("modules")) {
    return { what: "is the note of `terraform init` on where the state is kept, not a state", remedy: "name its folder of configuration instead: `dir: DIR`" };
  }
  if (version === "1" || version === "2" || version === "3") {
    return { what: `is in format ${version}, of Terraform 0.11 and older`, remedy: "have a newer Terraform read it: `command: [terraform, state, pull]` gives format 4" };
  }
  if (version === "4") return undefined;
  if (version !== undefined) return { what: `is in format ${version.slice(0, 20)}, and this release reads format 4`, remedy: "update cloud-assert" };
  return { what: "is no state: it has no `version`", remedy: "check what the source names" };
}

type Kept = { readonly resources: Resource[]; readonly deposed: string[]; readonly flat: string[] };

function addResource(kept: Kept, resource: unknown): void {
  const type = field(resource, "type");
  const allowed = typeof type === "string" && Object.hasOwn(ALLOWED, type) ? ALLOWED[type] : undefined;
  const instances = field(resource, "instances");
  if (typeof type !== "string" || allowed === undefined || !Array.isArray(instances)) return;
  const mode = field(resource, "mode") === "data" ? "data" : "managed";
  const module = shortText(field(resource, "module"));
  const name = shortText(field(resource, "name")) ?? "";
  const base = `${module === undefined ? "" : `${module}.`}${mode === "data" ? "data." : ""}${type}.${name}`;
  for (const instance of instances as readonly unknown[]) {
    const address = `${base}${indexText(field(instance, "index_key"))}`;
    const attributes = field(instance, "attributes");
    if (field(instance, "deposed") !== undefined) kept.deposed.push(address);
    else if (attributes === undefined && field(instance, "attributes_flat") !== undefined) kept.flat.push(address);
    else kept.resources.push({ type, mode, address, tainted: field(instance, "status") === "tainted", attributes: pick(attributes, allowed) });
  }
}

function indexText(key: unknown): string {
  if (typeof key === "number") return `[${key}]`;
  return typeof key === "string" ? `[${JSON.stringify(shortText(key) ?? "…")}]` : "";
}

function shortText(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const clean = value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}`]/gu, "?");
  return clean.length > 256 ? `${clean.slice(0, 256)}…` : clean;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function refused(name: string, what: string, remedy: string): CollectError {
  return new CollectError(`the state \`${name}\` ${what}`, { remedy });
}
