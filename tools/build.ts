/**
 * `npm run build [-- DIR]`: writes `dist/`, or DIR, the package that users install: bundled JavaScript with its own package.json.
 * Everything it needs is inside, so it has no dependencies and starts fast; heavy parts stay in chunks of their own.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { commands } from "../cli/commands/index.ts";
import { discover } from "../cli/discover.ts";
import { loadSuite } from "../cli/load/index.ts";
import * as engine from "../engine/index.ts";
import * as routes from "../routes/index.ts";
import { build, type OutputChunk, type Plugin, type RolldownOutput } from "rolldown";

const root = join(import.meta.dirname, "..");
const dist = resolve(process.argv[2] ?? join(root, "dist"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown> & { version: string };

/** Files that are read at run time, by their path from the root; the release has them at the same path. */
const DATA = ["assertions", "cli/completion", "deploy/rbac", "docs/schema", "LICENSE", "README.md", "CHANGELOG.md"];

/** Puts a list with imports in the place of the module that reads the folders of built-in plug-ins; each is one file. */
const builtins: Plugin = {
  name: "builtins",
  resolveId: (id) => (id.startsWith(BUILT_IN) ? { id } : undefined),
  load(id) {
    if (id.startsWith(BUILT_IN)) return { code: pluginModule(id.slice(BUILT_IN.length)), moduleType: "js" };
    if (id === join(root, "cli/builtin.ts")) return { code: builtinModule(), moduleType: "js" };
    return id === join(root, "cli/load/built-in.ts") ? { code: suiteModule, moduleType: "js" } : undefined;
  },
};

const BUILT_IN = "built-in:";

/** The built-in suite as it is read now, defaults filled in. */
const suiteModule = `
  import { withKinds } from "./assertions.ts";
  export const loadSuite = async (plugins) => withKinds(JSON.parse(${JSON.stringify(JSON.stringify((await loadSuite(await discover([]))).assertions))}), plugins);`;

type PluginType = "kind" | "collector";

function builtinModule(): string {
  const entries = (room: string, type: PluginType) =>
    readdirSync(join(root, room), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, room, entry.name, `${type}.ts`)))
      .map((entry) => entry.name)
      .sort()
      .map((name) => entryOf(room, name, type));
  return `
    export async function loadBuiltins() {
      return { kinds: [${entries("kinds", "kind").join(",")}], collectors: [${entries("collectors", "collector").join(",")}] };
    }`;
}

function entryOf(room: string, name: string, type: PluginType): string {
  const folder = `${room}/${name}`;
  const module = `import("${BUILT_IN}${folder}")`;
  return `{
    type: "${type}", folder: "${folder}", name: "${name}",
    load: () => ${module},
    schema: async () => JSON.stringify((await ${module}).schema) ?? "",
    validator: async () => (await ${module}).validator,
    readme: async () => (await ${module}).readme,
  }`;
}

/** Everything of one plug-in. */
function pluginModule(folder: string): string {
  const has = (file: string) => existsSync(join(root, folder, file));
  const from = (file: string) => JSON.stringify(join(root, folder, file));
  return [
    `export { default } from ${from(has("kind.ts") ? "kind.ts" : "collector.ts")};`,
    `export { default as readme } from ${from("README.md")};`,
    has("schema.json") ? `export { default as schema } from ${from("schema.json")};` : "export const schema = undefined;",
    has("validate.generated.js") ? `export * as validator from ${from("validate.generated.js")};` : "export const validator = undefined;",
  ].join("\n");
}

/** Installed by those who need them, beside the release: together they are larger than all the rest. */
const OPTIONAL = Object.entries(manifest["optionalDependencies"] as Readonly<Record<string, string>>).filter(([name]) => name.startsWith("@"));

/** The thread that parses HCL is a file that is started by its name; chunks lie beside it. */
const THREAD = ["./hcl-worker.ts", "./hcl-worker.cjs"] as const;

const thread: Plugin = {
  name: "thread",
  transform: (code, id) => (id.startsWith(join(root, "clients")) ? code.replaceAll(`"${THREAD[0]}"`, `"${THREAD[1]}"`) : undefined),
};

/** Floors that all else stands on, in the order in which they are cut out: one file each, wherever they are used. */
const FLOORS = ["values", "engine", "routes"];

/**
 * What most runs need and that is small, with all that it imports, in one file: each file that is loaded costs half a millisecond.
 * Everything else stays apart: what brings a large library, what few runs ask for, and what `--version` does without.
 */
const MAIN = /^(cli\/(argv|print|terminal)\.ts|cli\/commands\/|clients\/(documents|kubernetes|registry|signatures|states)\/index\.ts|reports\/(index|terminal|json)\.ts)/;
const FIRST = /^cli\/process\.ts/;
const APART = /^(cli\/load\/ajv\.ts|cli\/routes\/|cli\/commands\/(compare|route)\.ts)/;

