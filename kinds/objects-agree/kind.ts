import { byText, canonical, cite, defineKind, fault, gap, groupOf, info, isSecretKind, judged, nothingSelected, objectsRequest, partOnly, selectsObject, undecided, type Finding, type Gap, type Judgement, type SpecFault } from "#engine";
import { objectPathText, parseObjectPath, type ObjectPath } from "#values";
import { differences, leadsSomewhere } from "./compare.ts";
import { OPEN_WORDS } from "./open.ts";
import { assignedPaths, commonName, comparedOf, isKindFact, isObjectFact, type KindFact, type ObjectFact } from "./sides.ts";
import type { Spec } from "./spec.ts";
import { campsOf, clustersText, differencesText, evidenceOf, ignorablePath, majorityOf, pathText } from "./words.ts";
import type { Difference, Rules } from "./walking.ts";

export default defineKind({
  name: "ObjectsAgree",
  summary: "the selected objects are the same in every cluster",
  needs: (spec: Spec) => [objectsRequest(spec.select, { also: Object.values(spec.mapping).flatMap((names) => Object.keys(names)), ...(spec.compare === undefined ? {} : { paths: pathsOf(spec.compare) }) })],
  check: faultsIn,
  judges: ["object", "objects"],

  *judge(spec: Spec, world) {
    if (world.clusters.length < 2) yield needsTwo(world.clusters.map(({ name }) => name));
    const facts = world.facts("objects");
    const kinds = new Map(facts.filter(isKindFact).map((fact) => [fact.cluster, fact]));
    const byName = selectedByName(facts.filter(isObjectFact), spec);
    yield* strangers(spec, world.clusters.map(({ name }) => name));
    const part = [...kinds.values()].flatMap(({ cluster, data }) => {
      const why = partOnly(spec.select, data, cluster);
      return why === undefined ? [] : [gap({ cluster, subject: `${cluster}/${spec.select.kind}`, ...why })];
    });
    yield* part;
    const isWhole = (cluster: string) => world.complete("objects", cluster) && !part.some((each) => each.cluster === cluster);
    if (byName.size === 0) yield* nothingMatches(spec, [...kinds.values()]);

    let count = 0;
    const partial: string[] = [];
    const unread = new Map<string, Gap>();
    const walked = new Map(pathsOf(spec.compare ?? []).map((path) => [path, false]));
    for (const [name, objects] of [...byName].toSorted(([a], [b]) => byText(a, b))) {
      const twice = objects.find((object, index) => objects.findIndex(({ cluster }) => cluster === object.cluster) !== index);
      if (twice !== undefined) {
        yield twoOfOneName(name, objects.filter(({ cluster }) => cluster === twice.cluster), spec);
        continue;
      }
      const lacking = world.clusters.filter(({ name: cluster }) => isWhole(cluster) && !objects.some((object) => object.cluster === cluster)).map((cluster) => cluster.name);
      if (lacking.length > 0 && spec.presence === "everywhere") yield missing(name, objects, lacking, spec, kinds);
      else if (lacking.length > 0) partial.push(name);
      const found = [...walked.keys()].filter((path) => objects.some((object) => leadsSomewhere(path, compared(object, spec))));
      for (const path of found) walked.set(path, true);
      // An object that has nothing at any path to compare shows nothing; that a cluster lacks it does.
      const isSeen = objects.length > 1 && (walked.size === 0 || found.length > 0);
      if (isSeen || (lacking.length > 0 && spec.presence === "everywhere")) count += 1;
      if (objects.length > 1) yield* compare(name, objects, spec, kinds, unread);
    }
    yield* [...unread].toSorted(([a], [b]) => byText(a, b)).map(([, each]) => each);
    yield judged(count);
    const nowhere = [...walked].filter(([, isFound]) => !isFound).map(([path]) => path);
    if (nowhere.length > 0 && byName.size > 0) yield leadsNowhere(nowhere, spec, [...kinds.values()]);
    if (partial.length > 0) yield listed(partial, spec);
  },
});

function pathsOf(texts: readonly string[]): readonly ObjectPath[] {
  return texts.map(parseObjectPath).filter((path) => path !== undefined);
}

function* faultsIn(spec: Spec): Iterable<SpecFault> {
  if (isSecretKind(spec.select)) {
    yield { path: ["select", "kind"], message: "objects of kind `Secret` are never read", remedy: "compare what uses the secret, or a digest that is published elsewhere: a Certificate, an ExternalSecret, a ConfigMap" };
  }
  for (const field of ["compare", "ignore", "unordered"] as const) {
    for (const [index, text] of (spec[field] ?? []).entries()) {
      if (parseObjectPath(text) !== undefined) continue;
      yield { path: [field, index], message: `\`${text.slice(0, 80)}\` is no path`, remedy: 'write keys with dots between them: `spec.servers[*].hosts`, `metadata.annotations["example.com/owner"]`' };
    }
  }
}

