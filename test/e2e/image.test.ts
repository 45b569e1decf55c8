import { execFile } from "node:child_process";
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";
import { scratchFolder } from "../parts/process.ts";
import { without } from "./ground.ts";

const run = promisify(execFile);
const ROOT = path.join(import.meta.dirname, "../..");

interface Built {
  /** Runs a program in the image, as its user, with the root read-only as far as that user goes. */
  inside(...words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  readonly config: { readonly User?: string; readonly Entrypoint?: readonly string[]; readonly Cmd?: readonly string[] };
  readonly arm64: { readonly architecture: string };
}

let built: Built | { readonly lacking: string };

/** Buildah needs no daemon. The two images that the Dockerfile asks for are made here: the Node that runs this test, and the libraries that it is linked to. */
beforeAll(async () => {
  if (!(await works("buildah", ["--version"]))) return void (built = { lacking: "buildah is not installed (`apt-get install buildah`)" });
  if (process.getuid?.() !== 0) return void (built = { lacking: "buildah's `--isolation chroot` needs root here" });
  const folder = await scratchFolder("image");
  const store = ["--root", path.join(folder, "store"), "--runroot", path.join(folder, "run"), "--storage-driver", "vfs"];
  const buildah = async (command: string, ...words: readonly string[]) => (await run("buildah", [command, ...store, ...words], { cwd: folder, maxBuffer: 1 << 26 })).stdout.trim();

  await run(process.execPath, [path.join(ROOT, "tools/build.ts"), path.join(folder, "dist")], { cwd: ROOT });
  await copyFile(path.join(ROOT, "deploy/Dockerfile"), path.join(folder, "Dockerfile"));
  await cp(path.join(ROOT, "fixtures/three-clouds"), path.join(folder, "world"), { recursive: true });
  const git = await real("/usr/bin/git");
  const own = await librariesOf(process.execPath);
  const gits = (await librariesOf(git)).filter((file) => !own.includes(file));
  // what git is linked to stands where Debian has it, whatever the distribution of this machine
  await committed(path.join(folder, "world"), [RULE("/api"), RULE("/")]);
  await layDown(path.join(folder, "node"), [[await real(process.execPath), "usr/local/bin/node"], [git, "usr/bin/git"], ...gits.map((file) => [file, `usr/lib/x86_64-linux-gnu/${path.basename(file)}`] as const)]);
  await layDown(path.join(folder, "base"), [...own.map((file) => [file, file.slice(1)] as const), ["/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt"]]);
  for (const platform of ["linux/amd64", "linux/arm64"]) {
    const tag = platform.split("/")[1] ?? "";
    for (const name of ["node", "base"]) await buildah("bud", "-q", "--isolation", "chroot", "--platform", platform, "-f", await scratch(folder, name), "-t", `${name}:${tag}`, folder);
    await buildah("bud", "-q", "--isolation", "chroot", "--platform", platform, "--build-arg", `NODE_IMAGE=localhost/node:${tag}`, "--build-arg", `BASE_IMAGE=localhost/base:${tag}`, "-f", "Dockerfile", "-t", `consistency-checker:${tag}`, folder);
  }
  const about = async (tag: string) => JSON.parse(await buildah("inspect", "--type", "image", `localhost/consistency-checker:${tag}`)) as { OCIv1: { architecture: string; config: Built["config"] } };
  const { config } = (await about("amd64")).OCIv1;
  const container = await buildah("from", "-q", "localhost/consistency-checker:amd64");
  built = {
    config,
    arm64: (await about("arm64")).OCIv1,
    inside: (...words) =>
      run("buildah", ["run", ...store, "--isolation", "chroot", "--user", config.User ?? "0", "--volume", `${path.join(folder, "world")}:/work:ro`, container, "--", ...words], { maxBuffer: 1 << 26 }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
      ),
  };
});

function onImage(claim: string, body: (image: Built) => Promise<void>): void {
  it(claim, async (context: TestContext) => {
    if ("lacking" in built) return without(built.lacking, context);
    await body(built);
  });
}

describe("the image, built without a daemon", () => {
  onImage("runs the release as a user that is not root, and starts with `run`", async ({ config, inside }) => {
    expect(config).toMatchObject({ User: "65532:65532", Entrypoint: ["/usr/local/bin/node", "/app/cli/bin.mjs"], Cmd: ["run"] });
    expect(await inside("/usr/local/bin/node", "/app/cli/bin.mjs", "--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0\./) });
    expect((await inside("/usr/local/bin/node", "-e", "console.log(process.getuid())")).stdout.trim()).toBe("65532");
  });

  onImage("judges a world that is mounted read-only as the source tree does, and may write nowhere but in /tmp", async ({ inside }) => {
    const words = ["run", "--now", "2026-11-20T09:00:00Z", "-o", "json"];
    const source = await run(process.execPath, [path.join(ROOT, "cli/bin.mjs"), ...words], { cwd: path.join(ROOT, "fixtures/three-clouds"), maxBuffer: 1 << 26 }).catch((error: { stdout: string }) => error);
    const { code, stdout } = await inside("/usr/local/bin/node", "/app/cli/bin.mjs", ...words);
    expect(code).toBe(1);
    expect(stdout).toBe(source.stdout);
    const refused = await inside("/usr/local/bin/node", "-e", `for (const place of ["/app/x", "/work/x", "/usr/local/bin/x"]) { try { require("fs").writeFileSync(place, ""); console.log(place); } catch {} }`);
    expect(refused.stdout).toBe("");
  });

  onImage("compares two commits of a repository that is mounted", async ({ inside }) => {
    const { code, stdout, stderr } = await inside("/usr/local/bin/node", "/app/cli/bin.mjs", "compare", "git:HEAD~1:mesh.yaml", "git:HEAD:mesh.yaml", "-o", "json");
    // buildah adds the status in words of its own
    expect([code, stderr.replaceAll(/^(subprocess exited|Error: exit) .*$/gm, "").trim()]).toEqual([1, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "different" });
  });

  onImage("has no shell and no package manager", async ({ inside }) => {
    const { stdout } = await inside("/usr/local/bin/node", "-p", `["/bin/sh", "/bin/bash", "/usr/bin/apt-get", "/usr/local/bin/npm", "/sbin/apk"].filter((file) => require("fs").existsSync(file)).join()`);
    expect(stdout.trim()).toBe("");
  });

  onImage("is built for arm64 too, of the same files", async ({ arm64 }) => {
    expect(arm64.architecture).toBe("arm64");
  });
});

/** A route that takes what begins with a prefix. */
const RULE = (prefix: string) => JSON.stringify({ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: "shop", namespace: "prod" }, spec: { hosts: ["shop.example"], gateways: ["public"], http: [{ match: [{ uri: { prefix } }], route: [{ destination: { host: "api" } }] }] } });

/** Makes a folder a repository of the image's user, with one commit for each text of `mesh.yaml`. */
async function committed(folder: string, texts: readonly string[]): Promise<void> {
  const git = (...words: readonly string[]) => run("git", ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false", ...words], { cwd: folder });
  await git("init", "-q");
  for (const text of texts) {
    await writeFile(path.join(folder, "mesh.yaml"), text);
    await git("add", "mesh.yaml");
    await git("commit", "-qm", "x");
  }
  await run("chown", ["-R", "65532:65532", folder]);
}

async function works(program: string, words: readonly string[]): Promise<boolean> {
  return run(program, [...words]).then(() => true, () => false);
}

async function real(file: string): Promise<string> {
  return (await run("readlink", ["-f", file])).stdout.trim();
}

/** What a program is linked to, by the names under which its loader looks for it. */
async function librariesOf(file: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [file]);
  return [...new Set([...stdout.matchAll(/(\/[^\s()]+\.so[^\s()]*)/g)].map(([, library = ""]) => library))];
}

async function layDown(folder: string, files: readonly (readonly [from: string, to: string])[]): Promise<void> {
  await mkdir(path.join(folder, "tmp"), { recursive: true });
  await chmod(path.join(folder, "tmp"), 0o1777);
  for (const [from, to] of files) {
    const place = path.join(folder, to);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, await readFile(from), { mode: 0o755 });
  }
}

/** A Dockerfile that holds a folder and nothing else. */
async function scratch(folder: string, name: string): Promise<string> {
  const file = path.join(folder, `Dockerfile.${name}`);
  await writeFile(file, `FROM scratch\nCOPY ${name}/ /\n`);
  return file;
}
