/**
 * Rules that are never the first match.
 *
 * A list is decided against one that does something else with every request: whatever rule takes a request first then shows up as a
 * difference. A rule that never does is dead. The answer is exact for the reason that the decision is, and where the decision leaves
 * something open, rules that did not show up are not called dead.
 *
 * @module
 */

import { Decision } from "./decision.ts";
import { hostKinds } from "./host-kinds.ts";
import type { Chosen } from "./host-kinds.ts";
import { Judge } from "./judge.ts";
import { isCoupling } from "./lower.ts";
import type { Action, HttpTable, Origin, Rule, VirtualHost } from "./model.ts";
import { faultsOf, Regexes } from "./regexes.ts";
import { Languages, Scope } from "./scope.ts";
import { settingOf } from "./seen.ts";
import { Steps } from "./steps.ts";

/** What is known of the rules of a table. A rule that stands in several virtual hosts is one. */
export interface DeadRules {
  /** Never the first match, for any request. */
  readonly dead: readonly Origin[];
  /** Neither seen to match first, nor proven dead. */
  readonly open: readonly Origin[];
}

const DEFAULT_STEPS = 2_000_000;

/** The rules of a table that never decide. In a table that the proxy refuses none is called dead. */
export function deadRules(table: HttpTable, budget: { readonly steps?: number } = {}): DeadRules {
  const regexes = new Regexes();
  const { refused, unread } = faultsOf(table, regexes);
  if (refused !== undefined) return { dead: [], open: [] };
  const marks = new Marks(table, unread);
  const languages = new Languages(regexes);
  const seen = new Set<VirtualHost>();
  for (const kind of hostKinds([table], table.ignorePort, new Steps(budget.steps ?? DEFAULT_STEPS))) {
    const [host] = kind.hosts;
    if (host === undefined || (seen.has(host) && !looksAtAuthority(host))) continue;
    seen.add(host);
    new Search(table, kind, marks, { regexes, languages, steps: budget.steps ?? DEFAULT_STEPS }).run(host.rules.filter((rule) => !unread.has(rule)));
  }
  return marks.result();
}

/** Which rules were seen to match first, and which may. */
class Marks {
  private readonly origins = new Map<string, Origin>();
  private readonly alive = new Set<string>();
  private readonly doubtful = new Set<string>();

  constructor(table: HttpTable, unread: ReadonlyMap<Rule, unknown>) {
    for (const { rules } of table.virtualHosts) {
      for (const rule of rules) {
        this.origins.set(keyOf(rule), rule.origin);
        if (unread.has(rule)) this.doubtful.add(keyOf(rule));
      }
    }
  }

  live(rule: Rule): void {
    this.alive.add(keyOf(rule));
  }

  doubt(rules: readonly Rule[]): void {
    for (const rule of rules) this.doubtful.add(keyOf(rule));
  }

  result(): DeadRules {
    const left = [...this.origins].filter(([key]) => !this.alive.has(key));
    const isOpen = ([key]: readonly [string, Origin]): boolean => this.doubtful.has(key);
    return { dead: left.filter((one) => !isOpen(one)).map(([, origin]) => origin), open: left.filter(isOpen).map(([, origin]) => origin) };
  }
}

function keyOf({ origin }: Rule): string {
  return `${origin.object}\n${origin.path}\n${origin.file ?? ""}`;
}

/** Most rules that are asked for one by one, where asking for all left something open. */
const MOST_ALONE = 50;

interface Tools {
  readonly regexes: Regexes;
  readonly languages: Languages;
  readonly steps: number;
}

/** The rules of one kind of host. */
class Search {
  private readonly table: HttpTable;
  private readonly kind: Chosen;
  private readonly marks: Marks;
  private readonly tools: Tools;

  constructor(table: HttpTable, kind: Chosen, marks: Marks, tools: Tools) {
    this.table = table;
    this.kind = kind;
    this.marks = marks;
    this.tools = tools;
  }

  /** Asks for all rules at once; for those that did not show up while something stayed open, one by one. */
  run(rules: readonly Rule[]): void {
    const missing = new Set(rules);
    const byAction = new Map<Action, Rule>();
    const marked = rules.map((rule, index): Rule => {
      const action: Action = { type: "respond", status: 200, body: String(index) };
      byAction.set(action, rule);
      return { ...rule, action };
    });
    const isSettled = this.ask(marked, [{ when: {}, action: { type: "close" }, origin: { object: "", path: "" } }], (action) => {
      const rule = action === undefined ? undefined : byAction.get(action);
      if (rule !== undefined && missing.delete(rule)) this.marks.live(rule);
      return missing.size > 0;
    });
    if (isSettled) return;
    if (missing.size > MOST_ALONE) return this.marks.doubt([...missing]);
    for (const rule of missing) this.askAlone(rules, rule);
  }

  /** The list against itself with another action for one rule. */
  private askAlone(rules: readonly Rule[], one: Rule): void {
    const [rest, first, second] = ["rest", "first", "second"].map((body): Action => ({ type: "respond", status: 200, body }));
    if (rest === undefined || first === undefined || second === undefined) return;
    const withAction = (action: Action): readonly Rule[] => rules.map((rule) => ({ ...rule, action: rule === one ? action : rest }));
    let isAlive = false;
    const isSettled = this.ask(withAction(first), withAction(second), () => {
      isAlive = true;
      return false;
    });
    if (isAlive) this.marks.live(one);
    else if (!isSettled) this.marks.doubt([one]);
  }

  /** Decides two lists; `difference` gets the action of the first. True: nothing was left open. */
  private ask(one: readonly Rule[], other: readonly Rule[], difference: (action: Action | undefined) => boolean): boolean {
    const setting = settingOf(this.table);
    const { regexes, languages, steps } = this.tools;
    const meter = new Steps(steps);
    const { kind } = this.kind;
    const scope = new Scope({ languages, meter, paths: undefined, normalization: setting.pathNormalization, isCoupled: one.some(({ when }) => isCoupling(when)), host: kind });
    let isSettled = true;
    const leaveOpen = (): void => void (isSettled = false);
    new Decision({
      scope,
      sides: [one, other].map((rules) => ({ rules, setting })),
      judge: new Judge([{ place: 0 }, { place: 1 }]),
      defaults: { request: { scheme: "http", authority: kind.common[0] ?? "" }, normalization: setting.pathNormalization },
      regexes,
      meter,
      listener: { difference: (_, [action]) => difference(action), open: leaveOpen, depends: leaveOpen },
    }).run();
    return isSettled;
  }
}

function looksAtAuthority({ rules }: VirtualHost): boolean {
  return rules.some(({ when }) => when.headers?.some(({ name }) => name === ":authority" || name === "host") === true);
}
