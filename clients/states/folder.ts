import { readdir } from "node:fs/promises";
import path from "node:path";
import { CollectError } from "#engine";
import { foreignText } from "#values";
import { codeOf } from "../kubernetes/faults.ts";
import { placeOf, type Backend } from "./backend.ts";
import { atHome, readFileBytes, staysWithin } from "./file.ts";
import { DEFAULT_WORKSPACE, type FolderPlace, type Reading, type StatePlace } from "./place.ts";
import { parseHcl } from "./hcl.ts";
import { fieldsOf, isFields, type Fields } from "./fields.ts";

const LARGEST_FILE = 16 * 1024 * 1024;
const MOST_FILES = 5_000;

/**
 * Where a folder of configuration keeps its state, as Terraform itself finds out: the backend that the folder names, with the files of
 * `backendConfig` over it; where it was initialised, as it was then. Nothing is evaluated, and nothing guessed: an argument that is no plain
 * value, two backends, or a folder that was initialised with another backend than it names now are errors that say so.
 */
export async function placeIn(folder: FolderPlace, reading: Reading): Promise<StatePlace> {
  const dir = atHome(folder.dir, reading.home);
  await staysWithin(dir, folder.shown, reading.within);
  const named = await backendNamed({ ...folder, dir }, reading);
  const initialised = await backendInitialised({ ...folder, dir }, reading);
  const given = await settingsGiven(folder, reading);
  const workspace = folder.workspace ?? (await workspaceSelected({ ...folder, dir }, reading));
  const place = placeOf(effective(named, initialised, given, folder.shown), { dir, shown: folder.shown, workspace, env: reading.env });
  if (reading.within === undefined || place.form === "state") return place;
  throw new CollectError(`--untrusted: the state that \`${folder.shown}\` names is not read, because only its files name it`, {
    remedy: "check the state out beside the fleet file and name it as `state`, or run without --untrusted after reading the change",
  });
}

/** The backend as it is used. */
function effective(named: Backend, initialised: Backend | undefined, given: Fields | undefined, shown: string): Backend {
  if (initialised === undefined || given !== undefined) return given === undefined ? named : { ...named, settings: { ...named.settings, ...given } };
  if (initialised.type === named.type && !contradicts(named.settings, initialised.settings)) return initialised;
  throw new CollectError(`\`${shown}\` was initialised with another backend (\`${initialised.type}\`) than its files name now (\`${named.type}\`${initialised.type === named.type ? ", with other settings" : ""})`, {
    remedy: "run `terraform init` there, or remove its folder `.terraform`",
  });
}

/** Does a plain value of the configuration differ from the one that was used when the folder was initialised? */
function contradicts(named: Fields, initialised: Fields): boolean {
  return Object.entries(named).some(([key, value]) => {
    const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return isPlain && !String(value).includes("${") && initialised[key] !== undefined && initialised[key] !== null && foreignText(initialised[key]) !== foreignText(value);
  });
}

interface SourceFile {
  readonly name: string;
  readonly shown: string;
  readonly text: string;
}

async function backendNamed(folder: FolderPlace, reading: Reading): Promise<Backend> {
  const names = await namesIn(folder);
  const ofTofu = names.filter((name) => /\.tofu(\.json)?$/.test(name));
  const ofTerraform = names.filter((name) => /\.tf(\.json)?$/.test(name));
  if (ofTofu.length === 0 && ofTerraform.length === 0) throw noConfiguration(folder.shown, names);
  const files = await Promise.all([...ofTofu, ...ofTerraform].map((name) => readSource(folder, name, reading)));
  const found = new Map(await Promise.all(files.map(async (file) => [file.name, await backendsIn(file, reading)] as const)));
  const chosen = (some: readonly string[]) => choose(some.map((name) => ({ name, backends: found.get(name) ?? [] })), folder.shown);
  // OpenTofu reads `a.tofu` in place of `a.tf`; Terraform reads neither it nor any other.
  const replaced = new Set(ofTofu.map((name) => name.replace(".tofu", ".tf")));
  const tofu = chosen([...ofTofu, ...ofTerraform.filter((name) => !replaced.has(name))].sort());
  const terraform = chosen(ofTerraform);
  if (ofTofu.length > 0 && ofTerraform.length > 0 && JSON.stringify([tofu.type, tofu.settings]) !== JSON.stringify([terraform.type, terraform.settings])) {
    throw new CollectError(`OpenTofu and Terraform would find different backends in \`${folder.shown}\``, { remedy: "name the state itself in place of the folder" });
  }
  return ofTofu.length > 0 ? tofu : terraform;
}

