import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { CollectError, type KubernetesApi, type KubeObject, type Resource } from "#engine";
import { codeOf } from "../kubernetes/faults.ts";
import { fieldsOf } from "./fields.ts";
import { DEFAULT_WORKSPACE, type KubernetesSettings, type Reading } from "./place.ts";
import { largest, type Found } from "./read.ts";
import { noState } from "./words.ts";

const unzip = promisify(gunzip);
const SECRETS: Resource = { group: "", versions: ["v1"], plural: "secrets", kind: "Secret", namespaced: true };
const LEASES: Resource = { group: "coordination.k8s.io", versions: ["v1"], plural: "leases", kind: "Lease", namespaced: true };
/** More than any state that is read, at a mebibyte each. */
const MOST_PARTS = 600;

/**
 * Reads the state that Terraform's backend `kubernetes` keeps in one Secret, or in several where it is large: `NAME`, `NAME-part-1`, … in order.
 *
 * Only these are read, each by its name (`get secrets`, which a role can limit by `resourceNames`). Source: Terraform's
 * internal/backend/remote-state/kubernetes; OpenTofu writes one Secret of the same form.
 */
export async function readKubernetes(settings: KubernetesSettings, workspace: string = DEFAULT_WORKSPACE, reading: Reading): Promise<Found> {
  const { secret_suffix: suffix, namespace = DEFAULT_WORKSPACE } = settings;
  const api = await apiOf(settings, reading);
  const secret: SecretName = { api, namespace, name: `tfstate-${workspace}-${suffix}` };
  // A write between two parts leaves what cannot be unpacked: then it is read once more.
  const found = (await whole(secret, reading)) ?? (await whole(secret, reading));
  if (found === undefined) {
    throw new CollectError(`the state in the Secret \`${namespace}/${secret.name}\` cannot be unpacked`, {
      remedy: "run again when `terraform apply` has ended; else compare with `terraform state pull`",
    });
  }
  return { ...found, locator: `/api/v1/namespaces/${namespace}/secrets/${secret.name}`, locked: await isLocked(secret) };
}

interface SecretName {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
}

/** The cluster that the source belongs to, unless the source names another. */
async function apiOf({ config_path: kubeconfig, config_context: context, in_cluster_config: inside }: KubernetesSettings, reading: Reading): Promise<KubernetesApi> {
  if (kubeconfig === undefined && context === undefined && inside !== true) return reading.kubernetes();
  const { openKubernetes } = await import("../kubernetes/index.ts");
  const place = inside === true ? { form: "inCluster" as const } : { form: "kubeconfig" as const, kubeconfig, context };
  return openKubernetes(place, { env: reading.env, home: reading.home, signal: reading.signal, allowExec: reading.within === undefined });
}

/** Undefined: what there is cannot be unpacked. */
async function whole(secret: SecretName, { limits }: Reading): Promise<Pick<Found, "bytes" | "modified"> | undefined> {
  const { parts, refused } = await partsOf(secret);
  const [first] = parts;
  if (first === undefined) throw noState(`${secret.namespace}/${secret.name}`);
  const modified = parts.map(modifiedOf).filter((time) => time !== undefined).sort().at(-1);
  const packed = Buffer.concat(parts.map(dataOf));
  // A Secret that was made and not filled: nothing was written yet.
  if (packed.length === 0) return { bytes: packed, modified };
  try {
    return { bytes: await unzip(packed, { maxOutputLength: limits.stateBytes, chunkSize: 1 << 20 }), modified };
  } catch (error) {
    if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") throw largest(`the state in the Secret \`${secret.namespace}/${secret.name}\``, limits.stateBytes);
    if (refused !== undefined) throw refused;
    return undefined;
  }
}

/** The Secrets of one state, in order. A role may name the first one only: whether that is all, the packed data itself tells. */
async function partsOf({ api, namespace, name }: SecretName): Promise<{ readonly parts: readonly KubeObject[]; readonly refused?: CollectError }> {
  const parts: KubeObject[] = [];
  for (let index = 0; index < MOST_PARTS; index += 1) {
    try {
      const part = await api.get(SECRETS, namespace, index === 0 ? name : `${name}-part-${index}`);
      if (part === undefined) break;
      parts.push(part);
    } catch (error) {
      if (index === 0 || !(error instanceof CollectError) || error.unreachable) throw error;
      return { parts, refused: error };
    }
  }
  return { parts };
}

/** Terraform's lock is a Lease that somebody holds. Undefined where this identity may not read it: that is no reason to stop. */
async function isLocked({ api, namespace, name }: SecretName): Promise<boolean | undefined> {
  try {
    const lease = await api.get(LEASES, namespace, `lock-${name}`);
    const holder = fieldsOf(lease?.["spec"])["holderIdentity"];
    return typeof holder === "string" && holder !== "";
  } catch (error) {
    if (error instanceof CollectError && !error.unreachable) return undefined;
    throw error;
  }
}

function dataOf(secret: KubeObject): Buffer {
  const data = fieldsOf(secret["data"])["tfstate"];
  return Buffer.from(typeof data === "string" ? data : "", "base64");
}

/** When somebody last wrote it: the API server keeps a time for each writer. */
function modifiedOf({ metadata }: KubeObject): string | undefined {
  const { managedFields } = fieldsOf(metadata);
  const times = (Array.isArray(managedFields) ? managedFields : []).map((entry) => fieldsOf(entry)["time"]).filter((time) => typeof time === "string");
  return times.sort().at(-1);
}
