import { translate } from "../../oracles/istiod.ts";
import { apiWorldOf } from "./gateway-api-worlds.ts";
import { objectsFor } from "./worlds.ts";
const seed=Number(process.argv[2]);
const w=apiWorldOf(seed,"w");
for await (const a of translate(process.argv[3]!, [{id:"w",objects:objectsFor(w),views:w.proxies}])) {
  console.log(a.error, a.refused);
  for (const v of a.views??[]) if (v.servers||process.argv[4]) { console.log(v.id, JSON.stringify(v.servers)); console.log(v.listeners.map((l:any)=>l.name+" "+JSON.stringify(l.address?.socket_address?.port_value)).join("\n")); if (process.argv[4]) console.log(JSON.stringify(v.routes,null,1)); }
}
console.log(JSON.stringify(w.objects.filter((o:any)=>o.apiVersion.startsWith("gateway.n")||o.kind==="VirtualService"),null,1));