/** Floors that others import. */
const FACES = { engine, routes };

/** Which of the shared files a module goes to, with all that it imports; the first that wants it has it. Left out: to those that import it. */
const partOf = new Map<string, string>();

const parts: Plugin = {
  name: "parts",
  buildEnd() {
    const put = (part: string, id: string): void => {
      if (partOf.has(id) || APART.test(pathOf(id)) || (floorOf(id) ?? part) !== part) return;
      partOf.set(id, part);
      this.getModuleInfo(id)?.importedIds.forEach((imported) => put(part, imported));
    };
    const ids = [...this.getModuleIds()];
    for (const floor of FLOORS) for (const id of ids) if (floorOf(id) === floor) put(floor, id);
    for (const [part, wanted] of [["first", FIRST], ["main", MAIN]] as const) for (const id of ids) if (wanted.test(pathOf(id))) put(part, id);
  },
};

function pathOf(id: string): string {
  return relative(root, id).replaceAll("\\", "/");
}

function floorOf(id: string): string | undefined {
  return FLOORS.find((floor) => pathOf(id).startsWith(`${floor}/`));
}

/** What Commander asks of Node and we do not need: it runs no other program for us, and our help has no colours to take out. */
const COMMANDER_DOES_WITHOUT: Readonly<Record<string, string>> = {
  "node:child_process": "export default {}",
  "node:process": "export default globalThis.process",
  "node:util": "export const stripVTControlCharacters = (text) => text",
};

/** What our own modules take from these, loaded when it is called: a report for programs has no colours, few runs hash or sign, and plain files are read at once. */
const OWN: Readonly<Record<string, string>> = {
  "node:fs/promises": whenCalled("node:fs/promises", ["access", "appendFile", "mkdir", "mkdtemp", "open", "readFile", "readdir", "readlink", "realpath", "rename", "rm", "stat", "writeFile"]),
  "node:util": whenCalled("node:util", ["styleText", "isDeepStrictEqual", "promisify"]),
  "node:crypto": `${whenCalled("node:crypto", ["createHash", "createPublicKey", "hash", "randomBytes", "randomUUID", "verify"])}
    export function X509Certificate(...words) { return new (process.getBuiltinModule("node:crypto").X509Certificate)(...words); }`,
};

function whenCalled(module: string, names: readonly string[]): string {
  return names.map((name) => `export const ${name} = (...words) => process.getBuiltinModule("${module}").${name}(...words);`).join("\n");
}

const OWN_IDS = "light:own ";

/** These modules of Node take longer to load than those that ask for them take to work. */
const light: Plugin = {
  name: "light",
  resolveId(id, importer = "") {
    if (importer.includes("/node_modules/commander/") && id in COMMANDER_DOES_WITHOUT) return { id: `light:${id}` };
    return id in OWN && !importer.includes("/node_modules/") ? { id: `${OWN_IDS}${id}` } : undefined;
  },
  load(id) {
    if (!id.startsWith("light:")) return undefined;
    return { code: (id.startsWith(OWN_IDS) ? OWN[id.slice(OWN_IDS.length)] : COMMANDER_DOES_WITHOUT[id.slice("light:".length)]) ?? "", moduleType: "js" };
  },
};

/** Of the manifest only the version is told. */
const ownVersion: Plugin = {
  name: "own version",
  load: (id) => (id === join(root, "package.json") ? { code: JSON.stringify({ version: manifest.version }), moduleType: "json" } : undefined),
};

/** Names stay what they are in the source: they are in what `--verbose` prints. */
const MINIFY = { compress: true, mangle: false, codegen: { removeWhitespace: true } } as const;

async function bundle(): Promise<RolldownOutput["output"]> {
  const { output } = await build({
    cwd: root,
    platform: "node",
    input: { "cli/process": "cli/process.ts", ...Object.fromEntries(FLOORS.map((floor) => [`${floor}/index`, `${floor}/index.ts`])) },
    external: OPTIONAL.map(([name]) => name),
    moduleTypes: { ".md": "text" },
    plugins: [builtins, thread, light, ownVersion, parts],
    checks: { ineffectiveDynamicImport: false },
    preserveEntrySignatures: "allow-extension",
    output: {
      dir: dist,
      format: "cjs",
      entryFileNames: "[name].cjs",
      // Chunks lie beside the command line, as deep as its own modules: what is found from `import.meta.url` is found there too.
      chunkFileNames: "cli/[name]-[hash].cjs",
      minify: MINIFY,
      comments: false,
      codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: (id) => partOf.get(id) ?? null, debugName: "parts" }] },
    },
  });
  return output;
}

