// The floor of listing: pages of 500 over one kept connection, gunzip, JSON.parse, and nothing else. node floor.mjs URL CA TOKEN
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { gunzipSync } from "node:zlib";

const [url, ca, token] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(ca) });

function fetchPage(path) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, "accept-encoding": "gzip" };
    const asked = request(`${url}${path}`, { agent, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks)));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

let seen = 0;
let next = "";
do {
  const bytes = await fetchPage(`/api/v1/pods?limit=500${next === "" ? "" : `&continue=${next}`}`);
  const list = JSON.parse(gunzipSync(bytes).toString("utf8"));
  seen += list.items.length;
  next = list.metadata.continue ?? "";
} while (next !== "");
console.log(seen);
process.exit(0);
