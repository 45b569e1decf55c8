import { Resolver, type Assumption, type Effect, type Origin, type Request, type RouteWorld, type Unmodelled, type View, type ViewTable } from "#routes";
import { viewText } from "../../kinds/routes-equivalent/words.ts";
import { UsageError } from "../errors.ts";
import { actionJson, requestJson, ruleJson } from "./answer.ts";
import type { Asked } from "./request.ts";

/** Where one request goes. */
export interface Routed {
  /** Undefined where nothing is known of the place. */
  readonly view: View | undefined;
  readonly request: Request;
  readonly action: Effect | ({ readonly type: "undecided" } & Pick<Unmodelled, "reason" | "where">);
  readonly rule: Origin | undefined;
  /** What acts on the request beside its routes. */
  readonly assumptions: readonly Assumption[];
}

/** Answers requests at one place. What is prepared for a view is prepared once. */
export class Router {
  readonly #world: RouteWorld;
  readonly #isProxy: boolean;
  readonly #resolvers = new Map<ViewTable, readonly { readonly name: string; readonly resolver: Resolver }[]>();

  /** @param isProxy the world is what one proxy has loaded */
  constructor(world: RouteWorld, isProxy = false) {
    this.#world = world;
    this.#isProxy = isProxy;
  }

  /** Throws {@link UsageError} where it is not clear which view is meant. */
  route({ request, view }: Asked): Routed {
    if (view !== undefined) return this.#at(this.#named(view), request);
    const [gateways, clients] = this.#fitting(request).map((tables) => tables.map((table) => this.#at(table, request)));
    // A view that knows nothing of a host is not the one that is meant, where another does; from outside is tried first.
    const known = [gateways, clients].map((answers) => (answers ?? []).filter(({ action }) => !UNKNOWING.has(action.type)));
    const [first, ...others] = [...known, gateways ?? [], clients ?? []].find((answers) => answers.length > 0) ?? [];
    if (first === undefined) throw this.#unknown(request);
    const other = others.find((each) => JSON.stringify([each.action, each.rule]) !== JSON.stringify([first.action, first.rule]));
    if (other !== undefined) throw ambiguous(first.view, other.view);
    return first;
  }

