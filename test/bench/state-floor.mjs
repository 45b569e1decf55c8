// What reading a state costs at least, if all of it becomes objects: node state-floor.mjs FILE
import { readFileSync } from "node:fs";

const state = JSON.parse(readFileSync(process.argv[2], "utf8"));
process.stdout.write(`${state.resources.length}\n`);
