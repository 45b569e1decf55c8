import { byText, cite, fault, gap, info, judged, undecided, type Finding, type Judgement } from "#engine";
import type { Spec } from "./spec.ts";
import { compareVersions, fulfils, imageVersion, meshVersion, newestOf } from "./versions.ts";
import { citeDeclared, type MeshFact, type Plane, type View } from "./view.ts";
import { several } from "./words.ts";

/** Does the mesh that runs match the one that is declared? */
export function* judgeMesh(view: View, { fields }: Spec): Iterable<Judgement> {
  if (fields.includes("mesh.revisions")) yield* revisions(view);
  if (fields.includes("mesh.version")) for (const mesh of view.meshes) yield* version(view, mesh);
  if (fields.some((field) => field.startsWith("mesh"))) yield* undeclared(view);
}

/** Meshes whose revisions no resource of Terraform names: Google's, which follow the channel of the cluster. */
function namesNone({ data }: MeshFact): boolean {
  return data.flavour === "csm-managed" && data.revisions === undefined;
}

function* revisions(view: View): Iterable<Judgement> {
  const { name, meshes, planes, sees } = view;
  const silent = meshes.filter((mesh) => mesh.data.revisions === undefined && !namesNone(mesh));
  for (const mesh of silent) {
    yield gap({ kind: "declared", cluster: name, subject: `${name}/mesh.revisions`, reason: `\`${mesh.data.address}\` in \`${mesh.data.state}\` does not tell its revisions`, remedy: "compare `mesh.version` instead, or declare the mesh by Helm or as an add-on" });
  }
  const managed = meshes.filter(namesNone);
  if (managed.length > 0 && sees("control-planes")) yield* managedBy(view, managed);
  const told = meshes.filter(({ data }) => data.revisions !== undefined);
  if (told.length === 0 && managed.length === 0) return;
  if (told.length > 0) yield judged(1);
  const declared = new Set(told.flatMap(({ data }) => data.revisions ?? []));
  const running = new Set(planes.map(({ data }) => data.revision));
  const absent = sees("control-planes") ? [...declared].filter((revision) => !running.has(revision)).toSorted(byText) : [];
  // Which revisions of a mesh run that Google manages, it says itself; what else runs is declared by nobody.
  const own = managed.length === 0 ? planes : planes.filter(({ data }) => data.flavour !== "csm-managed");
  const extra = sees("declared") && silent.length === 0 ? [...new Set(own.map(({ data }) => data.revision))].filter((revision) => !declared.has(revision)).toSorted(byText) : [];
  if (absent.length === 0 && extra.length === 0) return;
  const parts = [...(absent.length === 0 ? [] : [`${several(absent)} ${absent.length === 1 ? "is" : "are"} declared and ${absent.length === 1 ? "does" : "do"} not run`]), ...(extra.length === 0 ? [] : [`${several(extra)} ${extra.length === 1 ? "runs" : "run"} and ${extra.length === 1 ? "is" : "are"} not declared`])];
  yield fault({
    subject: `${name}/mesh.revisions`,
    cause: `${name} mesh.revisions ${absent.join(" ")} | ${extra.join(" ")}`,
    message: `revisions of the mesh in \`${name}\`: ${parts.join(", ")}${which(absent, extra)}`,
    remedy: remedyOf(absent, extra),
    evidence: [...told.map((mesh) => citeDeclared(view, mesh, several(mesh.data.revisions ?? []))), ...managed.map((mesh) => citeDeclared(view, mesh, MANAGED)), ...planes.slice(0, 5).map((plane) => cite(plane, "running", planeText(plane)))],
  });
}

const MANAGED = "a mesh that Google manages";

/** Whether a mesh that Google manages is there at all. Its object is all that shows of it in a cluster, and is not there in every form of it. */
function* managedBy(view: View, managed: readonly MeshFact[]): Iterable<Judgement> {
  const { name, planes } = view;
  if (planes.some(({ data }) => data.flavour === "csm-managed")) return yield judged(1);
  yield undecided({
    subject: `${name}/mesh`,
    cause: `${name} mesh managed and not seen`,
    message: `Terraform has the mesh of \`${name}\` managed by Google, and no control plane of Google's shows in the cluster: there is nothing to compare`,
    remedy: "see what `gcloud container fleet mesh describe` says of it; what a fleet says for all its members reaches older members only when it is applied to them",
    evidence: [...managed.map((mesh) => citeDeclared(view, mesh, MANAGED)), ...planes.slice(0, 5).map((plane) => cite(plane, "running", planeText(plane)))],
  });
}

