import { compareWorlds, type Request, Resolver, type ViewTable } from "#routes";
import { chainFor } from "../../../routes/decide/chains.ts";
import { type Asked, type DataPlane, type Observed, serve, type Served } from "../../oracles/envoy/serve.ts";
import type { Translation } from "../../oracles/istiod.ts";
import type { Random } from "../../support/tables.ts";
import { type Context, contradiction, seenIn } from "./agreement.ts";
import { askedOf, httpPortsOf, listenerFor, type Place, placeOf, proxiesOf } from "./places.ts";
import { requestsFor } from "./requests.ts";
import type { MadeWorld } from "./worlds.ts";

/** Two clusters as they were made, and what istiod says of each. */
export interface Case {
  readonly id: string;
  readonly next: Random;
  readonly places: readonly { readonly made: MadeWorld; readonly translation: Translation }[];
}

export interface Tally {
  worlds: number;
  requests: number;
  exchanges: number;
  witnesses: number;
  different: number;
  undecided: number;
  readonly disagreements: string[];
  /** Why worlds were undecided. */
  readonly reasons: Map<string, number>;
}

/** Runs cases through one real Envoy and through the engine. */
export async function runCases(envoy: string, cases: readonly Case[], requests: number, tally: Tally, toPlace: typeof placeOf = placeOf): Promise<void> {
  const trials = cases.map((one) => new Trial(one, requests, tally, toPlace));
  const dataPlane = await serve(envoy, trials.flatMap((trial) => trial.served()));
  try {
    await Promise.all(trials.map((trial) => trial.run(dataPlane)));
  } finally {
    await dataPlane.stop();
  }
}

/** Methods that Envoy takes over HTTP/1.1. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]);

/** Draws among shares: of those that are seldom chosen every one, where they add up to a hundred at most. The likely ones first. */
const LOTS = [...new Set([0, 1, 2, 33, 71, 9_999, ...Array.from({ length: 100 }, (_, index) => index)])];

/** One request on its way through one proxy of one place. */
interface Question {
  readonly place: number;
  readonly view: ViewTable;
  readonly request: Request;
  readonly proxy: string;
  readonly asked: Asked;
  readonly context: Context;
  readonly transport: "tls" | "raw_buffer";
}

class Trial {
  readonly #case: Case;
  readonly #places: readonly Place[];
  readonly #tally: Tally;
  readonly #count: number;
  readonly #resolvers = new Map<ViewTable, readonly Resolver[]>();

  constructor(one: Case, count: number, tally: Tally, toPlace: typeof placeOf) {
    this.#case = one;
    this.#count = count;
    this.#tally = tally;
    this.#places = one.places.map(({ made, translation }, index) => toPlace(made, translation, `place-${index}`));
  }

