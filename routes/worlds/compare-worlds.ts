/**
 * Do whole places route alike?
 *
 * @module
 */

import { compare } from "../decide/compare.ts";
import type { Budget, CompareOptions, Comparison, Difference, Open } from "../decide/compare.ts";
import { Decided } from "../decide/decided.ts";
import { takes } from "../decide/hosts.ts";
import type { Assumption, Reading, RouteWorld, Unmodelled, View, VirtualHost } from "../decide/model.ts";
import type { Answer } from "../decide/resolve.ts";
import { mapWorld } from "./mapping.ts";
import type { Conflict, Ignorable, Mapping } from "./mapping.ts";
import { keyOfView, pairViews } from "./pairs.ts";
import type { Pair } from "./pairs.ts";

/** What is compared, and how. */
export interface WorldOptions {
  /** Globs that select requests by their host; left out: all on gateways, and in the mesh those that a routing object names. */
  readonly hosts?: readonly string[];
  /** `everywhere` (default): a view or host that a place lacks is a difference. `shared`: it is listed. */
  readonly presence?: "everywhere" | "shared";
  readonly views?: readonly ("gateways" | "mesh")[];
  /** Namespaces of clients in the mesh. */
  readonly namespaces?: readonly string[];
  /** Names of a place, and the common ones; by place. */
  readonly mappings?: Readonly<Record<string, Mapping>>;
  readonly ignore?: readonly Ignorable[];
  readonly budget?: Budget;
}

/** A request that places answer differently, with the view in which they do. */
export interface WorldDifference {
  readonly view: View;
  readonly host: string;
  readonly request: Difference["request"];
  /** By place. */
  readonly answers: readonly (Answer & { readonly place: string })[];
  /** Other views in which the same rules decide differently. */
  readonly alsoIn: readonly View[];
  /** Other hosts for which they do. */
  readonly alsoFor: readonly string[];
  /** Places that lack the view. */
  readonly missing: readonly string[];
  readonly more?: true;
}

/** A question that stays open. */
export interface WorldOpen extends Unmodelled {
  readonly place?: string;
  readonly view?: View;
  readonly host?: string;
}

/** A view or host that not all places have, where that is no difference. */
export interface Listed {
  readonly view: View;
  readonly host?: string;
  readonly missing: readonly string[];
}

/** The outcome for whole places. */
export interface WorldComparison {
  readonly outcome: Comparison["outcome"];
  readonly differences: readonly WorldDifference[];
  readonly undecided: readonly WorldOpen[];
  readonly assumptions: readonly Assumption[];
  readonly listed: readonly Listed[];
  /** Names that a mapping makes one. Where there are any, nothing was compared. */
  readonly conflicts: readonly Conflict[];
  readonly size: { readonly views: number; readonly hosts: number; readonly classes: number };
}

/**
 * Decides whether all places answer every request alike, in every view.
 *
 * Guarantees: those of {@link compare} for every view. What a place could not express leaves the answer undecided, unless a request
 * shows a difference; what lies outside the model and is the same everywhere is an assumption. Nothing to compare is undecided.
 */
export function compareWorlds(unmapped: readonly RouteWorld[], options: WorldOptions = {}): WorldComparison {
  const ignored = new Set(options.ignore ?? []);
  const mapped = unmapped.map((world) => mapWorld(world, options.mappings?.[world.place] ?? {}, ignored));
  const conflicts = mapped.flatMap((one) => one.conflicts);
  const run = new WorldRun(mapped.map(({ world }) => world), options);
  return conflicts.length > 0 ? run.refused(conflicts) : run.result();
}

class WorldRun {
  private readonly worlds: readonly RouteWorld[];
  private readonly options: WorldOptions;
  private readonly differences = new Map<string, Grown>();
  private readonly undecided = new Map<string, WorldOpen>();
  private readonly assumptions = new Map<string, Assumption>();
  private readonly listed: Listed[] = [];
  private readonly decided = new Decided();
  private size = { views: 0, hosts: 0, classes: 0 };

  constructor(worlds: readonly RouteWorld[], options: WorldOptions) {
    this.worlds = worlds;
    this.options = options;
  }

  refused(conflicts: readonly Conflict[]): WorldComparison {
    return { outcome: "undecided", differences: [], undecided: [], assumptions: [], listed: [], conflicts, size: this.size };
  }

  result(): WorldComparison {
    for (const world of this.worlds) for (const assumption of world.assumptions) this.assume(assumption);
    this.weighUnmodelled();
    this.weighRoutedBeside();
    this.weighFamilies();
    const pairs = pairViews(this.worlds).filter(({ view }) => this.isWantedView(view));
    for (const pair of pairs) this.pair(pair);
    this.weighAssumedClients(pairs);
    if (pairs.length === 0) this.open({ reason: "no view of any place is to be compared" });
    const differences = [...this.differences.values()].map(({ difference, alsoIn, alsoFor }) => ({ ...difference, alsoIn: [...alsoIn.values()], alsoFor: [...alsoFor] }));
    const undecided = [...this.undecided.values()];
    const outcome = differences.length > 0 ? "different" : undecided.length > 0 ? "undecided" : "equivalent";
    return { outcome, differences, undecided, assumptions: [...this.assumptions.values()], listed: this.listed, conflicts: [], size: this.size };
  }

