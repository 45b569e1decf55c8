#!/usr/bin/env node
// Plain JavaScript that old releases parse: on a machine whose Node is too old it finds the packaged one and starts again.
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = [24, 15];
const COULD_NOT_RUN = 3;

if (isNewEnough(process.versions.node)) {
  compileLate();
  module.enableCompileCache();
  const { start } = await import(existsSync(new URL("./process.js", import.meta.url)) ? "./process.js" : "./process.ts");
  await start();
} else {
  const packaged = process.env.CLOUD_ASSERT_RESTARTED ? undefined : packagedNode(fileURLToPath(import.meta.url));
  if (packaged === undefined) {
    console.error(`assert needs Node ${NEEDED.join(".")} or newer, this is ${process.versions.node}: install Node 24 (https://nodejs.org), or run \`npm ci\` where it brings its own`);
    process.exitCode = COULD_NOT_RUN;
  } else {
    await restart(packaged);
  }
}

/**
 * Lets V8 wait longer before it compiles a function for speed: most runs are over before that pays, and long ones call what matters often enough.
 * Names and numbers are those of V8 13.6, that of Node 24; others keep their own.
 */
function compileLate() {
  if (!process.versions.v8.startsWith("13.6.")) return;
  const { setFlagsFromString } = process.getBuiltinModule("node:v8");
  for (const [tier, calls] of Object.entries({ maglev: 8000, "maglev-osr": 4000, turbofan: 30_000, osr: 8000 })) setFlagsFromString(`--invocation-count-for-${tier}=${calls}`);
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** The Node that npm installed beside this package, looked for in every `node_modules` above this file. */
function packagedNode(file) {
  const exe = process.platform === "win32" ? "node.exe" : "node";
  const names = [`node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const places = [...names.map((name) => join(folder, "node_modules", name, "bin", exe)), join(folder, "node_modules", ".bin", exe)];
    const found = places.find((place) => existsSync(place));
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The same words, streams, signals and end, under another Node. */
async function restart(node) {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit", env: { ...process.env, CLOUD_ASSERT_RESTARTED: "1" } });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`assert could not start the packaged Node \`${node}\` (${error.code}): install Node 24 (https://nodejs.org)`);
    process.exitCode = COULD_NOT_RUN;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) return void (process.exitCode = code);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
