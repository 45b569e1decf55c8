import type { Rule, Unmodelled } from "../../decide/model.ts";
import type { Problem } from "./check.ts";
import { delegates, mergeDelegate } from "./delegates.ts";
import { fullName, gatewayName } from "./hosts.ts";
import { type JsonObject, objectAt, textAt, textsAt } from "./json.ts";
import type { Memory, Written } from "./memory.ts";
import { byAge } from "./order.ts";
import { isVisible, type Named, type Registry } from "./registry.ts";
import type { Footing } from "./rules.ts";

/** One match block, its gateways as `namespace/name`. */
export interface Match {
  readonly spec: JsonObject;
  readonly path: string;
}

/** One `http` rule after delegation. It may have been written in another object than the one that owns the hosts. */
export interface HttpRule {
  readonly spec: JsonObject;
  /** The rule as it stands in its object; undefined where delegation made another of it. */
  readonly written: Written | undefined;
  readonly source: Named;
  readonly path: string;
  readonly matches: readonly Match[];
  /** Short names in the route are of the namespace of their object; mirrors may be inherited from another one. */
  readonly namespace: string;
  readonly mirrorNamespace: string;
  readonly mirrorsNamespace: string;
}

/** A rule as it stands in its object. There are many, so that what follows from the place is made when it is asked for. */
export class PlacedRule<W extends Written = Written> implements HttpRule {
  readonly written: W;
  readonly source: Named;
  readonly index: number;
  /** What was made of it, and the footing on which that stands: see `rules.ts`. */
  private made: Rule | undefined = undefined;
  private footing: Footing | undefined = undefined;

  constructor(written: W, source: Named, index: number) {
    this.written = written;
    this.source = source;
    this.index = index;
  }

  /** The one rule that it is on a footing. */
  standingOn(footing: Footing): Rule | undefined {
    return this.footing === footing ? this.made : undefined;
  }

  /** From now on it is this rule alone for all who ask on that footing. */
  stands(made: Rule, footing: Footing): void {
    this.made = made;
    this.footing = footing;
  }

  get spec(): JsonObject {
    return this.written.spec;
  }

  get path(): string {
    return pathOf(this.index);
  }

  get namespace(): string {
    return this.source.namespace;
  }

  get mirrorNamespace(): string {
    return this.source.namespace;
  }

  get mirrorsNamespace(): string {
    return this.source.namespace;
  }

  get matches(): readonly Match[] {
    const { written } = this;
    return written.hasMatches ? written.blocks.map((_, block): Match => ({ spec: this.matchAt(block), path: this.pathAt(block) })) : noMatches;
  }

  /** A match block, its gateways as `namespace/name`. */
  matchAt(block: number): JsonObject {
    const match = this.written.blocks[block]?.match ?? noMatch;
    return match["gateways"] === undefined ? match : withGateways(match, this.source.namespace);
  }

  /** Where a match block stands. */
  pathAt(block: number): string {
    return blockPath(this.index, block);
  }
}

const noMatch: JsonObject = {};

/** A VirtualService that owns hosts, as istiod hands it to its generators: names full, delegates merged. */
export interface VirtualService {
  readonly named: Named;
  readonly hosts: readonly string[];
  /** `mesh` or `namespace/name`. */
  readonly gateways: readonly string[];
  /** Literal namespaces, or `*`, or `~`. */
  readonly exportTo: readonly string[];
  readonly http: readonly HttpRule[];
  readonly problems: readonly Problem[];
  /** What of the objects that it was made of is not modelled. */
  readonly left?: readonly Unmodelled[];
  /** Made of routes of Gateway API. */
  readonly isOfApi?: true;
  /** Its namespace was looked at when it was made: servers that take routes of some namespaces only take it. */
  readonly isAnyNamespace?: true;
}

/** All VirtualServices with hosts, oldest first. */
export function readVirtualServices(registry: Registry, memory: Memory): readonly VirtualService[] {
  const delegateOf = new Map<string, Named>();
  for (const named of registry.virtualServices) {
    if (textsAt(named.spec, "hosts").length === 0) delegateOf.set(`${named.namespace}/${named.name}`, named);
  }
  return registry.virtualServices.filter((named) => textsAt(named.spec, "hosts").length > 0).sort(byAge).map((named) => read(named, registry, delegateOf, memory));
}