  /** Services are told apart by name, whatever addresses their clusters gave them. */
  private weighFamilies(): void {
    if (this.options.views?.includes("mesh") === false) return;
    const families = Map.groupBy(this.worlds.flatMap(({ services }) => Object.values(services ?? {})), ({ host }) => host);
    const [one] = [...families.values()].find((seen) => new Set(seen.map(({ hasBothFamilies }) => hasBothFamilies)).size > 1) ?? [];
    if (one !== undefined) this.assume({ text: "a service with addresses of both families in some places only is answered alike at each of them", where: one.host });
  }

  /** Clients that no place with pods has: they are compared between the places that may have them. */
  private weighAssumedClients(pairs: readonly Pair[]): void {
    if (this.worlds.every(({ areClientsAssumed }) => areClientsAssumed === true)) return;
    const assumed = this.worlds.filter(({ areClientsAssumed, views }) => areClientsAssumed === true && views.some(({ view }) => "mesh" in view));
    for (const { place } of assumed) this.assume({ text: `which clients \`${place}\` has is not known: those of the other places are looked at` });
    if (assumed.length < 2) return;
    const done = new Set(pairs.map(({ view }) => keyOfView(view)));
    const isNew = (view: View): boolean => "mesh" in view && !done.has(keyOfView(view));
    const own = new WorldRun(assumed, this.options).result();
    // What also shows for a client that somebody has is told already.
    for (const difference of own.differences.filter(({ view }) => isNew(view))) {
      const alsoIn = new Map(difference.alsoIn.map((view) => [JSON.stringify(view), view]));
      this.differences.set(JSON.stringify(["assumed", this.differences.size]), { difference, alsoIn, alsoFor: new Set(difference.alsoFor) });
    }
    for (const open of own.undecided) if (open.view !== undefined && isNew(open.view)) this.open(open);
  }

  private isWantedView(view: View): boolean {
    const { views, namespaces } = this.options;
    if (!("mesh" in view)) return views?.includes("gateways") !== false;
    return views?.includes("mesh") !== false && (namespaces === undefined || namespaces.includes(view.namespace));
  }

  /** What touches all of a place: the same everywhere is an assumption. */
  private weighUnmodelled(): void {
    const lists = this.worlds.map(({ unmodelled }) => unmodelled);
    const keys = lists.map((list) => list.map(({ key }) => key ?? "").sort().join("\n"));
    const isSame = keys.every((key) => key === keys[0]) && lists.every((list) => list.every(({ key }) => key !== undefined));
    this.worlds.forEach(({ place }, index) => {
      for (const unmodelled of lists[index] ?? []) {
        if (!isSame) this.open({ ...unmodelled, place });
        else this.assume({ text: `${unmodelled.reason}, in every place alike`, ...(unmodelled.where === undefined ? {} : { where: unmodelled.where.object }) });
      }
    });
  }

  /** What no view shows is weighed by itself: hosts that a waypoint routes, whether or not some client has a proxy of its own. */
  private weighRoutedBeside(): void {
    const { views, hosts } = this.options;
    if (views?.includes("mesh") === false) return;
    const all = new Set(this.worlds.flatMap(({ routedBeside = {} }) => Object.keys(routedBeside)));
    for (const host of [...all].sort()) {
      if (hosts !== undefined && !hosts.some((glob) => fits(glob, host))) continue;
      const own = this.worlds.map(({ routedBeside }) => (routedBeside !== undefined && Object.hasOwn(routedBeside, host) ? routedBeside[host] : undefined));
      const isSame = own.every((one) => one?.key !== undefined && one.key === own[0]?.key);
      this.worlds.forEach(({ place }, index) => {
        const unmodelled = own[index];
        if (unmodelled === undefined) return;
        if (!isSame) this.open({ ...unmodelled, place, host });
        else this.assume({ text: `${unmodelled.reason}, in every place alike`, ...(unmodelled.where === undefined ? {} : { where: unmodelled.where.object }) });
      });
    }
  }

  private pair(pair: Pair): void {
    this.size.views++;
    const { view, missing } = pair;
    if (missing.length > 0 && this.options.presence === "shared") {
      this.listed.push({ view, missing });
      return;
    }
    this.noteVersions(pair.readings);
    const comparison = this.compared(pair);
    this.size.hosts += comparison.size.hosts;
    this.size.classes += comparison.size.classes;
    for (const assumption of comparison.assumptions) this.assume(assumption);
    for (const open of comparison.undecided) this.open({ ...open, view });
    // A view that a place lacks is one difference, whatever it would route.
    for (const difference of missing.length > 0 ? comparison.differences.slice(0, 1) : comparison.differences) this.differ(pair, difference);
  }

  /** What views see alike is decided once. */
  private compared({ view, readings }: Pair): Comparison {
    const transports = "mesh" in view ? (["raw_buffer", "tls"] as const) : view.tls ? (["tls"] as const) : (["raw_buffer"] as const);
    const candidates = readings.map((own) => ({ readings: own }));
    return compare(candidates, this.compareOptions(view, transports));
  }

