import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, type TestContext } from "vitest";
import { CollectError, type KubernetesApi, type StateBytes } from "#engine";
import { openKubernetes } from "../../clients/kubernetes/index.ts";
import { openStates, type StatePlace } from "../../clients/states/index.ts";
import { writeKubeconfig } from "../parts/cluster.ts";
import { startAzure, startGcs, startMoto, startS3, startStateServer } from "../parts/stores.ts";
import { applied, CANARY, terraformMissing, type Configuration } from "../parts/terraform.ts";
import { onClusters, without, type Here } from "./ground.ts";

type Env = Readonly<Record<string, string>>;
interface Around {
  readonly env?: Env;
  readonly kubernetes?: () => Promise<KubernetesApi>;
}

const signal = AbortSignal.timeout(300_000);

/** Reads one place. SDKs look at the environment of the process themselves, so that it is theirs for as long as this takes. */
async function read(place: StatePlace, { env = {}, kubernetes = () => Promise.reject(new Error("no API here")) }: Around = {}): Promise<StateBytes> {
  const own = { ...process.env };
  Object.assign(process.env, env);
  try {
    const [source] = openStates([{ place }], { env: { ...process.env }, home: "/nonexistent", signal, kubernetes }, { retries: 1, retryMs: 10 });
    if (source === undefined) throw new Error("no source");
    return await source.read();
  } finally {
    for (const name of Object.keys(env)) {
      if (own[name] === undefined) delete process.env[name];
      else process.env[name] = own[name];
    }
  }
}

/** What a user would be told, without a secret in it. */
async function told(place: StatePlace, around: Around = {}): Promise<string> {
  const error = await read(place, around).then(
    () => new Error("it was read"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CollectError)) throw error;
  const line = `${error.message} | ${error.remedy}`;
  for (const secret of [CANARY, ...Object.entries(around.env ?? {}).flatMap(([name, value]) => (/SECRET|PASSWORD|KEY$|TOKEN/.test(name) ? [value] : []))]) expect(line).not.toContain(secret);
  return line;
}

interface State {
  readonly version: number;
  readonly serial: number;
  readonly lineage: string;
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resources: readonly { readonly module?: string; readonly name: string; readonly instances: readonly unknown[] }[];
}

const stateIn = ({ bytes }: StateBytes) => JSON.parse(Buffer.from(bytes).toString("utf8")) as State;

/** It is the state that Terraform itself pulls. */
async function isPulled(state: StateBytes, { terraform }: Configuration): Promise<void> {
  expect(stateIn(state)).toEqual(JSON.parse(await terraform("state", "pull")));
  expect(stateIn(state).outputs["kubeconfig"]?.value).toBe(CANARY);
  expect(stateIn(state).resources.map(({ module = "", name, instances }) => `${module} ${name} ${instances.length}`)).toEqual([
    " keyed 2",
    " secret 1",
    'module.clusters["eks"] inner 2',
    'module.clusters["gke"] inner 2',
  ]);
  for (const shown of [state.locator, state.sha256, state.modified ?? ""]) expect(shown).not.toContain(CANARY);
}

function onTerraform(claim: string, body: (here: Here, context: TestContext) => Promise<void>): void {
  onClusters(claim, async (here, context) => {
    const missing = await terraformMissing();
    if (missing !== undefined) return without(missing, context);
    await body(here, context);
  });
}

const dir = (folder: string): StatePlace => ({ form: "dir", dir: folder, shown: "infra", backendConfig: [] });
const lines = (type: string, settings: Readonly<Record<string, string | boolean>>) =>
  `  backend "${type}" {\n${Object.entries(settings).map(([name, value]) => `    ${name} = ${JSON.stringify(value)}\n`).join("")}  }`;

