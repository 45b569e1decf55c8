import { byText, fault, info, undecided, type Finding } from "#engine";
import type { WorldComparison, WorldDifference, WorldOpen } from "#routes";
import type { Dead } from "./dead.ts";
import type { Evidences } from "./evidence.ts";
import { curlText, effectText, listText, requestText, ruleText, sidesOf, viewText } from "./words.ts";

/** Differences told of one host; what is beyond is counted. */
const MOST_PER_HOST = 5;
const MOST_NAMES = 5;

/** One finding for each pair of deciding rules, a handful for each host. */
export function* differenceFindings({ differences }: WorldComparison, evidences: Evidences): Iterable<Finding> {
  for (const [host, group] of Map.groupBy(differences, (difference) => difference.host)) {
    for (const difference of group.slice(0, MOST_PER_HOST)) yield differenceFinding(difference, evidences);
    const [first] = group;
    const left = group.length - MOST_PER_HOST;
    if (left <= 0 || first === undefined) continue;
    yield info({
      subject: subjectOf(first),
      cause: "more differences",
      message: `${left} more differences of \`${host}\` rest on other rules`,
      remedy: "repair those above first; `hosts` narrows the assertion to one host",
      evidence: [],
    });
  }
}

function subjectOf({ view, host }: WorldDifference): string {
  return "gateway" in view ? `${view.gateway}:${view.port}/${host}` : `mesh/${view.namespace}:${view.port}/${host}`;
}

/** What of a finding depends on who is compared. */
export interface Telling {
  readonly subject?: string;
  readonly remedy?: string;
  /** Added to the message. */
  readonly more?: string;
}

/** One difference. */
export function differenceFinding(difference: WorldDifference, evidences: Evidences, telling: Telling = {}): Finding {
  const { request, view, answers, alsoIn, alsoFor, missing, more } = difference;
  const effects = answers.map(({ effect }) => effect);
  const sides = sidesOf(difference).map((side) => {
    const [first] = side;
    if (first === undefined) return "";
    const where = listText(side.map(({ place }) => place));
    if (missing.includes(first.place)) return `in ${where} there is no such ${"gateway" in view ? "gateway" : "client"}`;
    return `in ${where} it ${effectText(first.effect, effects)} ${ruleText(withPlace(first, evidences))}`;
  });
  const also = [
    ...(alsoFor.length === 0 ? [] : [`so do requests for ${alsoFor.slice(0, MOST_NAMES).map((name) => `\`${name}\``).join(", ")}${alsoFor.length > MOST_NAMES ? ` and ${alsoFor.length - MOST_NAMES} more hosts` : ""}`]),
    ...(alsoIn.length === 0 ? [] : [`the same at ${alsoIn.slice(0, MOST_NAMES).map(viewText).join(", ")}${alsoIn.length > MOST_NAMES ? ` and ${alsoIn.length - MOST_NAMES} more views` : ""}`]),
    ...(more === true ? ["more requests for this host may differ"] : []),
  ];
  const evidence = answers.flatMap((answer) => {
    const absent = missing.includes(answer.place);
    return evidences.of(answer.place, answer.rule, absent ? "not there" : "decides", absent ? viewText(view) : `${answer.rule === undefined ? "no rule" : `${answer.rule.object} ${answer.rule.path}`}: ${effectText(answer.effect, effects)}`);
  });
  const [first] = evidence;
  return fault({
    subject: telling.subject ?? subjectOf(difference),
    cause: JSON.stringify([answers.map(({ place, rule, effect }) => [place, rule?.object ?? "", rule?.path ?? "", effect.type]), missing]),
    message: `${requestText(request)} at ${viewText(view)}: ${sides.join("; ")}${also.length === 0 ? "" : `; ${also.join("; ")}`}${telling.more ?? ""}`,
    remedy: telling.remedy ?? remedyOf(difference, evidences),
    evidence: first === undefined ? evidence : [...evidence, { ...first, label: "to see it", value: curlText(request, view) }],
  });
}

function withPlace({ place, rule }: WorldDifference["answers"][number], evidences: Evidences) {
  if (rule === undefined) return undefined;
  const source = evidences.object(place, rule.object)?.source;
  return { object: rule.object, path: rule.path, file: rule.file ?? source?.file, line: rule.line ?? source?.line };
}

/** The way out that fits: another order, a missing gateway, or rules that say different things. */
function remedyOf(difference: WorldDifference, evidences: Evidences): string {
  const { missing, answers, view } = difference;
  if (missing.length > 0) {
    const what = "gateway" in view ? `\`gatewayMapping\` if ${listText(missing)} has it under another name, ` : "";
    return `make it in ${listText(missing)}, write ${what}or \`presence: shared\` if not every cluster needs it`;
  }
  const order = orderRemedy(difference, evidences);
  if (order !== undefined) return order;
  const objects = [...new Set(answers.flatMap(({ rule }) => (rule === undefined ? [] : [rule.object])))].toSorted(byText);
  const where = listText(answers.map(({ place }) => place));
  const repair = objects.length === 0 ? `give ${where} the same objects for \`${difference.host}\`` : `make ${listText(objects)} say the same in ${where}`;
  return `${repair}; if the difference is meant, name what may differ in \`ignore\`, \`hostMapping\` or \`hosts\``;
}

