import { resolve } from "node:path";
import { PluginError, type AnyCollector, type AnyKind, type JsonObject } from "#engine";
import { loadBuiltins, type Builtins } from "./builtin.ts";
import { readPluginDir, type PluginFolder } from "./plugins.ts";
import { validatorOf, type Validate, type Violation } from "./load/schema.ts";

/** Every kind and collector there is, ours and others'. Nothing of them is loaded before it is asked for. */
export interface Plugins {
  /** By the word users write as `kind:`. */
  readonly kinds: ReadonlyMap<string, DiscoveredKind>;
  /** All collectors; loads them. Throws PluginError where two provide one kind of fact. */
  collectors(): Promise<readonly AnyCollector[]>;
}

export interface DiscoveredKind {
  readonly name: string;
  /** As messages name it. */
  readonly folder: string;
  /** The implementation; loads it. Throws PluginError where the folder holds something else. */
  kind(): Promise<AnyKind>;
  /** The schema of `spec`, without the fields that all kinds share. */
  schema(): Promise<JsonObject>;
  /** What is wrong with a spec; fills its defaults in. */
  validate(spec: object): Promise<readonly Violation[]>;
  readme(): Promise<string>;
}

/**
 * Finds the built-in plug-ins and those in `pluginDirs` (relative to `cwd`); both take the same door.
 *
 * 1. A kind's folder is the kebab form of its name; nothing else maps them.
 * 2. Two kinds of one name are refused, as is a folder that is no plug-in.
 *
 * Throws {@link PluginError}.
 */
export async function discover(pluginDirs: readonly string[], cwd = process.cwd(), builtins?: Builtins): Promise<Plugins> {
  const own = builtins ?? (await loadBuiltins());
  const foreign = (await Promise.all(pluginDirs.map((dir) => readPluginDir(resolve(cwd, dir), dir)))).flat();
  const folders = [...own.kinds, ...own.collectors, ...foreign];
  let loading: Promise<readonly AnyCollector[]> | undefined;
  return {
    kinds: kindsOf(folders.filter((folder) => folder.type === "kind")),
    collectors: () => (loading ??= collectorsOf(folders.filter((folder) => folder.type === "collector"))),
  };
}

/** `envoy-version-skew` for `EnvoyVersionSkew`. */
export function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-").toLowerCase();
}

/** `EnvoyVersionSkew` for `envoy-version-skew`. */
export function pascal(folder: string): string {
  return folder.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}

function kindsOf(folders: readonly PluginFolder[]): ReadonlyMap<string, DiscoveredKind> {
  const kinds = new Map<string, DiscoveredKind>();
  for (const folder of folders) {
    const name = pascal(folder.name);
    const other = kinds.get(name);
    if (other) throw twice(`the kind \`${name}\``, other.folder, folder.folder);
    kinds.set(name, kindOf(name, folder));
  }
  return kinds;
}

function kindOf(name: string, folder: PluginFolder): DiscoveredKind {
  const schema = once(async () => parseSchema(await folder.schema(), folder.folder));
  const validate = once(async (): Promise<Validate> => validatorOf(await schema(), await folder.validator()));
  return {
    name,
    folder: folder.folder,
    kind: once(async () => checkedKind((await folder.load()).default, name, folder)),
    schema,
    validate: async (spec) => (await validate())(spec),
    readme: () => folder.readme(),
  };
}

function checkedKind(value: unknown, name: string, { folder, name: folderName }: PluginFolder): AnyKind {
  const kind = value as Partial<Record<keyof AnyKind, unknown>> | undefined;
  const problem =
    typeof kind !== "object" || kind === null
      ? "has no default export made with `defineKind`"
      : typeof kind.name !== "string" || typeof kind.summary !== "string"
        ? "exports a kind without `name` or `summary`"
        : typeof kind.needs !== "function" || typeof kind.judge !== "function"
          ? "exports a kind without `needs` or `judge`"
          : kind.name !== name
            ? `exports the kind \`${kind.name}\`, but its folder is named \`${folderName}\` (\`${kebab(kind.name)}\` is wanted)`
            : undefined;
  if (problem === undefined) return value as AnyKind;
  throw new PluginError(`\`${folder}\` ${problem}`, { remedy: "see `kinds/README.md` for what a kind exports" });
}

async function collectorsOf(folders: readonly PluginFolder[]): Promise<readonly AnyCollector[]> {
  const collectors = await Promise.all(folders.map(async (folder) => checkedCollector((await folder.load()).default, folder)));
  const providers = new Map<string, string>();
  for (const [index, collector] of collectors.entries()) {
    const folder = folders[index]?.folder ?? collector.name;
    for (const fact of collector.provides as readonly string[]) {
      const other = providers.get(fact);
      if (other !== undefined) throw twice(`the fact \`${fact}\``, other, folder);
      providers.set(fact, folder);
    }
  }
  return collectors;
}

function checkedCollector(value: unknown, { folder, name }: PluginFolder): AnyCollector {
  const collector = value as Partial<Record<keyof AnyCollector, unknown>> | undefined;
  const problem =
    typeof collector !== "object" || collector === null
      ? "has no default export made with `defineCollector`"
      : typeof collector.name !== "string" || typeof collector.summary !== "string"
        ? "exports a collector without `name` or `summary`"
        : !Array.isArray(collector.provides) || typeof collector.collect !== "function"
          ? "exports a collector without `provides` or `collect`"
          : collector.name !== name
            ? `exports the collector \`${collector.name}\`, but its folder is named \`${name}\``
            : undefined;
  if (problem === undefined) return value as AnyCollector;
  throw new PluginError(`\`${folder}\` ${problem}`, { remedy: "see `collectors/README.md` for what a collector exports" });
}

function twice(what: string, first: string, second: string): PluginError {
  return new PluginError(`${what} is provided twice: by \`${first}\` and by \`${second}\``, {
    remedy: "leave one of the two --plugin out, or rename one",
  });
}

function parseSchema(text: string, folder: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch (cause) {
    throw new PluginError(`\`${folder}/schema.json\` is not JSON`, { remedy: "correct it; `npm run generate` checks it", cause });
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
