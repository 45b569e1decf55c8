import path from "node:path";
import { CollectError } from "#engine";
import { readFileBytes } from "./file.ts";
import { fieldsOf } from "./fields.ts";
import type { HcpSettings, Reading } from "./place.ts";
import type { Found } from "./read.ts";
import { ask } from "./request.ts";
import { noState, refusedBy } from "./words.ts";

const MOST_SETTINGS = 1024 * 1024;

/** Reads the current state of a workspace of HCP Terraform (or Terraform Enterprise) through its API. */
export async function readHcp(settings: HcpSettings, reading: Reading): Promise<Found> {
  const { organization, workspace, hostname = "app.terraform.io" } = settings;
  const origin = `https://${hostname}`;
  const locator = `${origin}/app/${organization}/workspaces/${workspace}`;
  const token = await tokenOf(hostname, reading);
  const headers = { authorization: `Bearer ${token}` };
  const api = async (at: string) => dataOf(await asked(`${origin}/api/v2${at}`, headers, locator, reading), locator);

  const about = await api(`/organizations/${encodeURIComponent(organization)}/workspaces/${encodeURIComponent(workspace)}`);
  const version = await api(`/workspaces/${encodeURIComponent(about.id)}/current-state-version`);
  const url = URL.parse(textIn(version.attributes, "hosted-state-download-url"), origin);
  if (url?.protocol !== "https:") throw notTheApi(locator);
  // Where the blob is kept elsewhere its URL is signed, and the token is nobody's business there.
  const { body } = await asked(url.href, url.origin === origin ? headers : {}, locator, reading);
  const locked = about.attributes["locked"];
  return { bytes: body, locator, modified: textIn(version.attributes, "created-at"), ...(typeof locked === "boolean" ? { locked } : {}) };
}

async function asked(url: string, headers: Readonly<Record<string, string>>, locator: string, reading: Reading) {
  const answer = await ask(url, headers, reading);
  const { status } = answer;
  // The API says 404 for what this token may not see, too.
  if (status === 404) throw noState(locator);
  if (status === 401 || status === 403) throw refusedBy(locator, status, "renew the token (`terraform login`), and give it the permission to read state versions of the workspace");
  if (status !== 200) throw new CollectError(`\`${locator}\` answered ${status} where a state was expected`, { remedy: "run again later, and check the status of the service" });
  return answer;
}

interface Data {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

function dataOf({ body }: { readonly body: Buffer }, locator: string): Data {
  const data = fieldsOf(fieldsOf(parsed(body))["data"]);
  const { id } = data;
  if (typeof id !== "string" || id === "") throw notTheApi(locator);
  return { id, attributes: fieldsOf(data["attributes"]) };
}

/** Where Terraform itself looks: the environment, else what `terraform login` wrote. */
async function tokenOf(hostname: string, { env, home }: Reading): Promise<string> {
  const host = hostname.replace(/:.*/, "");
  const named = env[`TF_TOKEN_${host.replaceAll(".", "_").replaceAll("-", "__")}`] ?? env[`TF_TOKEN_${host.replaceAll(".", "_")}`];
  if (named) return named;
  const file = path.join(home, ".terraform.d", "credentials.tfrc.json");
  const bytes = await readFileBytes(file, MOST_SETTINGS, file).catch(() => Buffer.alloc(0));
  const token = fieldsOf(fieldsOf(fieldsOf(parsed(bytes))["credentials"])[hostname])["token"];
  if (typeof token === "string" && token !== "") return token;
  throw new CollectError(`there is no token for \`${hostname}\``, { remedy: `set TF_TOKEN_${host.replaceAll(".", "_").replaceAll("-", "__")}, or run \`terraform login ${hostname}\`` });
}

function notTheApi(locator: string): CollectError {
  return new CollectError(`\`${locator}\` does not answer as the API of HCP Terraform`, { remedy: "check `hostname`" });
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function textIn(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}
