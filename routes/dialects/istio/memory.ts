import type { Rule, VirtualHost } from "../../decide/model.ts";
import { isSame } from "../../decide/same.ts";
import type { Acted } from "./actions.ts";
import { fits } from "./check.ts";
import { hashFor, policyAt, policyText } from "./destination-rules.ts";
import type { Target } from "./destinations.ts";
import { fullName } from "./hosts.ts";
import { at, isObject, type Json, type JsonObject, listAt, numberAt, textAt } from "./json.ts";
import { type Matched, matchOf } from "./matches.ts";
import type { Named, Registry, Service } from "./registry.ts";
import type { Asked, Footing, Made } from "./rules.ts";
import { http } from "./shapes.ts";
import type { HttpRule, PlacedRule } from "./virtual-services.ts";

/**
 * What places have in common is read once. Three clusters mostly hold the same rules, so that telling that a rule is the same, which is
 * cheaper than reading it, saves nearly all of the work for the second and third.
 *
 * Nothing here changes an answer: what is shared is what reading again would give.
 *
 * @module
 */

/** A destination as a route names it, its host in full. */
export class Use {
  readonly id: number;
  readonly host: string;
  readonly subset: string;
  /** The port, where the destination names one. */
  readonly port: number | undefined;
  /** The list of it alone, of which most rules would have one each. */
  readonly alone: readonly Use[] = [this];
  /** The list of rules that was last found to lead here: see `rules.ts`. */
  listed: object | undefined = undefined;
  /** Where it led the client that asked last, for the port of the listener that it had: see `destinations.ts`. */
  target: Target | undefined = undefined;
  targetFor: object | undefined = undefined;
  targetAt = 0;
  /** Where it last led where no DestinationRule speaks of it, and what that rests on: see `destinations.ts`. */
  plain: { readonly registry: Registry; readonly owner: Service | undefined; readonly isGateway: boolean; readonly target: Target } | undefined = undefined;
  /** The last footing that it was part of, and where it leads on that: see `rules.ts`. */
  footing: Footing | undefined = undefined;
  footingTarget: Target | undefined = undefined;
  /** What proxies make of a rule that leads here alone: see `rules.ts`. */
  readonly made: Made[] = [];

  constructor(id: number, host: string, subset: string, port: number | undefined) {
    this.id = id;
    this.host = host;
    this.subset = subset;
    this.port = port;
  }
}

/** What the policies of a rule and of one of its subsets say at a port. */
export interface Policy {
  readonly whole: JsonObject | undefined;
  readonly own: Json;
  readonly port: number;
  readonly given: number | undefined;
  readonly settings: JsonObject;
  readonly hash: Json;
  /** The settings as text. */
  readonly text: Readonly<Record<string, string>>;
}

/** The names under which clients reach a service, and what they rest on beside its host: see `mesh-hosts.ts`. */
export interface Names {
  /** For clients of its namespace. */
  readonly isNear: boolean;
  readonly isHeadless: boolean;
  readonly addresses: readonly string[];
  readonly domains: readonly string[];
}

/** One match block of a rule, and what was made of it; there are many, so that each thing is made when it is asked for, and kept once. */
export class Block {
  /** What the last proxy that asked makes of it, and where it stood: see `rules.ts`. */
  acted: Acted | undefined = undefined;
  placed: HttpRule | undefined = undefined;
  rule: Rule | undefined = undefined;
  private read: Matched | undefined;
  private readonly written: Json;

  constructor(written: Json, read?: Matched) {
    this.written = written;
    this.read = read;
  }

  get match(): JsonObject {
    return isObject(this.written) ? this.written : none;
  }

  /** Drops what the last proxy made of it. */
  forget(): void {
    this.acted = undefined;
    this.rule = undefined;
  }

  /** The block as a condition. */
  get matched(): Matched {
    return (this.read ??= matchOf(this.match));
  }
}

const none: JsonObject = Object.freeze({});

/** One `http` rule as it was written in the VirtualServices of one name. */
export class Written {
  readonly spec: JsonObject;
  /** Its match blocks; one that stands for none where it has none. */
  readonly blocks: readonly Block[];
  readonly hasMatches: boolean;
  /** The destinations of its route and mirrors. */
  readonly uses: readonly Use[];
  /** The rule as it last stood in an object: see `virtual-services.ts`. */
  placed: PlacedRule | undefined = undefined;
  /** What the last proxy that asked makes of it: see `rules.ts`. */
  made: Made | undefined = undefined;
  /** What of it releases read differently, and whether a match block asks who looks: see `rules.ts`. */
  asked: Asked | undefined = undefined;
  asksLooker: boolean | undefined = undefined;
  private order: boolean | undefined;

  /** `blocks` are its match blocks where they do not stand in the rule itself. */
  constructor(spec: Json, uses: readonly Use[], blocks: readonly Block[] = blocksOf(spec)) {
    this.spec = isObject(spec) ? spec : none;
    this.order = isObject(spec) ? undefined : false;
    this.hasMatches = blocks.length > 0;
    this.blocks = this.hasMatches ? blocks : [new Block(none)];
    this.uses = uses;
  }

  /** No unknown field, no value of a wrong type. */
  get isInOrder(): boolean {
    return (this.order ??= fits(this.spec, http));
  }
}

function blocksOf(spec: Json): readonly Block[] {
  const matches = listAt(spec, "match");
  // Lists that grow take more room than most of these ever need.
  return matches.length === 1 ? [new Block(matches[0])] : matches.map((match) => new Block(match));
}

/** How far a rule may have moved between two places to be found again. */
const WINDOW = 8;

/** Virtual hosts of one domain, or policies of one host, that are kept apart; what is past that is not found again, which is never wrong. */
const MOST_FORMS = 64;

