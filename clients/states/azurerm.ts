import { Readable } from "node:stream";
import type { TokenCredential } from "@azure/identity";
import { bytesOf, optional, sdkFault, type Asked } from "./optional.ts";
import { DEFAULT_WORKSPACE, type AzurermSettings, type Reading } from "./place.ts";
import { largest, type Found } from "./read.ts";

type Blobs = typeof import("@azure/storage-blob");

const SUFFIXES = { public: "core.windows.net", usgovernment: "core.usgovcloudapi.net", china: "core.chinacloudapi.cn" } as const;

/** The blob of a workspace. Source: `path` in Terraform's internal/backend/remote-state/azure/backend_state.go. */
export function blobOf({ key }: AzurermSettings, workspace: string = DEFAULT_WORKSPACE): string {
  return workspace === DEFAULT_WORKSPACE ? key : `${key}env:${workspace}`;
}

/**
 * Reads the state of Terraform's backend `azurerm`, with the credentials of the environment: `ARM_ACCESS_KEY`, `ARM_SAS_TOKEN`, a service
 * principal or an OIDC token in `ARM_*`, else what the Azure SDK finds. Needs the role Storage Blob Data Reader.
 */
export async function readAzurerm(settings: AzurermSettings, workspace: string | undefined, reading: Reading): Promise<Found> {
  const azure = await optional("@azure/storage-blob", () => import("@azure/storage-blob"));
  const { storage_account_name: account, container_name: container, environment = "public" } = settings;
  const service = (settings.endpoint ?? `https://${account}.blob.${SUFFIXES[environment]}`).replace(/\/+$/, "");
  const name = blobOf(settings, workspace);
  const locator = `${service}/${container}/${name}`;
  const asked: Asked = {
    locator,
    permission: `give this identity the role Storage Blob Data Reader on the container \`${container}\` of \`${account}\``,
    login: "sign in with `az login`, or set ARM_CLIENT_ID, ARM_TENANT_ID and ARM_CLIENT_SECRET (or ARM_OIDC_TOKEN), ARM_ACCESS_KEY or ARM_SAS_TOKEN",
  };
  try {
    const client = (await serviceOf(azure, service, settings, reading)).getContainerClient(container).getBlobClient(name);
    const answer = await client.download(0, undefined, { abortSignal: AbortSignal.any([reading.signal, AbortSignal.timeout(reading.limits.requestMs)]) });
    const body = answer.readableStreamBody;
    if ((answer.contentLength ?? 0) > reading.limits.stateBytes) {
      if (body instanceof Readable) body.destroy();
      throw largest(`the state at \`${locator}\``, reading.limits.stateBytes);
    }
    const bytes = body instanceof Readable ? await bytesOf(body, locator, reading) : Buffer.alloc(0);
    return { bytes, locator, modified: answer.lastModified, ...(answer.leaseState === undefined ? {} : { locked: answer.leaseState === "leased" }) };
  } catch (error) {
    throw sdkFault(error, asked, reading);
  }
}

async function serviceOf(azure: Blobs, service: string, { storage_account_name: account }: AzurermSettings, { env, limits }: Reading) {
  const options = { retryOptions: { maxTries: limits.retries + 1, tryTimeoutInMs: limits.answerMs, maxRetryDelayInMs: 8_000 } };
  const { ARM_ACCESS_KEY: key, ARM_SAS_TOKEN: sas } = env;
  if (key) return new azure.BlobServiceClient(service, new azure.StorageSharedKeyCredential(account, key), options);
  if (sas) return new azure.BlobServiceClient(`${service}?${sas.replace(/^\?/, "")}`, new azure.AnonymousCredential(), options);
  return new azure.BlobServiceClient(service, await tokenCredential(env), options);
}

/** As Terraform reads the variables; where they say nothing, what the SDK finds (its own variables, workload identity, `az login`). */
async function tokenCredential(env: Reading["env"]): Promise<TokenCredential> {
  const identity = await optional("@azure/identity", () => import("@azure/identity"));
  const { ARM_TENANT_ID: tenant, ARM_CLIENT_ID: client, ARM_CLIENT_SECRET: secret, ARM_OIDC_TOKEN: token, ARM_OIDC_TOKEN_FILE_PATH: tokenFile } = env;
  if (tenant && client && secret) return new identity.ClientSecretCredential(tenant, client, secret);
  if (tenant && client && token) return new identity.ClientAssertionCredential(tenant, client, () => Promise.resolve(token));
  if (tenant && client && tokenFile) return new identity.WorkloadIdentityCredential({ tenantId: tenant, clientId: client, tokenFilePath: tokenFile });
  return new identity.DefaultAzureCredential(tenant ? { tenantId: tenant } : {});
}