async function namesIn({ dir, shown }: FolderPlace): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    const code = codeOf(error);
    const what = code === "ENOENT" ? "does not exist" : code === "ENOTDIR" ? "is a file, not a folder" : `cannot be read (${code})`;
    throw new CollectError(`the folder \`${shown}\` ${what}`, { remedy: code === "ENOTDIR" ? "write `state:` for a state file" : "check the path; relative ones start at the fleet file" });
  });
  // As Terraform leaves out what editors leave behind.
  const own = names.filter((name) => !name.startsWith(".") && !name.endsWith("~") && !(name.startsWith("#") && name.endsWith("#"))).sort();
  if (own.length > MOST_FILES) throw new CollectError(`the folder \`${shown}\` holds more than ${MOST_FILES} files`, { remedy: "name the state itself in place of the folder" });
  return own;
}

function noConfiguration(shown: string, names: readonly string[]): CollectError {
  if (names.includes("terragrunt.hcl")) {
    return new CollectError(`\`${shown}\` is a folder of Terragrunt, which makes its backend when it runs`, { remedy: `use \`command: [terragrunt, state, pull, --working-dir, ${shown}]\`` });
  }
  return new CollectError(`\`${shown}\` holds no Terraform configuration`, { remedy: "name a folder with `*.tf` files; one below is not looked into" });
}

async function readSource({ dir, shown }: FolderPlace, name: string, reading: Reading): Promise<SourceFile> {
  const file = { name, shown: path.join(shown, name) };
  await staysWithin(path.join(dir, name), file.shown, reading.within);
  return { ...file, text: (await readFileBytes(path.join(dir, name), LARGEST_FILE, file.shown)).toString("utf8").replace(/^\u{feff}/u, "") };
}

/** Every backend that a file names; a file of HCL without the words for it is not parsed. */
async function backendsIn(file: SourceFile, reading: Reading): Promise<readonly Backend[]> {
  const isJson = file.name.endsWith(".json");
  if (!isJson && (!/\b(?:backend|cloud|state_store|encryption)\b/.test(file.text) || !file.text.includes("terraform"))) return [];
  const value = isJson ? parseJson(file) : await parseHcl(file.text, file.shown, reading.signal);
  return blocksOf(fieldsOf(value)["terraform"]).flatMap((terraform): readonly Backend[] => {
    const about = (type: string, settings: Fields): Backend => ({ type, settings, file: file.shown, lineOf: (argument) => lineOf(file.text, argument) });
    if (terraform["encryption"] !== undefined) {
      throw new CollectError(`${file.shown}:${lineOf(file.text)} encrypts its state (\`encryption\`), so that OpenTofu alone can read it`, { remedy: `use \`command: [tofu, -chdir=DIR, state, pull]\`` });
    }
    const named = (word: string, prefix = "") => blocksOf(terraform[word]).flatMap((types) => Object.entries(types).flatMap(([type, blocks]) => blocksOf(blocks).map((settings) => about(prefix + type, settings))));
    return [...named("backend"), ...named("state_store", "state_store "), ...blocksOf(terraform["cloud"]).map((settings) => about("cloud", settings))];
  });
}