function selectedByName(objects: readonly ObjectFact[], { select, mapping }: Spec): ReadonlyMap<string, readonly ObjectFact[]> {
  const mapped = (object: ObjectFact) => commonName(object, mapping);
  const wanted = objects.filter((object) => selectsObject(select, object.data) || (Object.hasOwn(mapping, object.cluster) && Object.hasOwn(mapping[object.cluster] ?? {}, nameOf(object))));
  return Map.groupBy(wanted, mapped);
}

/** A cluster that is mapped and not selected is more likely a slip: what it was to stand for will be told as missing. */
function* strangers({ mapping, select }: Spec, clusters: readonly string[]): Iterable<Finding> {
  for (const name of Object.keys(mapping).filter((each) => !clusters.includes(each))) {
    yield info({
      subject: `mapping ${name}`,
      cause: "not selected",
      message: `\`mapping\` names the cluster \`${name}\`, and this assertion compares \`${select.kind}\` of ${clusters.length === 0 ? "none" : clustersText(clusters.toSorted(byText))}`,
      remedy: "correct the name in `mapping`, or select the cluster",
      evidence: [],
    });
  }
}

function* nothingMatches({ select }: Spec, kinds: readonly KindFact[]): Iterable<Finding> {
  for (const fact of kinds) {
    yield info({ subject: `${fact.cluster}/${select.kind}`, cause: "matches nothing", ...nothingSelected(select, fact.data, fact.cluster), evidence: [cite(fact, "objects of this kind", String(fact.data.total))] });
  }
}

function nameOf({ data: { namespace, name } }: ObjectFact): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function needsTwo(clusters: readonly string[]): Judgement {
  return gap({
    subject: clusters[0] ?? "the fleet",
    reason: `objects are compared between clusters, and the assertion selects ${clusters.length === 0 ? "none" : `only \`${clusters[0]}\``}`,
    remedy: "select two clusters or more in `spec.clusters`",
  });
}

function twoOfOneName(name: string, objects: readonly ObjectFact[], { select }: Spec): Finding {
  const names = objects.map((object) => `\`${nameOf(object)}\``).toSorted(byText);
  return undecided({
    subject: name,
    cause: `two ${name} ${names.join(" ")}`,
    message: `${names.join(" and ")} in \`${objects[0]?.cluster ?? ""}\` both stand for \`${select.kind}\` \`${name}\``,
    remedy: "correct `mapping`: one object of a cluster stands for one of the others",
    evidence: objects.map((object) => cite(object, "this object", nameOf(object))),
  });
}

function missing(name: string, objects: readonly ObjectFact[], lacking: readonly string[], { select, mapping }: Spec, kinds: ReadonlyMap<string, KindFact>): Finding {
  const unserved = lacking.filter((cluster) => kinds.get(cluster)?.data.served === false);
  const why = unserved.length === 0 ? "" : ` (${clustersText(unserved)} ${unserved.length === 1 ? "does" : "do"} not serve the kind at all)`;
  const there = objects.map(({ cluster }) => cluster).toSorted(byText);
  const mapIt = lacking.some((cluster) => !Object.hasOwn(mapping, cluster)) ? `; where it has another name there, write it into \`mapping\`: \`${lacking[0]}: { OTHER-NAME: ${name} }\`` : "";
  return fault({
    subject: name,
    cause: `missing in ${lacking.toSorted(byText).join(" ")}`,
    message: `\`${select.kind}\` \`${name}\` is in ${clustersText(there)} and not in ${clustersText(lacking.toSorted(byText))}${why}`,
    remedy: `create it in ${clustersText(lacking.toSorted(byText))} or delete it in ${clustersText(there)}${mapIt}; or compare only what all have with \`presence: shared\``,
    evidence: [
      ...objects.map((object) => cite(object, "this object", nameOf(object))),
      ...lacking.flatMap((cluster) => {
        const kind = kinds.get(cluster);
        return kind === undefined ? [] : [cite(kind, "objects of this kind", String(kind.data.total))];
      }),
    ],
  });
}

/** Schemas that could not be read become gaps in `unread`, one a cluster, where nothing but they could decide. */
function* compare(name: string, objects: readonly ObjectFact[], spec: Spec, kinds: ReadonlyMap<string, KindFact>, unread: Map<string, Gap>): Iterable<Finding> {
  const sides = objects.map((object) => {
    const kind = kinds.get(object.cluster)?.data;
    return { value: compared(object, spec), schema: kind?.schema, written: kind?.written ?? false };
  });
  const found = differences(sides, rulesOf(spec));
  const certain = found.filter(({ unless }) => unless === undefined);
  const open = found.filter(({ unless }) => unless !== undefined);
  if (certain.length > 0) yield differ(name, objects, certain, spec);
  else if (open.length > 0) {
    for (const { cluster } of objects) {
      const schemaGap = kinds.get(cluster)?.data.schemaGap;
      if (schemaGap !== undefined) unread.set(cluster, gap({ cluster, subject: `${cluster}/schema of ${spec.select.kind}`, ...schemaGap }));
    }
    yield mayDiffer(name, objects, open, spec, kinds);
  }
}

