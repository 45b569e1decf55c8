/** `npm run parts [NAME ...]`: builds the real programs that end-to-end tests need and the cache lacks; says what each cost. */
import { build, BuildError } from "../test/parts/build.ts";
import { cacheFolder, find } from "../test/parts/cache.ts";
import { CRD_MODULES, crdsMissing, fetchCrds, HARDWARE_MODULES, REPORT_MODULES } from "../test/parts/crds.ts";
import { PARTS, type Part } from "../test/parts/parts.ts";

const wanted = process.argv.slice(2);
const strangers = wanted.filter((name) => !PARTS.some((part) => part.name === name));
if (strangers.length > 0) {
  process.stderr.write(`error: no part is called ${strangers.join(", ")}\n  help: use ${PARTS.map((part) => part.name).join(", ")}\n`);
  process.exit(3);
}

process.stdout.write(`parts in ${cacheFolder()}\n`);
let failed = false;
for (const part of PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) failed = !(await provide(part)) || failed;
if (wanted.length === 0) failed = !(await provideCrds()) || failed;
process.exitCode = failed ? 1 : 0;

async function provide(part: Part): Promise<boolean> {
  const title = `${part.name} ${part.version}`.padEnd(24);
  const before = await find(part);
  const started = performance.now();
  try {
    await build(part);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`${title}failed: ${error.message}\n`);
    return false;
  }
  const after = await find(part);
  if (after.state === "missing") throw new Error(`${part.name} was built and is not there: ${after.reason}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const how = before.state === "here" ? "here already" : `built in ${seconds} s`;
  process.stdout.write(`${title}${how.padEnd(18)}${(after.bytes / 1e6).toFixed(0).padStart(5)} MB  ${after.file}\n`);
  return true;
}

/** The mesh's resource definitions are read from Go's module cache, so nothing of them is kept here. */
async function provideCrds(): Promise<boolean> {
  const title = "resource definitions".padEnd(24);
  const names = [...CRD_MODULES, ...HARDWARE_MODULES, ...REPORT_MODULES].map(({ module }) => module).join(", ");
  const started = performance.now();
  const isHere = (await Promise.all([crdsMissing(), crdsMissing(HARDWARE_MODULES), crdsMissing(REPORT_MODULES)])).every((missing) => missing === undefined);
  try {
    if (!isHere) await fetchCrds();
  } catch (error) {
    process.stderr.write(`${title}failed: \`go mod download\` of ${names} (${error instanceof Error ? error.message.split("\n")[0] : String(error)})\n`);
    return false;
  }
  const how = isHere ? "here already" : `fetched in ${((performance.now() - started) / 1000).toFixed(0)} s`;
  process.stdout.write(`${title}${how.padEnd(18)}          ${names}\n`);
  return true;
}