  served(): readonly Served[] {
    return this.#places.flatMap((place, index) => [...place.generated.values()].map((generated): Served => {
      const ports = new Set(place.world.views.map(({ view }) => view.port));
      const proxy = place.made.proxies.find(({ id }) => id === generated.id);
      const wanted = generated.listeners.flatMap((listener) => {
        const name = String((listener as { readonly name?: unknown }).name);
        const port = Number(name.split("_").at(-1));
        return proxy?.type === "gateway" || ports.has(port) || name === "virtualOutbound" ? [name] : [];
      });
      return { id: this.#name(index, generated.id), generated, listeners: wanted };
    }));
  }

  #name(place: number, proxy: string): string {
    return `${this.#case.id}/${place}/${proxy}`;
  }

  async run(dataPlane: DataPlane): Promise<void> {
    this.#tally.worlds++;
    const { translation: failed } = this.#case.places.find(({ translation }) => translation.error !== undefined) ?? {};
    if (failed !== undefined) return this.#disagree(`istiod: ${failed.error ?? ""}`);
    for (const place of this.#places) this.#complete(place);
    // Boundary requests go to every host, those included that no routing object names.
    const comparison = compareWorlds(this.#places.map(({ world }) => world), { hosts: ["*"] });
    if (comparison.outcome === "different") this.#tally.different++;
    if (comparison.outcome === "undecided") {
      this.#tally.undecided++;
      for (const { reason } of comparison.undecided) this.#tally.reasons.set(reason, (this.#tally.reasons.get(reason) ?? 0) + 1);
    }
    await this.#boundaries(dataPlane, comparison.outcome === "equivalent");
    for (const difference of comparison.differences) await this.#witness(dataPlane, difference);
  }

  /** Every listener of HTTP that istiod makes is a view. */
  #complete(place: Place): void {
    for (const [id, generated] of place.generated) {
      const proxy = place.made.proxies.find((one) => one.id === id);
      if (proxy?.type !== "sidecar") continue;
      const ports = new Set(place.world.views.filter(({ view }) => proxiesOf(place, view).includes(generated)).map(({ view }) => view.port));
      for (const port of httpPortsOf(generated)) if (!ports.has(port)) this.#disagree(`no view for port ${port} of ${id}`);
    }
  }

  async #boundaries(dataPlane: DataPlane, isEquivalent: boolean): Promise<void> {
    const { next } = this.#case;
    const [first] = this.#places;
    const views = first?.world.views ?? [];
    if (views.length === 0) return;
    const weights = views.map((view) => 1 + Math.min(12, view.readings[0]?.listener.chains.reduce((sum, { then }) => sum + (then.type === "http" ? then.virtualHosts.reduce((rules, host) => rules + host.rules.length, 0) : 1), 0) ?? 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let left = this.#count;
    const questions: Question[] = [];
    const groups: number[][] = [];
    for (const [index, view] of views.entries()) {
      const own = index === views.length - 1 ? left : Math.min(left, Math.round((this.#count * (weights[index] ?? 0)) / total));
      left -= own;
      for (const request of requestsFor(view, next, own)) {
        const random = next(10_000);
        const group = this.#places.flatMap((_, place) => this.#question(place, view, request, random));
        groups.push(group.map((_, at) => questions.length + at));
        questions.push(...group);
      }
    }
    this.#tally.requests += groups.length;
    const observed = await this.#ask(dataPlane, questions);
    for (const [index, question] of questions.entries()) this.#check(question, observed[index]);
    if (!isEquivalent) return;
    for (const group of groups) {
      const seen = group.map((index) => this.#seen(questions[index], observed[index]));
      if (seen.some((text) => text !== seen[0])) {
        const question = questions[group[0] ?? 0];
        this.#disagree(`equivalent, but ${JSON.stringify(question?.view.view)} ${JSON.stringify(question?.request)} is answered\n  ${apart(seen).join("\n  ")}`);
      }
    }
  }

  /** The same view of a place, and a proxy for it. */
  #question(place: number, { view }: ViewTable, request: Request, random: number, transport: Question["transport"] = request.sni === undefined ? "raw_buffer" : "tls"): readonly Question[] {
    const own = this.#places[place];
    const table = own?.world.views.find((candidate) => JSON.stringify(candidate.view) === JSON.stringify(view));
    if (own === undefined || table === undefined) return [];
    const proxies = proxiesOf(own, view);
    const generated = proxies[this.#case.next(Math.max(1, proxies.length))];
    if (generated === undefined) {
      this.#disagree(`no proxy for ${JSON.stringify(view)}`);
      return [];
    }
    // A port without listener takes no connection.
    const listener = listenerFor(generated, view, request) ?? "none";
    const [reading] = table.readings;
    const { port, address } = request.destination ?? {};
    const chain = reading === undefined ? undefined : chainFor(reading.listener, { port, address, sni: request.sni, transport });
    const http = chain === undefined ? !("mesh" in view) : chain.then.type === "http";
    return [{ place, view: table, request, proxy: this.#name(place, generated.id), asked: askedOf(listener, view, request, { http, random, transport }), transport, context: { made: own.made, generated } }];
  }

  async #ask(dataPlane: DataPlane, questions: readonly Question[]): Promise<readonly Observed[]> {
    const byProxy = Map.groupBy(questions.map((question, index) => ({ question, index })), ({ question }) => question.proxy);
    const observed: Observed[] = [];
    await Promise.all([...byProxy].map(async ([proxy, own]) => {
      const answers = await dataPlane.ask(proxy, own.map(({ question }) => question.asked));
      for (const [at, { index }] of own.entries()) {
        const answer = answers[at];
        if (answer !== undefined) observed[index] = answer;
      }
    }));
    this.#tally.exchanges += questions.length;
    return observed;
  }

  #check({ view, request, context, place, asked, transport }: Question, observed: Observed | undefined): void {
    // The tables of all chains stand inside the listener here: one that is refused takes the others with it, as it does not where they are fetched.
    if (observed?.type === "refused" && view.readings.some(({ listener }) => listener.chains.some(({ then }) => then.type === "invalid"))) return;
    for (const resolver of this.#resolversOf(view)) {
      const { effect, rule, unmodelled } = resolver.answer(request, transport);
      if (unmodelled.length > 0) continue;
      const wrong = observed === undefined ? "no answer" : contradiction(effect, observed, request, context);
      if (wrong !== undefined) this.#disagree(`place ${place} ${JSON.stringify(view.view)} ${asked.listener} ${JSON.stringify(request)}\n  by ${rule?.object ?? "no rule"} ${rule?.path ?? ""}: ${wrong.slice(0, 1500)}\n  details ${JSON.stringify(observed).slice(0, 700)}`);
    }
  }

  #resolversOf(view: ViewTable): readonly Resolver[] {
    const resolvers = this.#resolvers.get(view) ?? view.readings.map(({ listener }) => new Resolver(listener));
    this.#resolvers.set(view, resolvers);
    return resolvers;
  }

  #seen(question: Question | undefined, observed: Observed | undefined, luck = false): string {
    if (question === undefined || observed === undefined) return "nothing";
    // Which share a connection gets is a matter of chance.
    const effect = question.asked.request === undefined ? this.#resolversOf(question.view)[0]?.answer(question.request, question.transport).effect : undefined;
    return effect?.type === "forward" && effect.destinations.length > 1 ? JSON.stringify(effect) : seenIn(observed, question.context, luck);
  }

  async #witness(dataPlane: DataPlane, { view, request, missing, answers }: ReturnType<typeof compareWorlds>["differences"][number]): Promise<void> {
    this.#tally.witnesses++;
    // What Envoy refuses is told apart by nothing, and HTTP/1.1 carries no method that Envoy does not know.
    if (missing.length > 0 || answers.every(({ effect }) => effect.type === "invalid") || !METHODS.has(request.method)) return;
    const table = { view, readings: [] };
    const transport = !("mesh" in view) && view.tls ? "tls" : request.sni === undefined ? "raw_buffer" : "tls";
    const seen: string[] = [];
    for (const random of LOTS) {
      const questions = this.#places.flatMap((_, place) => this.#question(place, table, request, random, transport));
      const observed = await this.#ask(dataPlane, questions);
      for (const [index, question] of questions.entries()) this.#check(question, observed[index]);
      seen.splice(0, seen.length, ...questions.map((question, index) => this.#seen(question, observed[index], true)));
      if (questions.length < this.#places.length || seen.some((text) => text !== seen[0])) return;
    }
    this.#disagree(`a witness that is none: ${JSON.stringify(view)} ${JSON.stringify(request)}\n  ${answers.map(({ effect }) => JSON.stringify(effect)).join("\n  ")}\n  both ${seen[0]?.slice(0, 1500)}`);
  }

  #disagree(text: string): void {
    this.#tally.disagreements.push(`world ${this.#case.id}: ${text}`);
  }
}

/** Texts from shortly before the place where they part. */
function apart(texts: readonly string[]): readonly string[] {
  const [first = ""] = texts;
  const other = texts.find((text) => text !== first) ?? first;
  let at = 0;
  while (at < first.length && first[at] === other[at]) at++;
  return texts.map((text) => `... ${text.slice(Math.max(0, at - 200), at + 300)}`);
}