/** The same objects, made in another order. */
function orderRemedy({ answers }: WorldDifference, evidences: Evidences): string | undefined {
  const places = answers.map(({ place }) => place);
  for (const object of new Set(answers.flatMap(({ rule }) => rule?.object ?? []))) {
    const found = evidences.reordered(object, places);
    if (found === undefined) continue;
    const made = [...Map.groupBy(places, (place) => found.older.get(place) ?? "")].map(([older, own]) => `in ${listText(own)} \`${older}\` is the older one`);
    return `\`${object}\` and \`${found.other}\` say the same everywhere and were made in another order (${made.join(", ")}), which decides between objects for one host: merge the two into one, or make the younger one anew where it is the older`;
  }
  return undefined;
}

/** One finding for each reason and object, with the hosts that it touches. */
export function* openFindings({ undecided: open, size }: WorldComparison, evidences: Evidences): Iterable<Finding> {
  // Nothing to compare is for the engine to tell: complete lists may hold nothing.
  const told = size.views === 0 ? open.filter(({ where }) => where !== undefined) : open;
  const groups = Map.groupBy(told, ({ reason, where, place }) => JSON.stringify([reason, where?.object ?? "", where?.path ?? "", place ?? ""]));
  for (const [key, group] of groups) {
    const [first] = group;
    if (first !== undefined) yield openFinding(first, [...new Set(group.flatMap(({ host }) => host ?? []))], key, evidences);
  }
}

function openFinding({ reason, where, place, view }: WorldOpen, hosts: readonly string[], key: string, evidences: Evidences): Finding {
  const object = where === undefined ? "" : ` (\`${where.object}\`${where.path === undefined ? "" : ` ${where.path}`})`;
  const touched = hosts.length === 0 ? "" : `; it touches ${hosts.slice(0, MOST_NAMES).map((name) => `\`${name}\``).join(", ")}${hosts.length > MOST_NAMES ? ` and ${hosts.length - MOST_NAMES} more hosts` : ""}`;
  const at = view === undefined ? "" : ` at ${viewText(view)}`;
  return undecided({
    subject: where?.object ?? place ?? "routes",
    cause: key,
    message: `cannot be decided${place === undefined ? "" : ` in \`${place}\``}${at}: ${reason}${object}${touched}`,
    remedy: openRemedy(reason, where?.object),
    evidence: place === undefined ? evidences.anywhere(where?.object, "stays open", reason) : evidences.of(place, where && { object: where.object }, "stays open", reason),
  });
}

function openRemedy(reason: string, object: string | undefined): string {
  if (/\bsteps\b|\bstates\b|budget/.test(reason)) return "raise `budget`, or leave the host out with `hosts`";
  if (/age|made first|order/.test(reason)) return "read a live cluster or a dump with `creationTimestamp`, or merge the objects into one";
  return object === undefined ? "settle it, or leave what it touches out with `hosts` or `views`" : `make \`${object}\` the same everywhere or remove it, or leave what it touches out with \`hosts\` or \`views\``;
}

const MOST_DEAD = 20;

/** Rules that no request reaches: one note for each object. */
export function* deadFindings(dead: readonly Dead[], evidences: Evidences): Iterable<Finding> {
  for (const { object, places, paths } of dead.slice(0, MOST_DEAD)) {
    const names = paths.slice(0, MOST_NAMES).map(({ path, by }) => `${path} (${by} takes all of its requests)`);
    const more = paths.length > MOST_NAMES ? ` and ${paths.length - MOST_NAMES} more` : "";
    yield info({
      subject: object,
      cause: `dead ${paths.map(({ path }) => path).join(" ")}`,
      message: `in ${listText(places)} no request ever reaches ${names.join(", ")}${more} of \`${object}\``,
      remedy: "remove the rule, or move it before the one that takes its requests",
      evidence: places.flatMap((place) => evidences.of(place, { object }, "never reached", paths.map(({ path }) => path).slice(0, MOST_NAMES).join(", "))),
    });
  }
  if (dead.length > MOST_DEAD) {
    yield info({
      subject: "rules that no request reaches",
      cause: "more dead rules",
      message: `${dead.length - MOST_DEAD} more objects hold rules that no request reaches`,
      remedy: "remove those above first",
      evidence: [],
    });
  }
}
