import { readFile } from "node:fs/promises";
import path from "node:path";
import { CollectError } from "#engine";
import { DocumentError, parseDocuments } from "../documents/index.ts";
import { codeOf } from "./faults.ts";
import type { ContextInfo, Surroundings } from "./place.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An entry of `clusters`, `users` or `contexts`, with the folder that its relative paths start from. */
interface Entry {
  readonly name: string;
  readonly fields: Fields;
  readonly file: string;
}

/** Several kubeconfig files as one: for each name, and for `current-context`, the first file wins. */
export interface Kubeconfig {
  readonly files: readonly string[];
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly currentContext: string | undefined;
}

export interface ClusterEntry {
  readonly name: string;
  readonly server: string;
  readonly tlsServerName?: string | undefined;
  readonly insecure: boolean;
  readonly ca?: FileOrData | undefined;
  readonly proxyUrl?: string | undefined;
  readonly compress: boolean;
  /** `config` of the extension that exec plugins are given; opaque. */
  readonly execConfig?: unknown;
}

/** Contents win over a path, as for kubectl. */
export type FileOrData = { readonly file: string } | { readonly data: string };

export interface UserEntry {
  readonly name: string;
  readonly certificate?: FileOrData | undefined;
  readonly key?: FileOrData | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly impersonate?: Impersonation | undefined;
  readonly exec?: ExecEntry | undefined;
  readonly authProvider?: { readonly name: string; readonly config: Readonly<Record<string, string>> } | undefined;
}

interface Impersonation {
  readonly user: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly provideClusterInfo: boolean;
  readonly interactive: boolean;
  readonly installHint?: string | undefined;
}

/** What one context names. A context without a user is anonymous, as for kubectl. */
export interface Context {
  readonly name: string;
  readonly cluster: ClusterEntry;
  readonly user?: UserEntry | undefined;
}

const largestKubeconfig = 16 * 1024 * 1024;

/** Reads the named file, or those that kubectl would read. Missing files of a list are skipped; a list with none at all is an error. */
export async function loadKubeconfig(
  named: string | undefined,
  { env, home }: Pick<Surroundings, "env" | "home">,
): Promise<Kubeconfig> {
  const list = env["KUBECONFIG"]?.split(path.delimiter).filter((file) => file !== "") ?? [];
  const files = named !== undefined ? [named] : list.length > 0 ? list : [path.join(home, ".kube", "config")];
  const read: (Kubeconfig | undefined)[] = [];
  for (const file of new Set(files.map((file) => expandHome(file, home)))) read.push(await readOne(file));
  const found = read.filter((config) => config !== undefined);
  if (found.length > 0) return merge(found);
  throw new CollectError(`no kubeconfig: ${files.map((file) => `\`${file}\``).join(", ")} does not exist`, {
    remedy: "name one with --kubeconfig FILE, in KUBECONFIG, or as `kubernetes.kubeconfig` of the cluster",
    unreachable: true,
  });
}

/** `~/x` below the home folder. */
export function expandHome(file: string, home: string): string {
  return file === "~" || file.startsWith("~/") ? path.join(home, file.slice(1)) : path.resolve(file);
}

function merge(configs: readonly Kubeconfig[]): Kubeconfig {
  const firstWins = (pick: (config: Kubeconfig) => ReadonlyMap<string, Entry>) =>
    new Map([...configs].reverse().flatMap((config) => [...pick(config)]));
  return {
    files: configs.flatMap(({ files }) => files),
    clusters: firstWins(({ clusters }) => clusters),
    users: firstWins(({ users }) => users),
    contexts: firstWins(({ contexts }) => contexts),
    currentContext: configs.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
  };
}

async function readOne(file: string): Promise<Kubeconfig | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  const root = parse(text, file);
  return {
    files: [file],
    clusters: entries(root, "clusters", "cluster", file),
    users: entries(root, "users", "user", file),
    contexts: entries(root, "contexts", "context", file),
    currentContext: textOf(root, "current-context", file),
  };
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > largestKubeconfig) throw broken(file, `is ${bytes.length} bytes long, more than ${largestKubeconfig}`);
    return bytes.toString("utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof CollectError) throw error;
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw broken(file, code === "EISDIR" ? "is a folder, not a file" : `cannot be read (${code})`);
  }
}

/** The first document counts, read as kubectl reads it: `yes` is true, and the last of two equal keys wins. */
function parse(text: string, file: string): Fields {
  const [first] = documentsIn(text, file);
  if (first === undefined) return {};
  if (isFields(first.value)) return first.value;
  throw broken(file, "is not a kubeconfig: a mapping with `clusters`, `users` and `contexts` was expected");
}

function documentsIn(text: string, file: string): ReturnType<typeof parseDocuments> {
  try {
    return parseDocuments(text, file, "kubernetes");
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    // Only the place is told: what the parser minds may be a part of a token.
    throw broken(file, error.at ? `is not valid YAML at line ${error.at.line}, column ${error.at.column}` : "is not valid YAML");
  }
}

function entries(root: Fields, list: string, field: string, file: string): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  const items = root[list] ?? [];
  if (!Array.isArray(items)) throw broken(file, `has a \`${list}\` that is not a list`);
  for (const [index, item] of items.entries()) {
    const name: unknown = isFields(item) ? item["name"] : undefined;
    if (!isFields(item) || typeof name !== "string" || name === "") throw broken(file, `has no name for entry ${index + 1} of \`${list}\``);
    if (found.has(name)) throw broken(file, `names \`${name}\` twice in \`${list}\``);
    const fields = item[field] ?? {};
    if (!isFields(fields)) throw broken(file, `has an entry \`${name}\` of \`${list}\` that is not a mapping`);
    found.set(name, { name, fields, file });
  }
  return found;
}