describe("states that the real Terraform wrote are read without it", () => {
  onTerraform("from a file, of a workspace too, by a folder and by a command", async () => {
    const made = await applied("");
    const file = { form: "state" as const, file: path.join(made.folder, "terraform.tfstate"), shown: "infra/terraform.tfstate" };
    await isPulled(await read(file), made);
    await isPulled(await read(dir(made.folder)), made);
    const pull = { form: "command" as const, command: ["terraform", "state", "pull"], cwd: made.folder };
    expect(stateIn(await read(pull))).toEqual(stateIn(await read(file)));

    await made.terraform("workspace", "new", "stage");
    await made.terraform("apply", "-auto-approve");
    const stage = await read({ ...file, workspace: "stage" });
    await isPulled(stage, made);
    expect(stage.sha256).toBe((await read(dir(made.folder))).sha256);
    expect(stage.sha256).not.toBe((await read(file)).sha256);
    await made.whileApplying(async () => expect(await read({ ...file, workspace: "stage" })).toMatchObject({ locked: true }));
  });

  onTerraform("from a server of the backend `http`, with user and password", async () => {
    const env = { TF_HTTP_USERNAME: "reader", TF_HTTP_PASSWORD: randomBytes(9).toString("hex") };
    const server = await startStateServer(env.TF_HTTP_USERNAME, env.TF_HTTP_PASSWORD);
    try {
      const address = `${server.url}/eks`;
      const made = await applied(lines("http", { address, lock_address: address, unlock_address: address }), env);
      const place: StatePlace = { form: "http", settings: { address } };
      await isPulled(await read(place, { env }), made);
      await isPulled(await read(dir(made.folder), { env }), made);
      expect(await told(place)).toMatch(/does not accept the credentials of the environment \(401\)/);
      // A lock keeps nobody from reading.
      await made.whileApplying(async () => expect(stateIn(await read(place, { env })).version).toBe(4));
    } finally {
      await server.stop();
    }
  });

  onTerraform("from Secrets of a real API server, also where they are several", async ({ clusters: { eks } }) => {
    const folder = await applied("");
    const kubeconfig = await writeKubeconfig(folder.folder, [{ name: "admin", cluster: eks, login: { identity: "admin" } }, { name: "guest", cluster: eks, login: { identity: "guest" } }]);
    const made = await applied(lines("kubernetes", { secret_suffix: "mesh", namespace: "default", config_path: kubeconfig }));
    const own = (context: string) => ({ kubernetes: () => openKubernetes({ form: "kubeconfig", kubeconfig, context }, { env: {}, home: "/nonexistent", signal, allowExec: false }) });
    const place: StatePlace = { form: "kubernetes", settings: { secret_suffix: "mesh" } };

    const state = await read(place, own("admin"));
    await isPulled(state, made);
    expect(state).toMatchObject({ locator: "/api/v1/namespaces/default/secrets/tfstate-default-mesh", locked: false });
    expect(Date.parse(state.modified ?? "")).toBeGreaterThan(Date.parse("2026-01-01"));
    await isPulled(await read({ form: "kubernetes", settings: { secret_suffix: "mesh", config_path: kubeconfig, config_context: "admin" } }), made);
    await isPulled(await read(dir(made.folder)), made);
    await made.whileApplying(async () => expect(await read(place, own("admin"))).toMatchObject({ locked: true }));

    await made.terraform("workspace", "new", "stage");
    await writeFile(path.join(made.folder, "noise.auto.tfvars"), `noise = "${randomBytes(1_500_000).toString("hex")}"\n`);
    await made.terraform("apply", "-auto-approve", "-no-color").catch(() => undefined);
    const stage = await read({ ...place, workspace: "stage" }, own("admin"));
    expect(stateIn(stage)).toEqual(JSON.parse(await made.terraform("state", "pull")));
    expect(stage.bytes.length).toBeGreaterThan(3_000_000);

    expect(await told(place, own("guest"))).toMatch(/may not get `secrets`.* in namespace `default` \| .*resources: \["secrets"\], verbs: \["get"\]/);
    expect(await told({ ...place, workspace: "nobody" }, own("admin"))).toMatch(/^there is no state at `default\/tfstate-nobody-mesh`/);
  });

  onTerraform("from S3, with Terraform's own lock there", async ({ parts }) => {
    const store = await startS3(parts.versitygw);
    try {
      const { env } = store;
      const settings = { bucket: "tfstate", key: "mesh/terraform.tfstate", region: "us-east-1" };
      const skip = { use_path_style: true, use_lockfile: true, skip_credentials_validation: true, skip_requesting_account_id: true, skip_metadata_api_check: true, skip_region_validation: true };
      const made = await applied(`${lines("s3", { ...settings, ...skip }).slice(0, -3)}    endpoints = { s3 = "${store.url}" }\n  }`, env);
      const place: StatePlace = { form: "s3", settings: { ...settings, endpoint: store.url, use_path_style: true } };
      const state = await read(place, { env });
      await isPulled(state, made);
      expect(state).toMatchObject({ locator: "s3://tfstate/mesh/terraform.tfstate", locked: false, modified: expect.stringMatching(/^\d{4}-/) as string });
      await isPulled(await read(dir(made.folder), { env }), made);
      await made.whileApplying(async () => expect(await read(place, { env })).toMatchObject({ locked: true }));
      await made.terraform("workspace", "new", "stage");
      expect(await read({ ...place, workspace: "stage" }, { env })).toMatchObject({ locator: "s3://tfstate/env:/stage/mesh/terraform.tfstate" });

      const wrong = { AWS_ACCESS_KEY_ID: "states", AWS_SECRET_ACCESS_KEY: `${CANARY}-wrong` };
      expect(await told(place, { env: wrong })).toMatch(/may not be read with the credentials of the environment \(403\) \| allow this identity s3:GetObject/);
      expect(await told({ ...place, workspace: "nobody" }, { env })).toMatch(/^there is no state at `s3:\/\/tfstate\/env:\/nobody\/mesh\/terraform.tfstate`/);
      expect(await told({ form: "s3", settings: { ...settings, bucket: "nobody", endpoint: store.url, use_path_style: true } }, { env })).toMatch(/does not exist|there is no state/);
      expect(await told(place, { env: { AWS_EC2_METADATA_DISABLED: "true" } })).toMatch(/^there are no credentials for `s3:\/\/tfstate\/mesh\/terraform.tfstate` in the environment/);
    } finally {
      await store.stop();
    }
  });

  onTerraform("from S3 with versions, and only with the digest that the table of DynamoDB holds", async ({ parts }) => {
    const store = await startMoto(parts.moto);
    const env = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: `${CANARY}-key`, AWS_REGION: "us-east-1" };
    try {
      const { S3Client, CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } = await import("@aws-sdk/client-s3");
      const { DynamoDBClient, CreateTableCommand } = await import("@aws-sdk/client-dynamodb");
      const options = { endpoint: store.url, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: env.AWS_SECRET_ACCESS_KEY } };
      const client = new S3Client({ ...options, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: "tfstate" }));
      await client.send(new PutBucketVersioningCommand({ Bucket: "tfstate", VersioningConfiguration: { Status: "Enabled" } }));
      await new DynamoDBClient(options).send(new CreateTableCommand({ TableName: "locks", AttributeDefinitions: [{ AttributeName: "LockID", AttributeType: "S" }], KeySchema: [{ AttributeName: "LockID", KeyType: "HASH" }], BillingMode: "PAY_PER_REQUEST" }));

      const settings = { bucket: "tfstate", key: "mesh.tfstate", region: "us-east-1", dynamodb_table: "locks", use_path_style: true };
      const skip = { skip_credentials_validation: true, skip_requesting_account_id: true, skip_metadata_api_check: true, skip_region_validation: true };
      const made = await applied(`${lines("s3", { ...settings, ...skip }).slice(0, -3)}    endpoints = { s3 = "${store.url}", dynamodb = "${store.url}" }\n  }`, env);
      const place: StatePlace = { form: "s3", settings: { ...settings, endpoint: store.url, dynamodb_endpoint: store.url } };
      await isPulled(await read(place, { env }), made);
      await isPulled(await read(dir(made.folder), { env }), made);
      await made.whileApplying(async () => expect(await read(place, { env })).toMatchObject({ locked: true }));

      await client.send(new PutObjectCommand({ Bucket: "tfstate", Key: "mesh.tfstate", Body: "{}" }));
      expect(await told(place, { env })).toMatch(/^the state at `s3:\/\/tfstate\/mesh.tfstate` is not the one whose digest the table `locks` holds \| run again later/);
      expect(await told({ form: "s3", settings: { ...settings, endpoint: store.url, dynamodb_endpoint: store.url, dynamodb_table: "nobody" } }, { env })).toMatch(/^the table `nobody` does not exist/);
    } finally {
      await store.stop();
    }
  });

  onTerraform("from Cloud Storage", async ({ parts }) => {
    const store = await startGcs(parts["fake-gcs-server"]);
    try {
      const endpoint = `${store.url}/storage/v1/`;
      const made = await applied(lines("gcs", { bucket: "tfstate", prefix: "mesh", access_token: `${CANARY}-token`, storage_custom_endpoint: endpoint }));
      const place: StatePlace = { form: "gcs", settings: { bucket: "tfstate", prefix: "mesh", storage_custom_endpoint: endpoint } };
      const state = await read(place);
      await isPulled(state, made);
      expect(state).toMatchObject({ locator: "gs://tfstate/mesh/default.tfstate", locked: false, modified: expect.stringMatching(/^\d{4}-/) as string });
      await isPulled(await read(dir(made.folder)), made);
      await made.whileApplying(async () => expect(await read(place)).toMatchObject({ locked: true }));
      await made.terraform("workspace", "new", "stage");
      expect(await read({ ...place, workspace: "stage" })).toMatchObject({ locator: "gs://tfstate/mesh/stage.tfstate" });
      expect(await told({ ...place, workspace: "nobody" })).toMatch(/^there is no state at `gs:\/\/tfstate\/mesh\/nobody.tfstate`/);
    } finally {
      await store.stop();
    }
  });

  onTerraform("from Azure Blob Storage", async ({ parts }) => {
    const store = await startAzure(parts.azurite);
    const env = { ARM_ACCESS_KEY: store.key };
    try {
      const { BlobServiceClient, StorageSharedKeyCredential } = await import("@azure/storage-blob");
      await new BlobServiceClient(`${store.url}/${store.account}`, new StorageSharedKeyCredential(store.account, store.key)).createContainer("tfstate");
      const settings = { storage_account_name: store.account, container_name: "tfstate", key: "mesh.tfstate" };
      const made = await applied(lines("azurerm", settings), { ...env, ...store.env });
      const endpoint = `${store.url}/${store.account}`;
      const place: StatePlace = { form: "azurerm", settings: { ...settings, endpoint } };
      const state = await read(place, { env });
      await isPulled(state, made);
      expect(state).toMatchObject({ locator: `${endpoint}/tfstate/mesh.tfstate`, locked: false, modified: expect.stringMatching(/^\d{4}-/) as string });
      await made.whileApplying(async () => expect(await read(place, { env })).toMatchObject({ locked: true }));
      await made.terraform("workspace", "new", "stage");
      expect(await read({ ...place, workspace: "stage" }, { env })).toMatchObject({ locator: `${endpoint}/tfstate/mesh.tfstateenv:stage` });
      expect(await told({ ...place, workspace: "nobody" }, { env })).toMatch(/^there is no state at/);
      expect(await told(place, { env: { ARM_ACCESS_KEY: randomBytes(32).toString("base64") } })).toMatch(/may not be read with the credentials of the environment \(403\) \| give this identity the role Storage Blob Data Reader/);
    } finally {
      await store.stop();
    }
  });
});
