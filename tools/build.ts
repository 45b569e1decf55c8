/**
 * `npm run build [-- DIR]`: writes `dist/`, or DIR, the package that users install: bundled JavaScript with its own package.json.
 * Everything it needs is inside, so it has no dependencies and starts fast; heavy parts stay in chunks of their own.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = resolve(process.argv[2] ?? join(root, "dist"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown> & { version: string };

/** Files that are read at run time, by their path from the root; the release has them at the same path. */
const DATA = ["assertions", "cli/completion", "deploy/rbac", "docs/schema", "LICENSE", "README.md", "CHANGELOG.md"];

/** Puts a list with static imports in the place of the module that reads the folders of built-in plug-ins; each is one file. */
const builtins: Plugin = {
  name: "builtins",
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[\\/]cli[\\/]builtin\.ts$/ }, () => ({ contents: builtinModule(), loader: "ts", resolveDir: join(root, "cli") }));
    onResolve({ filter: /^built-in:/ }, ({ path }) => ({ path: path.slice("built-in:".length), namespace: "built-in" }));
    onLoad({ filter: /./, namespace: "built-in" }, ({ path }) => ({ contents: pluginModule(path), loader: "ts", resolveDir: join(root, path) }));
  },
};

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
  const module = `import("built-in:${folder}")`;
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
  return [
    `export { default } from "./${has("kind.ts") ? "kind" : "collector"}.ts";`,
    `export { default as readme } from "./README.md";`,
    has("schema.json") ? `export { default as schema } from "./schema.json";` : "export const schema = undefined;",
    has("validate.generated.js") ? `export * as validator from "./validate.generated.js";` : "export const validator = undefined;",
  ].join("\n");
}

/** Installed by those who need them, beside the release: together they are larger than all the rest. */
const OPTIONAL = Object.entries(manifest["optionalDependencies"] as Readonly<Record<string, string>>).filter(([name]) => name.startsWith("@"));

const FORMATS = ["sarif", "junit", "github", "markdown", "html", "prometheus", "openreports"];
const STATES = ["folder", "command", "http", "hcp", "kubernetes", "s3", "gcs", "azurerm"];

/** Loaded when they are needed, in the release too: what brings a heavy library, what few runs ask for, and what `--version` does without. */
const APART = ["cli/process.ts", "cli/main.ts", "./compare.ts", "./route.ts", "./live.ts", "./ajv.ts", "./verifier.ts", "./sessions.ts", "./sigstore.ts", ...[...FORMATS, ...STATES].map((name) => `./${name}.ts`)];

/** The thread that parses HCL is a file that is started by its name; chunks lie beside it. */
const THREAD = ["./hcl-worker.ts", "./hcl-worker.cjs"] as const;

/**
 * Joins what the source loads piece by piece: every file that is loaded costs a millisecond. Only the pieces of {@link APART},
 * the plug-ins and the libraries stay files of their own.
 */
const joined: Plugin = {
  name: "joined",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](?:cli|clients|reports)[\\/].*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (APART.includes(relative(root, path).replaceAll("\\", "/")) || path.includes("node_modules")) return { contents: text, loader: "ts" };
      const pieces: string[] = [];
      const contents = text.replace(/\bimport\(("\.[^"]+")\)/g, (whole, piece: string) => {
        if (APART.includes(JSON.parse(piece) as string)) return whole;
        pieces.push(`import * as joined${pieces.length} from ${piece};`);
        return `Promise.resolve(joined${pieces.length - 1})`;
      }).replaceAll(`"${THREAD[0]}"`, `"${THREAD[1]}"`);
      return { contents: [...pieces, contents].join("\n"), loader: "ts" };
    });
  },
};

/** What Commander asks of Node and we do not need: it runs no other program for us, and our help has no colours to take out. */
const COMMANDER_DOES_WITHOUT: Readonly<Record<string, string>> = {
  "node:child_process": "export default {}",
  "node:process": "export default globalThis.process",
  "node:util": "export const stripVTControlCharacters = (text) => text",
};

/** Floors that every other part stands on: one file each, wherever they are used. Cut by who shares what they would be two dozen. */
const FLOORS = ["values", "routes", "engine"];

/** The files of the release lie one folder deep, all of them. */
const floors: Plugin = {
  name: "floors",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^#(${FLOORS.join("|")})$`) }, ({ path }) => ({ path: `../${path.slice(1)}/index.js`, external: true }));
  },
};

/** These modules of Node take longer to load than Commander takes to work. */
const light: Plugin = {
  name: "light",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]commander[\\/]/.test(importer) && path in COMMANDER_DOES_WITHOUT ? { path, namespace: "light" } : undefined,
    );
    onLoad({ filter: /./, namespace: "light" }, ({ path }) => ({ contents: COMMANDER_DOES_WITHOUT[path] ?? "", loader: "js" }));
  },
};

/** Of the manifest only the version is told. */
const ownVersion: Plugin = {
  name: "own version",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) => (path === join(root, "package.json") ? { contents: JSON.stringify({ version: manifest.version }), loader: "json" } : undefined));
  },
};

/** Libraries that are CommonJS inside ask for Node's own modules by require. */
const REQUIRE = 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

async function bundle(): Promise<Metafile> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { "cli/process": "cli/process.ts", ...Object.fromEntries(FLOORS.map((floor) => [`${floor}/index`, `${floor}/index.ts`])) },
    outdir: dist,
    // Chunks lie beside the command line, as deep as its own modules: what is found from \`import.meta.url\` is found there too.
    chunkNames: "cli/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    loader: { ".md": "text" },
    plugins: [builtins, joined, floors, ownVersion, light],
    external: OPTIONAL.map(([name]) => name),
    metafile: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.includes("typeof require") ? `${REQUIRE}\n${text}` : text);
  }
  return metafile;
}

/** The parser of HCL reads its own WebAssembly from the folder above. */
async function bundleThread(): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["clients/states/hcl-worker.ts"],
    outfile: join(dist, "cli", THREAD[1]),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    // Asked for only where there is no such global.
    external: ["performance"],
    metafile: true,
  });
  cpSync(join(root, "node_modules/@cdktf/hcl2json/main.wasm.gz"), join(dist, "main.wasm.gz"));
  return metafile;
}

/** Names, versions and licences of the libraries inside the bundles. */
function licences(metafiles: readonly Metafile[]): string {
  const folders = new Set(
    metafiles.flatMap(({ inputs }) => Object.keys(inputs)).flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  );
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
const metafiles = [await bundle(), await bundleThread()];
for (const path of DATA) {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(root, path), join(dist, path), { recursive: true });
}
cpSync(join(root, "cli/bin.mjs"), join(dist, "cli/bin.mjs"));
declarations();
writeFileSync(join(dist, "THIRD-PARTY-LICENSES.txt"), licences(metafiles));
writeFileSync(join(dist, "package.json"), `${JSON.stringify(packageJson(), null, 2)}\n`);
const outputs = metafiles.flatMap((metafile) => Object.values(metafile.outputs));
const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
console.log(`${relative(root, dist)}: ${outputs.length} modules, ${(bytes / 1e6).toFixed(1)} MB`);
