import { cite, defineKind, fault, judged } from "#engine";
import type { Spec } from "./spec.ts";

export default defineKind({
  name: "TemplateKind",
  summary: "every cluster that runs proxies runs at least N of them",
  judges: ["proxy", "proxies"],
  needs: () => [{ fact: "envoy-proxies" }],

  *judge(spec: Spec, world) {
    for (const { name } of world.clusters) {
      const proxies = world.facts("envoy-proxies", name);
      const running = proxies.reduce((sum, { data }) => sum + data.running, 0);
      const [first] = proxies;
      yield judged(running);
      // Too few are only a fault when all were seen: what hides behind a gap may be the missing ones.
      if (first === undefined || running >= spec.minProxies || !world.complete("envoy-proxies", name)) continue;

      yield fault({
        subject: name,
        cause: "too few proxies",
        message: `\`${name}\` runs too few proxies: ${running}; wanted: ${spec.minProxies} or more`,
        remedy: `start more proxies in \`${name}\`, or set \`minProxies: ${Math.max(1, running)}\``,
        evidence: [cite(first, "for example", first.data.example)],
      });
    }
  },
});
