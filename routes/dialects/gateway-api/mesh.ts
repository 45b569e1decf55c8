import { groundsIn } from "../istio/rules.ts";
import type { VirtualService } from "../istio/virtual-services.ts";
import { parentsOf } from "./attach.ts";
import type { Context } from "./index.ts";
import { isHttp, type Part, Piles, translated, virtualServiceOf } from "./merged.ts";

/** Routes whose parents are services: for clients in the mesh (route_collections.go: one VirtualService for each namespace, port and host). */
export function meshRoutes(context: Context): readonly VirtualService[] {
  const piles = new Piles();
  for (const route of context.objects.routes.filter(isHttp)) {
    for (const parent of parentsOf(route, [])) {
      if ("listener" in parent) continue;
      const hosts = hostsOf(parent, context);
      if (hosts.length === 0) continue;
      const part = translated(route, context, { reading: context.input.reading, isMesh: true });
      for (const host of hosts) {
        const pile = piles.of(`${route.namespace}${parent.port === undefined ? "" : `/${parent.port}`}`, host, "mesh");
        pile.left.push(...part.left);
        if (part.rules.length === 0) continue;
        pile.parts.push(parent.port === undefined ? part : atPort(part, parent.port));
        pile.routes.push(route);
      }
    }
  }
  return piles.all.flatMap((pile) => virtualServiceOf(pile, context));
}

/** The hosts of a parent that exists; where services are unseen every named one is taken to. */
export function hostsOf({ kind, namespace, name }: { readonly kind: "Service" | "ServiceEntry"; readonly namespace: string; readonly name: string }, { input }: Context): readonly string[] {
  const own = input.services.filter(({ source }) => source.kind === kind && source.namespace === namespace && source.name === name).map(({ host }) => host);
  if (own.length > 0 || kind === "ServiceEntry" || input.areServicesSeen) return own;
  return [`${name}.${namespace}.svc.${input.domain}`];
}

function atPort({ rules }: Part, port: number): Part {
  const own = rules.map((rule) => rule.atPort(port));
  return { rules: own, grounds: groundsIn(own) };
}