/** One is named at most; files of overrides replace it whole, the last one last. None: the backend `local`. */
function choose(files: readonly { readonly name: string; readonly backends: readonly Backend[] }[], shown: string): Backend {
  const isOverride = ({ name }: { readonly name: string }) => /^(?:.*_)?override\.(?:tf|tofu)(?:\.json)?$/.test(name);
  const primary = files.filter((file) => !isOverride(file)).flatMap(({ backends }) => backends);
  const [first, second] = primary;
  if (second !== undefined) {
    throw new CollectError(`\`${shown}\` names two backends: at ${first?.file ?? ""}:${first?.lineOf() ?? 1} and at ${second.file}:${second.lineOf()}`, { remedy: "leave one of them" });
  }
  return files.filter(isOverride).flatMap(({ backends }) => backends).at(-1) ?? first ?? { type: "local", settings: {}, file: shown, lineOf: () => 1 };
}

/** What `terraform init` left behind: the backend with every setting that it was given. May hold credentials, of which nothing is used. */
async function backendInitialised({ dir, shown }: FolderPlace, reading: Reading): Promise<Backend | undefined> {
  const text = await optionalText(path.join(dir, ".terraform", "terraform.tfstate"), path.join(shown, ".terraform/terraform.tfstate"), reading);
  if (text === undefined) return undefined;
  const value = fieldsOf(parsed(text));
  const { type, config } = fieldsOf(value["backend"]);
  if (typeof type !== "string") return undefined;
  const settings = Object.fromEntries(Object.entries(fieldsOf(config)).filter(([, setting]) => setting !== null));
  return { type, settings, file: path.join(shown, ".terraform/terraform.tfstate"), lineOf: () => 1 };
}

async function settingsGiven({ backendConfig }: FolderPlace, reading: Reading): Promise<Fields | undefined> {
  if (backendConfig.length === 0) return undefined;
  const all: Fields[] = [];
  for (const { file, shown } of backendConfig) {
    const real = atHome(file, reading.home);
    await staysWithin(real, shown, reading.within);
    const text = (await readFileBytes(real, LARGEST_FILE, shown)).toString("utf8");
    all.push(fieldsOf(file.endsWith(".json") ? parseJson({ text, shown }) : await parseHcl(text, shown, reading.signal)));
  }
  return Object.assign({}, ...all) as Fields;
}

async function workspaceSelected({ dir, shown }: FolderPlace, reading: Reading): Promise<string> {
  const text = (await optionalText(path.join(dir, ".terraform", "environment"), path.join(shown, ".terraform/environment"), reading))?.trim() ?? "";
  if (text === "") return DEFAULT_WORKSPACE;
  if (/^(?!\.{1,2}$)[A-Za-z0-9._~$&+=:@-]{1,90}$/.test(text)) return text;
  throw new CollectError(`\`${path.join(shown, ".terraform/environment")}\` holds no name of a workspace`, { remedy: "name it in the fleet file as `workspace`" });
}

async function optionalText(file: string, shown: string, reading: Reading): Promise<string | undefined> {
  await staysWithin(file, shown, reading.within);
  return readFileBytes(file, LARGEST_FILE, shown).then(
    (bytes) => bytes.toString("utf8"),
    () => undefined,
  );
}

/** The line of an argument of the backend, or of the backend. The parser tells no places; what is sought stands in one line nearly always. */
function lineOf(text: string, argument?: string): number {
  const lines = text.split("\n");
  const block = lines.findIndex((line) => /^\s*"?(?:backend|cloud|state_store|encryption)\b/.test(line));
  const within = argument === undefined ? -1 : lines.findIndex((line, index) => index >= block && line.trimStart().replace(/^"/, "").startsWith(argument));
  return (within === -1 ? Math.max(block, 0) : within) + 1;
}

function parseJson({ text, shown }: { readonly text: string; readonly shown: string }): unknown {
  const value = parsed(text);
  if (value === undefined) throw new CollectError(`\`${shown}\` is not valid JSON`, { remedy: "correct it; `terraform validate` tells where" });
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function blocksOf(value: unknown): readonly Fields[] {
  return [value].flat().filter(isFields);
}