  private compareOptions(view: View, transports: NonNullable<CompareOptions["transports"]>): CompareOptions {
    const { hosts, presence, budget } = this.options;
    // In the mesh a service that no routing object names is nobody's business.
    const isWanted = (host: string, chosen: readonly (VirtualHost | undefined)[]): boolean => {
      if (hosts !== undefined && !hosts.some((glob) => fits(glob, host))) return false;
      if (hosts === undefined && "mesh" in view && chosen.some((one) => one !== undefined) && chosen.every((one) => one === undefined || one.isImplicit === true)) {
        return false;
      }
      if (presence !== "shared" || chosen.every((one) => one !== undefined) || chosen.every((one) => one === undefined)) return true;
      this.listed.push({ view, host, missing: this.worlds.flatMap(({ place }, index) => (chosen[index] === undefined ? [place] : [])) });
      return false;
    };
    return {
      transports,
      isWanted,
      leavesImplicit: hosts === undefined && "mesh" in view,
      decided: this.decided,
      // Where every host is wanted, no kind is cut.
      ...(hosts === undefined || hosts.includes("*") ? {} : { cuts: hosts.filter((glob) => glob.lastIndexOf("*") <= 0 || glob.indexOf("*") === glob.length - 1) }),
      ...(budget === undefined ? {} : { budget }),
    };
  }

  private noteVersions(readings: readonly (readonly Reading[])[]): void {
    for (const program of ["envoy", "istiod"]) {
      const places = this.worlds.flatMap(({ place }, index) => (readings[index]?.some(({ versions }) => versions?.[program] !== undefined) === true ? [place] : []));
      if (places.length > 1) this.assume({ text: `the release of ${program === "envoy" ? "Envoy" : "istiod"} is not known for ${places.map((place) => `\`${place}\``).join(" and ")}: the same one is assumed, whichever it is` });
    }
  }

  private differ({ view, missing }: Pair, { request: replayed, host, answers, more }: Difference): void {
    const request = this.told(replayed);
    const sides = answers.map((answer, index) => ({ ...answer, place: this.worlds[index]?.place ?? "" }));
    const rules = sides.map(({ rule }) => (rule === undefined ? "" : `${rule.object} ${rule.path}`));
    // Where no rule decides anywhere, the host alone tells what it is about.
    const isRuled = rules.some((rule) => rule !== "");
    const key = JSON.stringify([rules, sides.map(({ effect }) => effect.type), isRuled ? "" : host, missing]);
    const known = this.differences.get(key);
    if (known === undefined) {
      const difference = { view, host, request, answers: sides, alsoIn: [], alsoFor: [], missing, ...(more === undefined ? {} : { more }) };
      this.differences.set(key, { difference, alsoIn: new Map(), alsoFor: new Set() });
      return;
    }
    if (JSON.stringify(known.difference.view) !== JSON.stringify(view)) known.alsoIn.set(JSON.stringify(view), view);
    if (known.difference.host !== host) known.alsoFor.add(host);
  }

  /** The request as a client can send it: to a service by its name, where the address only stands for that. */
  private told(request: Difference["request"]): Difference["request"] {
    const address = request.destination?.address;
    const name = this.worlds.map(({ services }) => (address !== undefined && services !== undefined && Object.hasOwn(services, address) ? services[address]?.host : undefined)).find((one) => one !== undefined);
    if (name === undefined) return request;
    return { ...request, ...(request.sni === undefined ? { authority: name } : {}), destination: { ...request.destination, address: name } };
  }

  private open(open: WorldOpen | (Open & { readonly view: View })): void {
    const key = JSON.stringify([open.reason, open.where, open.host, "place" in open ? open.place : ""]);
    if (!this.undecided.has(key)) this.undecided.set(key, open);
  }

  private assume(assumption: Assumption): void {
    this.assumptions.set(`${assumption.text}\n${assumption.where ?? ""}`, assumption);
  }
}

interface Grown {
  readonly difference: WorldDifference;
  readonly alsoIn: Map<string, View>;
  readonly alsoFor: Set<string>;
}

/** Whether a glob takes a host: a star stands for any text, none included at the ends of a longer glob only as in domains. */
function fits(glob: string, host: string): boolean {
  const wanted = glob.toLowerCase();
  if (!wanted.includes("*") || wanted.indexOf("*") === wanted.lastIndexOf("*")) {
    const star = wanted.indexOf("*");
    if (star <= 0 || star === wanted.length - 1) return takes(wanted, host);
    return host.length >= wanted.length - 1 && host.startsWith(wanted.slice(0, star)) && host.endsWith(wanted.slice(star + 1));
  }
  let at = 0;
  const parts = wanted.split("*");
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 && part !== "" ? host.lastIndexOf(part) : host.indexOf(part, at);
    if (found < at || (index === 0 && found !== 0) || (index === parts.length - 1 && part !== "" && found + part.length !== host.length)) return false;
    at = found + part.length;
  }
  return true;
}
