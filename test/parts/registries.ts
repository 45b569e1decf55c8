import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { freePorts, scratchFolder, start } from "./process.ts";
import { listening, type Store } from "./stores.ts";

/** A registry that runs. */
export interface RunningRegistry extends Store {
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

/** A user of a registry, with the password in bcrypt, the one form that it takes. */
export interface RegistryUser {
  readonly name: string;
  readonly bcrypt: string;
}

/** Distribution's registry on a folder: it has no referrers API. With a user it asks everybody to sign in. */
export async function startDistribution(program: string, user?: RegistryUser): Promise<RunningRegistry> {
  const folder = await scratchFolder("registry");
  const [port = 0] = await freePorts(1);
  const auth = user === undefined ? [] : [`auth: {htpasswd: {realm: test, path: ${path.join(folder, "users")}}}`];
  if (user !== undefined) await writeFile(path.join(folder, "users"), `${user.name}:${user.bcrypt}\n`);
  await mkdir(path.join(folder, "data"));
  const config = ["version: 0.1", "log: {level: warn, accesslog: {disabled: true}}", `storage: {filesystem: {rootdirectory: ${path.join(folder, "data")}}, delete: {enabled: true}}`, ...auth, `http: {addr: "127.0.0.1:${port}", secret: ${createHash("sha256").update(folder).digest("hex")}}`];
  await writeFile(path.join(folder, "config.yml"), `${config.join("\n")}\n`);
  const server = await start(program, ["serve", path.join(folder, "config.yml")], { logFile: path.join(folder, "log") });
  return { ...(await listening(server, port)), host: `127.0.0.1:${port}` };
}

/** A registry in memory that has the referrers API. */
export async function startReferrersRegistry(program: string): Promise<RunningRegistry> {
  const folder = await scratchFolder("registry");
  const [port = 0] = await freePorts(1);
  const server = await start(program, [`127.0.0.1:${port}`], { logFile: path.join(folder, "log") });
  return { ...(await listening(server, port)), host: `127.0.0.1:${port}` };
}
