// The floor of a fleet: the same questions to the same servers, all clusters side by side, and nothing else.
// node fleet-floor.mjs URL CA TOKEN CLUSTERS; prints how long the slowest cluster took by itself, in milliseconds.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const [url, ca, token, clusters] = process.argv.slice(2);
const authority = readFileSync(ca);
const QUESTIONS = ["/version", "/api/v1/namespaces/kube-system", "/api/v1/pods?limit=500"];

function ask(agent, path) {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, { agent, headers: { authorization: `Bearer ${token}`, "accept-encoding": "gzip" } }, (answer) => {
      answer.on("data", () => undefined).on("end", resolve).on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function visit(cluster) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority });
  const began = performance.now();
  for (const question of QUESTIONS) await ask(agent, `/${cluster}${question}`);
  return performance.now() - began;
}

const times = await Promise.all(Array.from({ length: Number(clusters) }, (_, index) => visit(index)));
console.log(Math.max(...times));
process.exit(0);
