import { byText, cite, fault, gap, info, judged, type Finding, type Judgement } from "#engine";
import { citeDeclared, type AddonDeclared, type AddonRunning, type View } from "./view.ts";
import { several } from "./words.ts";

/** Does each add-on run in the version that is declared? Those that no image tells are listed. */
export function* judgeAddons(view: View): Iterable<Judgement> {
  if (!view.sees("add-ons")) return;
  const silent: AddonDeclared[] = [];
  for (const addon of view.declaredAddons) {
    const running = view.addons.filter(({ data }) => data.name === addon.data.name);
    if (running.length === 0) silent.push(addon);
    else yield* judgeAddon(view, addon, running);
  }
  if (silent.length > 0) yield unseen(view, silent);
}

function* judgeAddon(view: View, addon: AddonDeclared, running: readonly AddonRunning[]): Iterable<Judgement> {
  const { name, version } = addon.data;
  const subject = `${view.name}/addon ${name}/version`;
  const declared = buildOf(version);
  const known = running.map((fact) => ({ fact, build: buildOf(tagOf(fact.data.image)) }));
  if (declared === undefined) return yield gap({ kind: "declared", cluster: view.name, subject, reason: `\`${addon.data.address}\` in \`${addon.data.state}\` declares no version that can be read`, remedy: "refresh the state (`terraform apply -refresh-only`)" });
  if (known.some(({ build }) => build === undefined)) return yield gap({ kind: "add-ons", cluster: view.name, subject, reason: `the images of the add-on \`${name}\` in \`${view.name}\` name no release: ${several(running.map(({ data }) => data.image))}`, remedy: "use the images of the add-on, or compare other `fields`" });
  yield judged(1);
  const other = known.filter(({ build }) => build === undefined || build.release !== declared.release || (build.number !== undefined && declared.number !== undefined && build.number !== declared.number));
  if (other.length === 0) return;
  const rollout = other.length < known.length;
  const tags = other.map(({ fact }) => tagOf(fact.data.image)).toSorted(byText);
  yield (rollout ? info : fault)({
    subject,
    cause: `${view.name} addon ${name} ${version ?? ""} ${tags.join(" ")}`,
    message: rollout ? `the add-on \`${name}\` in \`${view.name}\` is being changed to ${version ?? ""}: ${tags.join(", ")} still runs` : `the add-on \`${name}\` in \`${view.name}\` runs ${tags.join(", ")}, and Terraform declares ${version ?? ""}`,
    remedy: rollout ? "nothing to do while it is replaced" : "`terraform plan` shows who is right: apply what is declared, or take over what runs with `-refresh-only` and correct the configuration",
    evidence: [citeDeclared(view, addon, version ?? ""), ...other.slice(0, 5).map(({ fact }) => cite(fact, "running", `image \`${fact.data.image}\``))],
  });
}

interface Build {
  readonly release: string;
  readonly number?: string | undefined;
}

/** `v1.33.3-minimal-eksbuild.4` is the image of `v1.33.3-eksbuild.4`; some images leave the number of AWS's build out. */
function buildOf(text: string | undefined): Build | undefined {
  const [, release, number] = /^v?(\d{1,6}\.\d{1,6}\.\d{1,6})(?:-minimal)?(?:-eksbuild\.(\d{1,6}))?$/.exec(text ?? "") ?? [];
  return release === undefined ? undefined : { release, number };
}

function tagOf(image: string): string {
  return image.split("@")[0]?.split(":").at(-1) ?? "";
}

function unseen(view: View, silent: readonly AddonDeclared[]): Finding {
  const names = silent.map(({ data }) => data.name).toSorted(byText);
  return info({
    subject: `${view.name}/addons`,
    cause: `${view.name} addons ${names.join(" ")}`,
    message: `${several(names)} of \`${view.name}\` ${names.length === 1 ? "is" : "are"} declared, and no image that runs tells ${names.length === 1 ? "its version" : "their versions"}: not compared`,
    remedy: "nothing to do: only add-ons are compared whose images carry their version",
    evidence: silent.slice(0, 5).map((addon) => citeDeclared(view, addon, addon.data.version ?? addon.data.name)),
  });
}