function compared(object: ObjectFact, spec: Spec): Readonly<Record<string, unknown>> {
  return comparedOf(object.data, spec.compare === undefined ? [] : pathsOf(spec.compare));
}

const rules = new WeakMap<Spec, Rules>();

function rulesOf(spec: Spec): Rules {
  const known = rules.get(spec);
  if (known !== undefined) return known;
  const { apiVersion, kind } = spec.select;
  const group = groupOf(apiVersion);
  const made = {
    group,
    kind,
    compare: spec.compare === undefined ? undefined : pathsOf(spec.compare),
    ignore: [...pathsOf(spec.ignore), ...assignedPaths(group, kind, pathsOf(spec.compare ?? []))],
    unordered: pathsOf(spec.unordered),
  };
  rules.set(spec, made);
  return made;
}

function differ(name: string, objects: readonly ObjectFact[], found: readonly Difference[], { select }: Spec): Finding {
  const others = new Set(found.flatMap((difference) => minority(difference, objects)));
  const majority = found.map((difference) => majorityOf(campsOf(difference, objects))).find((camp) => camp !== undefined);
  const repair = majority === undefined || others.size === 0 ? "decide which is right and bring the others in line" : `bring ${clustersText([...others].toSorted(byText))} in line with ${clustersText(majority.clusters)}`;
  return fault({
    subject: name,
    cause: canonical(found.map((difference) => [difference.path, campsOf(difference, objects).map(({ clusters }) => clusters)])),
    message: `\`${select.kind}\` \`${name}\` differs: ${differencesText(found, objects)}`,
    remedy: `${repair}; or accept it with \`ignore: [${[...new Set(found.map(ignorablePath))].slice(0, 3).join(", ")}]\``,
    evidence: evidenceOf(found, objects),
  });
}

function minority(difference: Difference, objects: readonly ObjectFact[]): readonly string[] {
  const camps = campsOf(difference, objects);
  const majority = majorityOf(camps);
  return majority === undefined ? [] : camps.filter((camp) => camp !== majority).flatMap(({ clusters }) => clusters);
}

function mayDiffer(name: string, objects: readonly ObjectFact[], found: readonly Difference[], { select }: Spec, kinds: ReadonlyMap<string, KindFact>): Finding {
  const reasons = [...new Set(found.flatMap(({ unless }) => (unless === undefined ? [] : [OPEN_WORDS[unless]])))].toSorted(byText);
  const unread = objects.map(({ cluster }) => kinds.get(cluster)?.data.schemaGap).find((each) => each !== undefined);
  const ways = new Set(found.flatMap((difference) => waysOut(difference, select, unread?.remedy)));
  return undecided({
    subject: name,
    cause: canonical(found.map(({ path }) => path)),
    message: `\`${select.kind}\` \`${name}\` differs, unless ${reasons.join(", or ")}: ${differencesText(found, objects)}${unread === undefined ? "" : `; its schema could not be read: ${unread.reason}`}`,
    remedy: [...ways].slice(0, MOST_WAYS).join("; or "),
    evidence: evidenceOf(found, objects),
  });
}

const MOST_WAYS = 4;

function waysOut(difference: Difference, select: Spec["select"], unread: string | undefined): readonly string[] {
  const alike = `write ${pathText(difference)} in the same way everywhere`;
  const schema = select.kind === "ConfigMap" ? [] : [unread ?? "add the CustomResourceDefinition to the manifests, or compare live clusters"];
  switch (difference.unless) {
    case "order":
      return [`name lists whose order means nothing: \`unordered: [${ignorablePath(difference)}]\``, ...schema, alike];
    case "default":
    case "entries":
    case "reading":
      return [...schema, alike];
    case "disputed":
      return ["bring the CRDs of these clusters to one version", alike];
    case "whole":
      return [`compare ${pathText(difference)} as a whole`];
    case "digest":
    case undefined:
      return [alike];
    default:
      return difference.unless satisfies never;
  }
}

/** A path that no object has is more likely a slip than a wish. */
function leadsNowhere(paths: readonly ObjectPath[], { select }: Spec, kinds: readonly KindFact[]): Finding {
  const texts = paths.map((path) => `\`${objectPathText(path)}\``);
  return info({
    subject: `${select.kind} ${paths.map(objectPathText).join(" ")}`,
    cause: "leads nowhere",
    message: `no selected \`${select.kind}\` has anything at ${texts.join(", ")}: there is nothing to compare`,
    remedy: "correct `compare`, if you expected values there",
    evidence: kinds.map((fact) => cite(fact, "objects of this kind", String(fact.data.total))),
  });
}

function listed(names: readonly string[], { select }: Spec): Finding {
  const shown = names.slice(0, 10).map((name) => `\`${name}\``).join(", ");
  return info({
    subject: `${select.kind} that not all have`,
    cause: "not shared",
    message: `${names.length} \`${select.kind}\` ${names.length === 1 ? "is" : "are"} not in every cluster: ${shown}${names.length > 10 ? ", …" : ""}`,
    remedy: "they were compared among the clusters that have them; with `presence: everywhere` each is a fault",
    evidence: [],
  });
}