/** Every context, sorted by name. */
export function contextInfos(config: Kubeconfig): ContextInfo[] {
  return [...config.contexts.values()]
    .map(({ name, fields, file }) => {
      const cluster = textOf(fields, "cluster", file);
      const entry = cluster === undefined ? undefined : config.clusters.get(cluster);
      const server = entry && textOf(entry.fields, "server", entry.file);
      return {
        name,
        cluster,
        user: textOf(fields, "user", file),
        namespace: textOf(fields, "namespace", file),
        server: server === undefined ? undefined : withoutCredentials(server),
        file,
        current: name === config.currentContext,
      };
    })
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

/** A URL as it may be shown. */
export function withoutCredentials(text: string): string {
  const url = URL.parse(text);
  if (url === null) return "(not a URL)";
  return `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`;
}

/** The cluster and user that a context names. Throws CollectError where one of them is missing. */
export function contextOf(config: Kubeconfig, wanted: string | undefined): Context {
  const name = wanted ?? config.currentContext;
  const known = [...config.contexts.keys()].sort();
  const listed = known.length === 0 ? "there is none" : `known: ${known.map((one) => `\`${one}\``).join(", ")}`;
  if (name === undefined || name === "") {
    throw new CollectError("the kubeconfig has no current-context and none was named", { remedy: `name one with --context; ${listed}`, unreachable: true });
  }
  const entry = config.contexts.get(name);
  if (entry === undefined) {
    throw new CollectError(`unknown context \`${name}\` in ${config.files.map((file) => `\`${file}\``).join(", ")}`, {
      remedy: `name another context; ${listed}`,
      unreachable: true,
    });
  }
  const clusterName = textOf(entry.fields, "cluster", entry.file);
  const cluster = clusterName === undefined ? undefined : config.clusters.get(clusterName);
  if (cluster === undefined) throw dangling(name, "cluster", clusterName, entry.file);
  const userName = textOf(entry.fields, "user", entry.file);
  const user = userName === undefined || userName === "" ? undefined : config.users.get(userName);
  if (userName !== undefined && userName !== "" && user === undefined) throw dangling(name, "user", userName, entry.file);
  return { name, cluster: clusterOf(cluster), user: user && userOf(user) };
}

function dangling(context: string, what: "cluster" | "user", name: string | undefined, file: string): CollectError {
  return new CollectError(
    name === undefined ? `the context \`${context}\` names no ${what}` : `the context \`${context}\` names the ${what} \`${name}\`, which no kubeconfig defines`,
    { remedy: `add the ${what} to \`${file}\`, or to KUBECONFIG the file that defines it`, unreachable: true },
  );
}

function clusterOf({ name, fields, file }: Entry): ClusterEntry {
  const server = textOf(fields, "server", file);
  if (server === undefined || server === "") throw broken(file, `has a cluster \`${name}\` without \`server\``);
  return {
    name,
    server,
    tlsServerName: textOf(fields, "tls-server-name", file) || undefined,
    insecure: fields["insecure-skip-tls-verify"] === true,
    ca: fileOrData(fields, "certificate-authority", file),
    proxyUrl: textOf(fields, "proxy-url", file) || undefined,
    compress: fields["disable-compression"] !== true,
    execConfig: execConfigOf(fields),
  };
}