function isSameHost(one: VirtualHost, other: VirtualHost): boolean {
  const isSameRules = one.rules === other.rules || (one.rules.length === 1 && isSame(one.rules, other.rules));
  return isSameRules && one.isImplicit === other.isImplicit && isSame(one.domains, other.domains) && isSame(one.unmodelled, other.unmodelled) && isSame(one.untried, other.untried);
}

/** What was read so far. */
export class Memory {
  private readonly lists = new Map<string, readonly Written[]>();
  private readonly read = new Map<string, { readonly named: Named; readonly list: readonly HttpRule[] }>();
  /** By host. */
  private readonly uses = new Map<string, Use[]>();
  private usesCount = 0;
  /** By host. */
  private readonly targets = new Map<string, Target[]>();
  private readonly hosts = new Map<string, VirtualHost[]>();
  /** By host. */
  private readonly policies = new Map<string, Policy[]>();
  private readonly namesOf = new Map<string, Names[]>();

  /** The rules of a VirtualService; the same list where the last one of that name had the same rules. */
  rules(items: readonly Json[], title: string, namespace: string, domain: string): readonly Written[] {
    const key = `${domain} ${title}`;
    const before = this.lists.get(key) ?? [];
    let shift = 0;
    let isNew = before.length !== items.length;
    const list = items.map((item, index): Written => {
      let found = before[index + shift];
      if (found === undefined || !isSame(found.spec, item)) {
        isNew = true;
        found = undefined;
        for (let distance = 1; distance <= WINDOW && found === undefined; distance++) {
          for (const moved of [shift + distance, shift - distance]) {
            const other = before[index + moved];
            if (other === undefined || !isSame(other.spec, item)) continue;
            found = other;
            shift = moved;
            break;
          }
        }
      } else if (shift !== 0) isNew = true;
      return found ?? this.written(item, namespace, domain);
    });
    if (!isNew) return before;
    this.lists.set(key, list);
    return list;
  }

  /** One rule, of which the caller keeps what it knows. */
  written(spec: Json, namespace: string, domain: string): Written {
    return new Written(spec, this.usesOf(spec, namespace, domain));
  }

  /** What `read` makes of the rules of an object; the same list for an object of another place with the same rules at the same place. */
  readRules(named: Named, read: (named: Named) => readonly HttpRule[]): readonly HttpRule[] {
    const before = this.read.get(named.title);
    if (before !== undefined && before.named.written === named.written && before.named.file === named.file && before.named.line === named.line) return before.list;
    const list = read(named);
    this.read.set(named.title, { named, list });
    return list;
  }

  /** One object for each destination. */
  use(destination: Json, namespace: string, domain: string): Use {
    const host = fullName(textAt(destination, "host"), namespace, domain);
    const subset = textAt(destination, "subset");
    const named = at(destination, "port");
    const port = isObject(named) ? numberAt(named, "number") : undefined;
    let known = this.uses.get(host);
    if (known === undefined) this.uses.set(host, (known = []));
    // A host has few ports and subsets; more than that are many objects of one, which is not worth a map.
    for (const use of known) if (use.subset === subset && use.port === port) return use;
    const use = new Use(this.usesCount++, host, subset, port);
    known.push(use);
    return use;
  }

  /** One object for each target, so that equal ones are told by identity. */
  target(target: Target): Target {
    let known = this.targets.get(target.host);
    if (known === undefined) this.targets.set(target.host, (known = []));
    const found = known.find((one) => one.port === target.port && isSame(one, target));
    if (found === undefined) known.push(target);
    return found ?? target;
  }

  /** One object for equal virtual hosts, so that what is the same in several places or for several clients is told by identity. */
  host(host: VirtualHost): VirtualHost {
    const [first = ""] = host.domains;
    let known = this.hosts.get(first);
    if (known === undefined) this.hosts.set(first, (known = []));
    const found = known.find((one) => isSameHost(one, host));
    if (found !== undefined) return found;
    if (known.length < MOST_FORMS) known.push(host);
    return host;
  }

  /** The names of a service that were made so far; whoever makes others adds them. */
  names(host: string): Names[] {
    let known = this.namesOf.get(host);
    if (known === undefined) this.namesOf.set(host, (known = []));
    return known;
  }

  /** What the traffic policies of a rule for a host and of a subset say at a port, which a destination names or not; the same for places that hold the same. */
  policy(host: string, whole: JsonObject | undefined, own: Json, port: number, given: number | undefined): Policy {
    let known = this.policies.get(host);
    if (known === undefined) this.policies.set(host, (known = []));
    for (const one of known) if (one.port === port && one.given === given && isSame(one.whole, whole) && isSame(one.own, own)) return one;
    const settings = policyAt(whole, own, port);
    const policy: Policy = { whole, own, port, given, settings, hash: hashFor(whole, own, given), text: policyText(settings) };
    if (known.length < MOST_FORMS) known.push(policy);
    return policy;
  }

  /** The destinations of the route and the mirrors of a rule. */
  usesOf(spec: Json, namespace: string, domain: string): readonly Use[] {
    const routes = listAt(spec, "route");
    const mirror = at(spec, "mirror");
    const hasMirrors = mirror !== undefined || at(spec, "mirrors") !== undefined;
    if (!hasMirrors && routes.length === 1) return this.use(at(routes[0], "destination"), namespace, domain).alone;
    const uses: Use[] = [];
    for (const route of routes) uses.push(this.use(at(route, "destination"), namespace, domain));
    if (mirror !== undefined) uses.push(this.use(mirror, namespace, domain));
    for (const mirror of listAt(spec, "mirrors")) uses.push(this.use(at(mirror, "destination"), namespace, domain));
    return uses;
  }
}
