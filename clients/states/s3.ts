import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CollectError } from "#engine";
import { ended } from "../kubernetes/faults.ts";
import { bytesOf, optional, sdkFault, type Asked } from "./optional.ts";
import { DEFAULT_WORKSPACE, type Reading, type S3Settings } from "./place.ts";
import { largest, type Found } from "./read.ts";

type Aws = typeof import("@aws-sdk/client-s3");

const LOGIN = "sign in as for the AWS tools (`aws sso login`, AWS_PROFILE, AWS_ACCESS_KEY_ID, a role of this machine), or name a `profile`";

/** The object of a workspace. Source: `path` in Terraform's internal/backend/remote-state/s3/backend_state.go. */
export function objectOf({ key, workspace_key_prefix: prefix = "env:" }: S3Settings, workspace: string = DEFAULT_WORKSPACE): string {
  return workspace === DEFAULT_WORKSPACE ? key : [prefix, workspace, key].filter((part) => part !== "").join("/");
}

/**
 * Reads the state of Terraform's backend `s3`, with the credentials that the AWS SDK finds.
 *
 * Where a table is named, the object must have the digest that is kept there: S3 could give an older one. Needs `s3:GetObject` on the object
 * (and on its `.tflock`, to tell whether it is locked), `kms:Decrypt` where it is encrypted with a key, `dynamodb:GetItem` on the table.
 */
