import { byText, cite, fault, info, judged, undecided, type Finding, type Judgement } from "#engine";
import { reach } from "./fields.ts";
import { laggards, lagging, type Numbered } from "./lag.ts";
import { poolsAcross } from "./pools-across.ts";
import type { Spec } from "./spec.ts";
import { imageVersion, kubernetesVersion, meshVersion, newestOf } from "./versions.ts";
import { citeDeclared, type View } from "./view.ts";
import { several } from "./words.ts";

/** Do the clusters agree with each other? What runs with what runs, what is declared with what is declared. */
export function* across(views: readonly View[], spec: Spec): Iterable<Judgement> {
  const { fields } = spec;
  if (fields.includes("controlPlane.version")) yield* versionsAcross(views, "controlPlane.version", spec, controlPlanes);
  if (fields.includes("mesh.version")) yield* versionsAcross(views, "mesh.version", spec, meshes);
  if (fields.includes("mesh.revisions")) yield* revisionsAcross(views);
  const mine = fields.filter((field) => field.startsWith("pools") && reach(field) !== "none");
  if (mine.length > 0) yield* poolsAcross(views, spec);
}

/** What is known of a version in one cluster; `absent` where it is certain that there is nothing to have one. */
interface Sides {
  readonly running: readonly Numbered[];
  readonly declared: readonly Numbered[];
  readonly absent: boolean;
}

function controlPlanes(view: View): Sides {
  const { name, server, clusters } = view;
  const running = kubernetesVersion(server?.data.version);
  return {
    running: server === undefined || running === undefined ? [] : [{ cluster: name, version: running, evidence: cite(server, "running", running.text) }],
    declared: clusters.flatMap((fact) => {
      const version = kubernetesVersion(fact.data.version);
      return version === undefined ? [] : [{ cluster: name, version, evidence: citeDeclared(view, fact, version.text) }];
    }),
    absent: false,
  };
}

function meshes(view: View): Sides {
  const { name, planes } = view;
  const running = planes.flatMap((fact) => {
    const version = imageVersion(fact.data.image);
    return version === undefined ? [] : [{ cluster: name, version, evidence: cite(fact, "running", `${version.text} as \`${fact.data.revision}\``) }];
  });
  const declared = view.meshes.flatMap((fact) => {
    const version = meshVersion(fact.data.version);
    return version === undefined ? [] : [{ cluster: name, version, evidence: citeDeclared(view, fact, version.text) }];
  });
  return { running: view.sees("control-planes") ? running : [], declared, absent: planes.length === 0 && view.meshes.length === 0 };
}

/** A version is compared by minor between clusters; of several in one cluster (an upgrade) the newest counts. */
function* versionsAcross(views: readonly View[], field: "controlPlane.version" | "mesh.version", { maxMinorSkew }: Spec, sidesOf: (view: View) => Sides): Iterable<Judgement> {
  const sides = views.map((view) => ({ view, sides: sidesOf(view) }));
  const newest = (numbered: readonly Numbered[]) => newestOf(numbered, ({ version }) => version) ?? [];
  const running = sides.flatMap((each) => newest(each.sides.running));
  const declared = sides.filter(({ view }) => view.sees("declared")).flatMap((each) => newest(each.sides.declared));
  const told = new Set<string>();
  const what = field === "mesh.version" ? "Istio" : "Kubernetes";
  for (const [clause, numbered] of [[`runs ${what}`, running], [`is declared with ${what}`, declared]] as const) {
    for (const lag of laggards(numbered, maxMinorSkew).filter(({ item }) => !told.has(item.cluster))) {
      told.add(lag.item.cluster);
      yield lagging(lag, { subject: `${lag.item.cluster}/${field}`, clause, maxMinorSkew });
    }
  }
  yield judged(running.length > 1 ? running.length : declared.length > 1 ? declared.length : 0);
  if (field !== "mesh.version" || running.length + declared.length === 0) return;
  for (const each of sides) {
    const known = [...running, ...declared].some(({ cluster }) => cluster === each.view.name);
    if (!known && each.view.sees("declared") && each.view.sees("control-planes")) yield* withoutVersion(each.view, each.sides.absent);
  }
}

function* withoutVersion(view: View, absent: boolean): Iterable<Finding> {
  const [plane] = view.planes;
  const about = { subject: `${view.name}/mesh.version`, cause: `${view.name} mesh.version unknown` };
  if (absent) yield info({ ...about, message: `no mesh runs in \`${view.name}\`, and none is declared: its version is not compared`, remedy: "select the clusters that have a mesh", evidence: [] });
  else {
    yield undecided({
      ...about,
      message: `the version of the mesh in \`${view.name}\` is not known: ${plane === undefined ? "no control plane of it runs" : plane.data.image === undefined ? "it runs outside of the cluster, and no object tells" : `the image \`${plane.data.image}\` names no release`}`,
      remedy: "compare the proxies with `EnvoyVersionSkew` and `basis: istio`, or select other clusters",
      evidence: plane === undefined ? view.meshes.slice(0, 1).map((mesh) => citeDeclared(view, mesh, "mesh")) : [cite(plane, "control plane", plane.data.revision)],
    });
  }
}

/** Names of revisions are each cloud's own: only clusters of one cloud are compared. */
function* revisionsAcross(views: readonly View[]): Iterable<Judgement> {
  const known = views.filter((view) => view.sees("control-planes") && view.planes.length > 0);
  for (const [cloud, group] of Map.groupBy(known, ({ cluster, clusters }) => cluster.cloud ?? clusters[0]?.data.cloud)) {
    if (cloud === undefined || group.length < 2) continue;
    yield judged(group.length);
    const texts = Map.groupBy(group, ({ planes }) => several([...new Set(planes.map(({ data }) => data.revision))].toSorted(byText)));
    if (texts.size < 2) continue;
    const told = [...texts].map(([text, those]) => `${text} in ${several(those.map(({ name }) => name))}`).toSorted(byText);
    yield fault({
      subject: `${cloud}/mesh.revisions`,
      cause: `${cloud} mesh.revisions ${told.join(" | ")}`,
      message: `the clusters on \`${cloud}\` run other revisions of the mesh: ${told.join(", ")}`,
      remedy: "bring them to the same revision, or compare `mesh.version` with `maxMinorSkew`",
      evidence: group.flatMap(({ planes }) => planes.slice(0, 3).map((plane) => cite(plane, "running", plane.data.revision))),
    });
  }
}
