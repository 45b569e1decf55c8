/**
 * `npm run build`: writes `dist/`, the package that users install: bundled JavaScript with its own package.json.
 * Everything it needs is inside, so it has no dependencies and starts fast; heavy parts stay in chunks of their own.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown> & { version: string };

/** Files that are read at run time, by their path from the root; the release has them at the same path. */
const DATA = ["assertions", "cli/completion", "deploy/rbac", "docs/schema", "LICENSE", "README.md", "CHANGELOG.md"];

/** Puts a list with static imports in the place of the module that reads the folders of built-in plug-ins. */
const builtins: Plugin = {
  name: "builtins",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]cli[\\/]builtin\.ts$/ }, () => ({ contents: builtinModule(), loader: "ts", resolveDir: join(root, "cli") }));
  },
};

function builtinModule(): string {
  const entries = (room: string, type: "kind" | "collector") =>
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

function entryOf(room: string, name: string, type: "kind" | "collector"): string {
  const at = (file: string) => JSON.stringify(`../${room}/${name}/${file}`);
  const has = (file: string) => existsSync(join(root, room, name, file));
  return `{
    type: "${type}", folder: "${room}/${name}", name: "${name}",
    load: () => import(${at(`${type}.ts`)}),
    schema: async () => ${has("schema.json") ? `JSON.stringify((await import(${at("schema.json")})).default)` : '""'},
    validator: async () => ${has("validate.generated.js") ? `import(${at("validate.generated.js")})` : "undefined"},
    readme: async () => (await import(${at("README.md")})).default,
  }`;
}

async function bundle(): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { "cli/process": "cli/process.ts", "engine/index": "engine/index.ts", "routes/index": "routes/index.ts" },
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
    plugins: [builtins],
    // Libraries that are CommonJS inside ask for Node's own modules by require.
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
    metafile: true,
  });
  return metafile;
}

/** Names, versions and licences of the libraries inside the bundle. */
function licences(metafile: Metafile): string {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
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
  };
}

rmSync(dist, { recursive: true, force: true });
const metafile = await bundle();
for (const path of DATA) {
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(root, path), join(dist, path), { recursive: true });
}
cpSync(join(root, "cli/bin.mjs"), join(dist, "cli/bin.mjs"));
declarations();
writeFileSync(join(dist, "THIRD-PARTY-LICENSES.txt"), licences(metafile));
writeFileSync(join(dist, "package.json"), `${JSON.stringify(packageJson(), null, 2)}\n`);
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`${relative(root, dist)}: ${Object.keys(metafile.outputs).length} modules, ${(bytes / 1e6).toFixed(1)} MB`);