/** The parser of HCL reads its own WebAssembly from the folder above. */
async function bundleThread(): Promise<RolldownOutput["output"]> {
  const { output } = await build({
    cwd: root,
    platform: "node",
    input: "clients/states/hcl-worker.ts",
    // Asked for only where there is no such global.
    external: ["performance"],
    output: { file: join(dist, "cli", THREAD[1]), format: "cjs", minify: MINIFY, comments: false },
  });
  cpSync(join(root, "node_modules/@cdktf/hcl2json/main.wasm.gz"), join(dist, "main.wasm.gz"));
  return output;
}

/** What starts the scripts, and the faces that others import: all that is an ES module in a release. */
function writeLoader(scripts: readonly OutputChunk[]): void {
  const hash = createHash("sha256");
  for (const { fileName } of scripts) {
    const path = join(dist, fileName);
    // One byte a character: half the memory, and read as it lies there.
    const code = importing(readFileSync(path, "utf8"), fileName).replace(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    hash.update(fileName).update(code);
    writeFileSync(path, code);
  }
  const loader = readFileSync(join(root, "tools/release.mjs"), "utf8").replace('"BUILD"', JSON.stringify(hash.digest("hex").slice(0, 16))).replace('["COMMANDS"]', JSON.stringify(commands.map(({ name }) => name)));
  writeFileSync(join(dist, "cli/process.js"), loader);
  for (const [face, exported] of Object.entries(FACES)) writeFileSync(join(dist, face, "index.js"), `import { load } from "../cli/process.js";\nexport const { ${Object.keys(exported).join(", ")} } = load("${face}/index.cjs");\n`);
}

/** Scripts cannot import by themselves: what is no part of the release is imported by what starts them. */
function importing(code: string, fileName: string): string {
  const out = code.replaceAll(/\bimport\((?=`@|\(0,)/g, "importModule(");
  if (/(?<![\w$.}])import\(/.test(out)) throw new Error(`${fileName} imports something that is neither a library beside the release nor a plug-in`);
  return out;
}

/** Names, versions and licences of the libraries inside the bundles. */
function licences(modules: readonly string[]): string {
  const inputs = modules.map(pathOf);
  const folders = new Set(inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []));
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<string, string>;
      const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? "" : `\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`;
      return `${name} ${version} (${license})\n${text}`;
    })
    .join(`\n${"-".repeat(72)}\n\n`);
}

/** Types of the public faces, for those who write plug-ins. */
function declarations(): void {
  const { status, stdout } = spawnSync(
    join(root, "node_modules/.bin/tsc"),
    ["-p", "tools/tsconfig.types.json", "--outDir", join(dist, "types")],
    { cwd: root, encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error(`the declarations cannot be written:\n${stdout}`);
}

function packageJson(): Record<string, unknown> {
  const { name, version, description, license } = manifest;
  const types = (room: string) => ({ types: `./types/${room}/index.d.ts`, default: `./${room}/index.js` });
  return {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { assert: "cli/bin.mjs", "cloud-assert": "cli/bin.mjs" },
    exports: { ".": types("engine"), "./routes": types("routes") },
    imports: { "#values": "./types/values/index.d.ts", "#routes": "./types/routes/index.d.ts", "#engine": "./types/engine/index.d.ts" },
    engines: manifest["engines"],
    peerDependencies: Object.fromEntries(OPTIONAL),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL.map(([name]) => [name, { optional: true }])),
  };
}

rmSync(dist, { recursive: true, force: true });
const scripts = (await bundle()).filter((output) => output.type === "chunk");
const chunks = [...scripts, ...(await bundleThread()).filter((output) => output.type === "chunk")];
for (const path of DATA) {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(root, path), join(dist, path), { recursive: true });
}
cpSync(join(root, "cli/bin.mjs"), join(dist, "cli/bin.mjs"));
writeLoader(scripts);
declarations();
writeFileSync(join(dist, "THIRD-PARTY-LICENSES.txt"), licences(chunks.flatMap(({ moduleIds }) => moduleIds)));
writeFileSync(join(dist, "package.json"), `${JSON.stringify(packageJson(), null, 2)}\n`);
for (const { fileName, imports } of chunks) {
  const above = FLOORS.some((floor) => fileName === `${floor}/index.cjs`) ? imports.filter((name) => name.startsWith("cli/") && !name.startsWith("cli/rolldown-runtime")) : [];
  if (above.length > 0) throw new Error(`${fileName} imports ${above.join(", ")}, which stands on it`);
}
const bytes = chunks.reduce((sum, { code }) => sum + code.length, 0);
console.log(`${relative(root, dist)}: ${chunks.length} modules, ${(bytes / 1e6).toFixed(1)} MB`);