/** Names such as `asm-1-29` and `1-29-5` have an order, inside one cluster; others have none. */
function which(absent: readonly string[], extra: readonly string[]): string {
  const [one, other] = [numbersIn(absent), numbersIn(extra)];
  if (one === undefined || other === undefined) return "";
  const difference = one.map((number, index) => number - (other[index] ?? 0)).find((each) => each !== 0) ?? 0;
  return difference === 0 ? "" : `: what runs is ${difference > 0 ? "older" : "newer"}`;
}

function numbersIn(names: readonly string[]): readonly number[] | undefined {
  const [, numbers] = (names.length === 1 ? /^(?:asm-)?(\d{1,4}(?:-\d{1,4}){1,2})$/.exec(names[0] ?? "") : null) ?? [];
  return numbers?.split("-").map(Number);
}

function remedyOf(absent: readonly string[], extra: readonly string[]): string {
  if (absent.length === 0) return "declare what runs, or finish the upgrade and remove the old revision";
  return extra.length === 0 ? "apply what is declared: `terraform apply`" : "finish or undo the upgrade: `terraform apply` brings what is declared, `terraform apply -refresh-only` takes over what runs";
}

function planeText({ data: { namespace, revision, image } }: Plane): string {
  return `\`${revision}\` in \`${namespace}\`${image === undefined ? ", outside of the cluster" : `, image \`${image}\``}`;
}

function* version(view: View, mesh: MeshFact): Iterable<Judgement> {
  const { name, sees } = view;
  const { version: text, revisions: named, address, state } = mesh.data;
  // Add-ons of clouds float inside their revision: their number is nowhere declared.
  if (text === undefined && mesh.data.flavour !== "istio") return;
  if (!sees("control-planes")) return;
  const declared = meshVersion(text);
  const subject = `${name}/mesh.version`;
  if (declared === undefined) return yield gap({ kind: "declared", cluster: name, subject, reason: `\`${address}\` in \`${state}\` declares no version of the mesh that can be read`, remedy: "declare a release (`1.29.5`), or compare `mesh.revisions` instead" });
  const planes = view.planes.filter(({ data }) => named === undefined || named.includes(data.revision));
  if (planes.length === 0) {
    return yield undecided({
      subject,
      cause: `${name} mesh.version nothing runs ${declared.text}`,
      message: `Terraform declares version ${declared.text} of the mesh in \`${name}\`${named === undefined ? "" : ` as revision ${several(named)}`}, and no control plane of it runs: there is nothing to compare`,
      remedy: "apply what is declared, or correct the revision",
      evidence: [citeDeclared(view, mesh, declared.text)],
    });
  }
  const known = planes.flatMap((fact) => {
    const running = imageVersion(fact.data.image);
    return running === undefined ? [] : [{ fact, running }];
  });
  if (known.length < planes.length) return yield gap({ kind: "control-planes", cluster: name, subject, reason: `the images of control planes in \`${name}\` name no release: ${several(planes.map(({ data }) => data.image ?? data.revision))}`, remedy: "use an image with the release in its tag, or compare `mesh.revisions` instead" });
  yield judged(1);
  const newest = newestOf(known, ({ running }) => running);
  const other = known.filter(({ running }) => !fulfils(running, declared));
  if (other.length === 0 || newest === undefined) return;
  const rollout = fulfils(newest.running, declared);
  const texts = [...new Set(other.map(({ running }) => running.text))].toSorted(byText);
  const newer = compareVersions(newest.running, declared) > 0;
  yield (rollout ? info : fault)({
    subject,
    cause: `${name} mesh.version ${declared.text} ${texts.join(" ")}`,
    message: rollout ? `the mesh in \`${name}\` is being upgraded to ${declared.text}: ${texts.join(", ")} still runs` : `the control plane of the mesh in \`${name}\` runs ${texts.join(", ")}, and Terraform declares ${declared.text}: what runs is ${newer ? "newer" : "older"}`,
    remedy: rollout ? "nothing to do while the upgrade goes on" : newer ? "take it over: correct the version in the configuration" : "apply what is declared: `terraform apply`",
    evidence: [citeDeclared(view, mesh, declared.text), ...other.slice(0, 5).map(({ fact }) => cite(fact, "running", planeText(fact)))],
  });
}

function* undeclared({ name, meshes, planes, sees }: View): Iterable<Finding> {
  const [first] = planes;
  if (first === undefined || meshes.length > 0 || !sees("declared")) return;
  yield info({
    subject: `${name}/mesh`,
    cause: `${name} mesh undeclared`,
    message: `a mesh runs in \`${name}\` (${several([...new Set(planes.map(({ data }) => data.revision))].toSorted(byText))}), which no state named for it declares`,
    remedy: "name the state that declares it (the one with the Helm release, above all)",
    evidence: planes.slice(0, 5).map((plane) => cite(plane, "running", planeText(plane))),
  });
}
