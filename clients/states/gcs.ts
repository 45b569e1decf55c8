import { CollectError } from "#engine";
import { bytesOf, optional, sdkFault, untilEnded, type Asked } from "./optional.ts";
import { DEFAULT_WORKSPACE, type GcsSettings, type Reading } from "./place.ts";
import { largest, type Found } from "./read.ts";

/** The object of a workspace. Source: `stateFile` in Terraform's internal/backend/remote-state/gcs/backend_state.go. */
export function objectOf({ prefix = "" }: GcsSettings, workspace: string = DEFAULT_WORKSPACE): string {
  const folder = prefix.split("/").filter((part) => part !== "");
  return [...folder, `${workspace}.tfstate`].join("/");
}

/** Reads the state of Terraform's backend `gcs`, with Application Default Credentials. Needs `storage.objects.get` on the object and its lock. */
export async function readGcs(settings: GcsSettings, workspace: string | undefined, reading: Reading): Promise<Found> {
  const { Storage } = await optional("@google-cloud/storage", () => import("@google-cloud/storage"));
  const name = objectOf(settings, workspace);
  const locator = `gs://${settings.bucket}/${name}`;
  const asked: Asked = {
    locator,
    permission: `allow this identity storage.objects.get in the bucket \`${settings.bucket}\` (the role Storage Object Viewer has it)`,
    login: "sign in with `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or give this machine a service account",
  };
  const bucket = new Storage(optionsOf(settings, reading)).bucket(settings.bucket);
  try {
    const [about] = await untilEnded(bucket.file(name).getMetadata(), reading);
    if (Number(about.size ?? 0) > reading.limits.stateBytes) throw largest(`the state at \`${locator}\``, reading.limits.stateBytes);
    // The generation whose time was read, also where somebody writes a newer one meanwhile.
    const file = bucket.file(name, { ...(about.generation === undefined ? {} : { generation: about.generation }), ...encryption(reading.env) });
    const bytes = await bytesOf(file.createReadStream({ decompress: false }), locator, reading);
    const locked = await untilEnded(bucket.file(name.replace(/\.tfstate$/, ".tflock")).exists(), reading).catch(() => undefined);
    return { bytes, locator, modified: about.updated, ...(locked === undefined ? {} : { locked: locked[0] }) };
  } catch (error) {
    throw sdkFault(error, asked, reading);
  }
}

function optionsOf({ storage_custom_endpoint: endpoint }: GcsSettings, { env, limits }: Reading) {
  return {
    retryOptions: { autoRetry: limits.retries > 0, maxRetries: limits.retries, totalTimeout: limits.requestMs / 1000, maxRetryDelay: 8 },
    timeout: limits.answerMs,
    // Terraform wants the whole path in it, the SDK the server. Without TLS no credential is sent.
    ...(endpoint === undefined ? {} : { apiEndpoint: endpoint.replace(/\/storage\/v1\/?$/, "").replace(/\/+$/, ""), useAuthWithCustomEndpoint: endpoint.startsWith("https:"), projectId: "any" }),
    ...credentialsOf(env["GOOGLE_BACKEND_CREDENTIALS"] || env["GOOGLE_CREDENTIALS"]),
  };
}

/** Terraform takes a path or the text of a key in these variables. */
function credentialsOf(value: string | undefined) {
  if (!value) return {};
  if (!value.trimStart().startsWith("{")) return { keyFilename: value };
  try {
    return { credentials: JSON.parse(value) as object };
  } catch {
    throw new CollectError("GOOGLE_CREDENTIALS holds neither a path nor the JSON of a key", { remedy: "correct the variable, or unset it" });
  }
}

function encryption(env: Reading["env"]) {
  const key = env["GOOGLE_ENCRYPTION_KEY"];
  return key ? { encryptionKey: Buffer.from(key, "base64") } : {};
}