  #named(view: View): ViewTable {
    const isMeant = (table: ViewTable): boolean => {
      const own = table.view;
      if ("gateway" in view) return "gateway" in own && own.gateway === view.gateway && own.port === view.port && own.tls === view.tls;
      const labels = Object.entries(view.labels);
      return "mesh" in own && own.namespace === view.namespace && own.port === view.port && labels.every(([key, value]) => own.labels[key] === value) && (labels.length > 0 || Object.keys(own.labels).length === 0);
    };
    const { views } = this.#world;
    // A client without the labels that rules ask for may be the only one there is.
    const loose = "mesh" in view ? views.filter((table) => "mesh" in table.view && table.view.namespace === view.namespace && table.view.port === view.port) : [];
    const found = views.find(isMeant) ?? (loose.length === 1 ? loose[0] : undefined);
    if (found !== undefined) return found;
    throw new UsageError(`\`${this.#world.place}\` has no such view as ${viewText(view)}`, { remedy: `it has ${this.#views()}` });
  }

  /** Gateways and clients for the port of the request. */
  #fitting(request: Request): readonly (readonly ViewTable[])[] {
    const port = portOf(request);
    const isTls = request.scheme === "https";
    const { views } = this.#world;
    // One proxy listens where it does: what is asked of its only gateway port is asked there, whatever port clients see in front of it.
    const listening = views.filter(({ view }) => "gateway" in view && view.tls === isTls);
    if (this.#isProxy && !/:\d{1,5}$/.test(request.authority) && listening.length === 1) return [listening, []];
    return [views.filter(({ view }) => "gateway" in view && view.port === port && view.tls === isTls), views.filter(({ view }) => "mesh" in view && view.port === port)];
  }

  #unknown(request: Request): UsageError {
    return new UsageError(`\`${this.#world.place}\` has no gateway and no client for port ${portOf(request)}${request.scheme === "https" ? " with TLS" : ""}`, {
      remedy: this.#world.views.length === 0 ? "name a place that holds Gateways, or VirtualServices of the mesh" : `name one of its views with --view, or its port in the URL: it has ${this.#views()}`,
    });
  }

  #views(): string {
    const all = this.#world.views.map(({ view }) => ("gateway" in view ? `${view.gateway}:${view.port}${view.tls ? " (https)" : ""}` : `mesh:${view.namespace}:${view.port}`));
    return all.length === 0 ? "none" : `${all.slice(0, 6).join(", ")}${all.length > 6 ? ` and ${all.length - 6} more` : ""}`;
  }

  #at(table: ViewTable, asked: Request): Routed {
    const { view } = table;
    const request = seenAt(view, asked);
    const transport = ("gateway" in view ? view.tls : request.sni !== undefined) ? "tls" : "raw_buffer";
    const answers = this.#resolversOf(table).map(({ name, resolver }) => ({ name, answer: resolver.answer(request, transport) }));
    const [first] = answers;
    if (first === undefined) throw new TypeError("a view has at least one reading");
    const outside = [...this.#world.unmodelled, ...this.#beside(view, request), ...answers.flatMap(({ answer }) => answer.unmodelled)];
    const assumptions = outside.filter(({ key }) => key !== undefined).map(({ reason, where }) => ({ text: reason, ...(where === undefined ? {} : { where: where.object }) }));
    const open = outside.find(({ key, mayRoute }) => key === undefined || mayRoute === true);
    const undecided = (reason: string, where: Unmodelled["where"]): Routed => ({ view, request, action: { type: "undecided", reason, ...(where === undefined ? {} : { where }) }, rule: undefined, assumptions });
    if (open !== undefined) return undecided(open.reason, open.where);
    const other = answers.find(({ answer }) => JSON.stringify(answer.effect) !== JSON.stringify(first.answer.effect));
    if (other !== undefined) {
      const where = other.answer.rule ?? first.answer.rule;
      const names = [first.name, other.name].map((name) => (name === "" ? "the order that is known" : name));
      return undecided(`it depends on what is not known: ${names.join(", or ")}`, where && { object: where.object, path: where.path });
    }
    return { view, request, action: first.answer.effect, rule: first.answer.rule, assumptions };
  }

  /** What no table shows: a waypoint routes the host of the request. */
  #beside(view: View, { authority }: Request): readonly Unmodelled[] {
    const host = authority.replace(/:\d+$/, "");
    const { routedBeside = {} } = this.#world;
    return "mesh" in view && Object.hasOwn(routedBeside, host) ? [routedBeside[host]].filter((one) => one !== undefined) : [];
  }

  #resolversOf(table: ViewTable): readonly { readonly name: string; readonly resolver: Resolver }[] {
    const known = this.#resolvers.get(table) ?? table.readings.map(({ name, listener }) => ({ name, resolver: new Resolver(listener) }));
    this.#resolvers.set(table, known);
    return known;
  }
}

/** What a view answers where it knows nothing of a host. */
const UNKNOWING: ReadonlySet<string> = new Set(["notFound", "close", "passthrough"]);

function portOf({ authority, scheme }: Request): number {
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
}

/** The request with what its connection has: the server name of a client that speaks TLS to the host it asks for. */
function seenAt(view: View, request: Request): Request {
  const isTls = "gateway" in view && view.tls;
  const name = request.authority.replace(/:\d{1,5}$/, "").toLowerCase();
  return {
    ...request,
    ...(isTls && request.sni === undefined && name !== "" ? { sni: name } : {}),
    ...("mesh" in view && request.destination?.port === undefined ? { destination: { ...request.destination, port: view.port } } : {}),
  };
}

function ambiguous(one: View | undefined, other: View | undefined): UsageError {
  if (one === undefined || other === undefined) throw new TypeError("an answer of a view names it");
  return new UsageError(`the request is answered differently at ${viewText(one)} and at ${viewText(other)}`, {
    remedy: `say which is meant: \`--view ${"gateway" in one ? `${one.gateway}:${one.port}` : `mesh:${one.namespace}:${one.port}`}\``,
  });
}

/** One answer for programs. */
export function routeJson({ view, request, action, rule, assumptions }: Routed): object {
  return {
    schema: "cloud-assert/route/v1",
    view: view ?? null,
    request: requestJson(request),
    action: action.type === "undecided" ? action : actionJson(action),
    rule: ruleJson(rule),
    ...(assumptions.length === 0 ? {} : { assumptions }),
  };
}