function read(named: Named, registry: Registry, delegateOf: ReadonlyMap<string, Named>, memory: Memory): VirtualService {
  const gateways = textsAt(named.spec, "gateways").map((gateway) => gatewayName(gateway, named.namespace));
  const problems: Problem[] = [...named.problems];
  const own = memory.readRules(named, rulesOf);
  const http = !own.some((rule) => delegates(rule.spec)) ? own : own.flatMap((rule) => {
    if (!delegates(rule.spec)) return [rule];
    const wanted = objectAt(rule.spec, "delegate");
    const found = delegateOf.get(`${textAt(wanted, "namespace") || named.namespace}/${textAt(wanted, "name")}`);
    // Not found or not visible: the rule of the root alone disappears (virtualservice_controller.go `mergeVirtualServices`).
    if (found === undefined || !isVisible(exportToOf(found, registry), found.namespace, named.namespace)) return [];
    for (const problem of found.problems) problems.push({ path: `${found.title} ${problem.path}`, reason: problem.reason });
    return mergeDelegate(rule, memory.readRules(found, rulesOf));
  });
  return {
    named,
    hosts: textsAt(named.spec, "hosts").map((host) => fullName(host, named.namespace, registry.domain)),
    gateways: gateways.length > 0 ? gateways : ["mesh"],
    exportTo: exportToOf(named, registry).map((target) => (target === "." ? named.namespace : target)),
    http,
    problems,
  };
}

function exportToOf(named: Named, registry: Registry): readonly string[] {
  const own = textsAt(named.spec, "exportTo");
  return own.length > 0 ? own : registry.mesh.virtualServiceExportTo;
}

function rulesOf(named: Named): readonly HttpRule[] {
  const { title, file, line } = named;
  return named.written.map((written, index): HttpRule => {
    const { placed } = written;
    // Where it stands at the same place in the same object, it is the same rule.
    if (placed !== undefined && placed.index === index && placed.source.title === title && placed.source.file === file && placed.source.line === line) return placed;
    return (written.placed = new PlacedRule(written, named, index));
  });
}

const noMatches: readonly Match[] = [];
const paths: string[] = [];
const firstBlocks: string[] = [];

/** Paths are the same in all objects: each is made once. */
function pathOf(index: number): string {
  return (paths[index] ??= `spec.http[${index}]`);
}

function blockPath(index: number, block: number): string {
  return block === 0 ? (firstBlocks[index] ??= `${pathOf(index)}.match[0]`) : `${pathOf(index)}.match[${block}]`;
}

function withGateways(match: JsonObject, namespace: string): JsonObject {
  const gateways = textsAt(match, "gateways");
  return gateways.length === 0 ? match : { ...match, gateways: gateways.map((gateway) => gatewayName(gateway, namespace)) };
}

/**
 * The VirtualServices that a proxy of `namespace` gets for a gateway (or `mesh`): those private to the namespace, those exported to
 * it by name, the public ones; each part oldest first (push_context.go `initVirtualServices`, `VirtualServicesForGateway`).
 */
export function boundTo(all: readonly VirtualService[], gateway: string, namespace: string): readonly VirtualService[] {
  const isBound = (service: VirtualService): boolean => service.gateways.includes(gateway);
  const bound = all.every(isBound) ? all : all.filter(isBound);
  const isPublic = (service: VirtualService): boolean => service.exportTo.includes("*");
  if (bound.every((service) => isPublic(service) && service.isOfApi !== true)) return bound;
  const named = bound.filter((service) => !isPublic(service) && !service.exportTo.includes("~") && service.exportTo.includes(namespace));
  // Of the public ones, routes of Gateway API of the own namespace come first: a client overrides what a service says.
  const isOwn = (service: VirtualService): boolean => service.isOfApi === true && service.named.namespace === namespace;
  const open = bound.filter(isPublic);
  return [
    ...named.filter((service) => service.named.namespace === namespace),
    ...named.filter((service) => service.named.namespace !== namespace),
    ...open.filter(isOwn),
    ...open.filter((service) => !isOwn(service)),
  ];
}
