import { createHash } from "node:crypto";
import { CollectError } from "#engine";
import { shownUrl } from "./names.ts";
import { DEFAULT_WORKSPACE, type HttpSettings, type Reading } from "./place.ts";
import type { Found } from "./read.ts";
import { ask } from "./request.ts";
import { noState, refusedBy } from "./words.ts";

/** Reads the state of Terraform's backend `http`. User and password come from `TF_HTTP_USERNAME` and `TF_HTTP_PASSWORD`. */
export async function readHttp({ address }: HttpSettings, workspace: string | undefined, reading: Reading): Promise<Found> {
  if (workspace !== undefined && workspace !== DEFAULT_WORKSPACE) {
    throw new CollectError("the backend `http` has no workspaces", { remedy: "name the address of that state, and leave `workspace` out" });
  }
  const locator = shownUrl(address);
  const answer = await ask(address, loginOf(reading.env), reading);
  const { status, body, type, header } = answer;
  // A server of this protocol says in this way that nothing was written yet.
  if (status === 204) return { bytes: body, locator };
  if (status === 404) throw noState(locator);
  if (status === 401 || status === 403) throw refusedBy(locator, status, "set TF_HTTP_USERNAME and TF_HTTP_PASSWORD, and allow this user to read it");
  if (status !== 200) throw new CollectError(`\`${locator}\` answered ${status} where a state was expected`, { remedy: "check the address and the log of that server" });
  if (type === "text/html") throw new CollectError(`\`${locator}\` answered with a web page where a state was expected`, { remedy: "check the address and the credentials: this may be a login page" });
  if ((header("content-encoding") ?? "identity").toLowerCase() !== "identity") throw new CollectError(`\`${locator}\` answered with a packed state, which was not asked for`, { remedy: "switch compression off for this address" });
  const digest = header("content-md5");
  if (digest !== undefined && digest !== createHash("md5").update(body).digest("base64")) {
    throw new CollectError(`the state at \`${locator}\` is not the one that its Content-MD5 stands for`, { remedy: "run again; it may have been written while it was read" });
  }
  return { bytes: body, locator, modified: header("last-modified") };
}

function loginOf(env: Reading["env"]): Readonly<Record<string, string>> {
  const [user, password] = [env["TF_HTTP_USERNAME"], env["TF_HTTP_PASSWORD"]];
  if (!user) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` };
}