export async function readS3(settings: S3Settings, workspace: string | undefined, reading: Reading): Promise<Found> {
  const aws = await optional("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
  const key = objectOf(settings, workspace);
  const locator = `s3://${settings.bucket}/${key}`;
  const asked: Asked = { locator, login: LOGIN, permission: `allow this identity s3:GetObject on \`arn:aws:s3:::${settings.bucket}/${key}\` (and kms:Decrypt where it is encrypted with a key of KMS)` };
  try {
    const client = new aws.S3Client(await clientOptions(settings, reading));
    const read = () => objectBytes(client, aws, { bucket: settings.bucket, key, locator }, reading);
    const item = settings.dynamodb_table === undefined ? undefined : await tableOf(settings, key, asked, reading);
    const found = item === undefined ? await read() : await readChecked(read, item, settings, asked, reading);
    const locked = (await item?.("")) !== undefined || (await isLocked(client, aws, settings.bucket, key, reading));
    return { ...found, locator, ...(locked === undefined ? {} : { locked }) };
  } catch (error) {
    throw sdkFault(error, asked, reading);
  }
}

/** What every client of AWS is made with. */
async function clientOptions({ region, profile, role_arn: role, endpoint, use_path_style: pathStyle }: S3Settings, { limits, env }: Reading) {
  const where = region ?? (endpoint !== undefined && !env["AWS_REGION"] ? "us-east-1" : undefined);
  const named = profile === undefined ? {} : { profile };
  const { fromNodeProviderChain, fromTemporaryCredentials } = await optional("@aws-sdk/credential-providers", () => import("@aws-sdk/credential-providers"));
  const own = fromNodeProviderChain(named);
  const clientConfig = where === undefined ? {} : { region: where };
  return {
    ...named,
    ...(where === undefined ? {} : { region: where }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === true ? { forcePathStyle: true } : {}),
    credentials: role === undefined ? own : fromTemporaryCredentials({ masterCredentials: own, params: { RoleArn: role, RoleSessionName: "cloud-assert" }, clientConfig }),
    maxAttempts: limits.retries + 1,
    requestHandler: { connectionTimeout: limits.connectMs, requestTimeout: limits.answerMs, throwOnRequestTimeout: true },
  };
}

interface StateObject {
  readonly bucket: string;
  readonly key: string;
  readonly locator: string;
}

async function objectBytes(client: InstanceType<Aws["S3Client"]>, aws: Aws, { bucket, key, locator }: StateObject, reading: Reading): Promise<Pick<Found, "bytes" | "modified">> {
  const abortSignal = AbortSignal.any([reading.signal, AbortSignal.timeout(reading.limits.requestMs)]);
  const answer = await client.send(new aws.GetObjectCommand({ Bucket: bucket, Key: key, ...customerKey(reading.env) }), { abortSignal });
  if ((answer.ContentLength ?? 0) > reading.limits.stateBytes) {
    if (answer.Body instanceof Readable) answer.Body.destroy();
    throw largest(`the state at \`${locator}\``, reading.limits.stateBytes);
  }
  const bytes = answer.Body instanceof Readable ? await bytesOf(answer.Body, locator, reading) : Buffer.alloc(0);
  return { bytes, modified: answer.LastModified };
}

/** Objects that are encrypted with a key of the customer are read with the variable that Terraform knows. */
function customerKey(env: Reading["env"]) {
  const key = env["AWS_SSE_CUSTOMER_KEY"];
  if (!key) return {};
  return { SSECustomerAlgorithm: "AES256", SSECustomerKey: key, SSECustomerKeyMD5: createHash("md5").update(Buffer.from(key, "base64")).digest("base64") };
}

/** Reads until the object is the one whose digest the table holds, as Terraform does; a table without a digest says nothing. */
async function readChecked(read: () => Promise<Pick<Found, "bytes" | "modified">>, item: Items, settings: S3Settings, asked: Asked, reading: Reading): Promise<Pick<Found, "bytes" | "modified">> {
  for (let tries = 0; ; tries += 1) {
    const wanted = (await item("-md5"))?.["Digest"]?.S;
    const found = await read();
    if (wanted === undefined || wanted === createHash("md5").update(found.bytes).digest("hex")) return found;
    if (tries >= reading.limits.retries) {
      throw new CollectError(`the state at \`${asked.locator}\` is not the one whose digest the table \`${settings.dynamodb_table ?? ""}\` holds`, {
        remedy: "run again later: S3 may give an older one for a while, or an apply is under way; if it stays, compare with `terraform state pull`",
      });
    }
    await sleep(reading.limits.retryMs * 2 ** tries, undefined, { signal: reading.signal }).catch(() => {
      throw ended(reading.signal);
    });
  }
}

/** What the table holds of a state: with `-md5` its digest, with nothing its lock. */
type Items = (suffix: "" | "-md5") => Promise<Readonly<Record<string, { readonly S?: string | undefined }>> | undefined>;

async function tableOf(settings: S3Settings, key: string, asked: Asked, reading: Reading): Promise<Items> {
  const { bucket, dynamodb_table: table = "", dynamodb_endpoint: endpoint, ...others } = settings;
  const { DynamoDBClient, GetItemCommand } = await optional("@aws-sdk/client-dynamodb", () => import("@aws-sdk/client-dynamodb"));
  const client = new DynamoDBClient(await clientOptions({ ...others, bucket, endpoint }, reading));
  const about: Asked = { ...asked, locator: `dynamodb://${table}`, permission: `allow this identity dynamodb:GetItem on the table \`${table}\`` };
  return async (suffix) => {
    try {
      const answer = await client.send(new GetItemCommand({ TableName: table, Key: { LockID: { S: `${bucket}/${key}${suffix}` } }, ConsistentRead: true }), { abortSignal: reading.signal });
      return answer.Item;
    } catch (error) {
      if (error instanceof Error && error.name === "ResourceNotFoundException") throw new CollectError(`the table \`${table}\` does not exist`, { remedy: "correct `dynamodb_table`, or leave it out where the state has none" });
      throw sdkFault(error, about, reading);
    }
  };
}

/** Undefined where this identity may not know: without the right to list the bucket a missing object looks like a forbidden one. */
async function isLocked(client: InstanceType<Aws["S3Client"]>, aws: Aws, bucket: string, key: string, { signal }: Reading): Promise<boolean | undefined> {
  try {
    await client.send(new aws.HeadObjectCommand({ Bucket: bucket, Key: `${key}.tflock` }), { abortSignal: signal });
    return true;
  } catch (error) {
    return error instanceof aws.S3ServiceException && error.$metadata.httpStatusCode === 404 ? false : undefined;
  }
}