function execConfigOf(fields: Fields): unknown {
  const extensions = fields["extensions"];
  if (!Array.isArray(extensions)) return undefined;
  const found: unknown = extensions.find((item) => isFields(item) && item["name"] === "client.authentication.k8s.io/exec");
  return isFields(found) ? found["extension"] : undefined;
}

function userOf({ name, fields, file }: Entry): UserEntry {
  const tokenFile = textOf(fields, "tokenFile", file);
  return {
    name,
    certificate: fileOrData(fields, "client-certificate", file),
    key: fileOrData(fields, "client-key", file),
    token: textOf(fields, "token", file) || undefined,
    tokenFile: tokenFile ? path.resolve(path.dirname(file), tokenFile) : undefined,
    username: textOf(fields, "username", file) || undefined,
    password: textOf(fields, "password", file),
    impersonate: impersonationOf(fields, file),
    exec: fields["exec"] === undefined || fields["exec"] === null ? undefined : execOf(name, fields["exec"], file),
    authProvider: providerOf(fields["auth-provider"], file),
  };
}

function impersonationOf(fields: Fields, file: string): Impersonation | undefined {
  const user = textOf(fields, "as", file) ?? "";
  const uid = textOf(fields, "as-uid", file) || undefined;
  const groups = textsOf(fields, "as-groups", file);
  const extra = isFields(fields["as-user-extra"]) ? Object.entries(fields["as-user-extra"]) : [];
  // Left out, the user's own rights would be used where fewer were meant.
  if (user === "" && (uid !== undefined || groups.length > 0 || extra.length > 0)) throw broken(file, "impersonates groups, a uid or extra fields without a user (`as`)");
  if (user === "") return undefined;
  return {
    user,
    uid,
    groups,
    extra: new Map(extra.map(([key, values]) => [key, Array.isArray(values) ? values.map(String) : []])),
  };
}

function execOf(user: string, value: unknown, file: string): ExecEntry {
  if (!isFields(value)) throw broken(file, `has an \`exec\` of user \`${user}\` that is not a mapping`);
  const command = textOf(value, "command", file);
  if (command === undefined || command === "") throw broken(file, `has an \`exec\` of user \`${user}\` without \`command\``);
  const env = Array.isArray(value["env"]) ? value["env"].filter(isFields) : [];
  return {
    apiVersion: textOf(value, "apiVersion", file) ?? "",
    // A relative command with a separator starts at the kubeconfig; a bare name is looked up in PATH.
    command: command.includes("/") ? path.resolve(path.dirname(file), command) : command,
    args: textsOf(value, "args", file),
    env: env.map((item) => ({ name: textOf(item, "name", file) ?? "", value: textOf(item, "value", file) ?? "" })),
    provideClusterInfo: value["provideClusterInfo"] === true,
    interactive: value["interactiveMode"] === "Always",
    installHint: textOf(value, "installHint", file) || undefined,
  };
}

function providerOf(value: unknown, file: string): UserEntry["authProvider"] {
  if (!isFields(value)) return undefined;
  const config = isFields(value["config"]) ? value["config"] : {};
  const texts = Object.entries(config).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const absolute = texts.map(([key, text]): [string, string] =>
    key === "idp-certificate-authority" && text !== "" ? [key, path.resolve(path.dirname(file), text)] : [key, text],
  );
  return { name: textOf(value, "name", file) ?? "", config: Object.fromEntries(absolute) };
}

function fileOrData(fields: Fields, field: string, file: string): FileOrData | undefined {
  const data = textOf(fields, `${field}-data`, file);
  if (data) return { data };
  const named = textOf(fields, field, file);
  return named ? { file: path.resolve(path.dirname(file), named) } : undefined;
}

function textOf(fields: Fields, field: string, file: string): string | undefined {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw broken(file, `has a \`${field}\` that is not text`);
}

function textsOf(fields: Fields, field: string, file: string): readonly string[] {
  const value = fields[field] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw broken(file, `has a \`${field}\` that is not a list of texts`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(file: string, what: string): CollectError {
  return new CollectError(`the kubeconfig \`${file}\` ${what}`, {
    remedy: "repair the file (`kubectl config view` reads it in the same way), or name another with --kubeconfig",
    unreachable: true,
  });
}
