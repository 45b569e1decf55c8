import type { CiliumOverride } from "#engine";
import { fail, pass, unknown, type Seen } from "./tiers.ts";
import { named } from "./rules.ts";
import type { AgentFact, NodeView } from "./view.ts";

type Settings = Readonly<Record<string, string>>;

/** Settings of one agent on one node: those of its ConfigMap, with what `CiliumNodeConfig` objects for this node lay over them. Undefined: its ConfigMap was not seen. */
export function settingsOn({ node }: NodeView, { data: { settings, overrides = [] } }: AgentFact): Settings | undefined {
  return settings === undefined ? undefined : Object.assign({}, settings, ...overrides.filter((each) => isFor(each, node.labels)).map((each) => each.settings)) as Settings;
}

/** As Kubernetes reads a label selector; an operator that it does not know selects nothing. */
function isFor({ nodeSelector: { matchLabels, matchExpressions } }: CiliumOverride, labels: Settings): boolean {
  const own = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (!Object.entries(matchLabels).every(([key, value]) => own(key) === value)) return false;
  return matchExpressions.every(({ key, operator, values }) => {
    const value = own(key);
    if (operator === "In") return value !== undefined && values.includes(value);
    if (operator === "NotIn") return value === undefined || !values.includes(value);
    if (operator === "Exists") return value !== undefined;
    return operator === "DoesNotExist" && value === undefined;
  });
}

/** The settings that the profile names, on one node. */
export function seeConfig(view: NodeView, config: Settings): Seen {
  const agents = view.agents.filter(({ data }) => data.product === "cilium");
  const [first, second] = agents;
  if (first === undefined) return unknown("no Cilium that is ready", "see `mesh.ebpf`");
  if (second !== undefined) return unknown("two Ciliums that are ready", "keep one of them on a node", { fact: second });
  const place = `${first.data.namespace}/cilium-config`;
  const settings = settingsOn(view, first);
  const { unread } = first.data;
  if (unread !== undefined) return unknown(`settings that were not all read: ${unread.reason}`, unread.remedy, { fact: first });
  if (settings === undefined) return unknown("no ConfigMap `cilium-config`", `look for the ConfigMap beside \`${first.data.namespace}/${first.data.name}\``, { fact: first });
  const by = (first.data.overrides ?? []).filter((each) => isFor(each, view.node.labels) && Object.keys(config).some((key) => Object.hasOwn(each.settings, key))).map(({ name }) => name);
  const said = Object.keys(config).map((key) => `${key}=${settings[key] ?? "(not set)"}`).join(", ");
  const text = by.length === 0 ? said : `${said} (by CiliumNodeConfig ${by.join(", ")})`;
  const values = { ebpfConfig: said };
  const wrong = Object.entries(config).filter(([key, value]) => settings[key] !== undefined && settings[key] !== value);
  if (wrong.length > 0) {
    const where = by.length === 0 ? `\`${place}\`` : `${named(by)} or \`${place}\``;
    return fail("T3", text, `set ${wrong.map(([key, value]) => `\`${key}: "${value}"\``).join(", ")} in ${where} and restart the agents`, { fact: first, values });
  }
  const unset = Object.keys(config).filter((key) => settings[key] === undefined);
  if (unset.length > 0) return unknown(text, `set ${named(unset)} in \`cilium-config\`: what Cilium does without it depends on its release`, { fact: first });
  if (first.data.overrides === undefined) return unknown(`${text}, and whether a CiliumNodeConfig sets it otherwise was not seen`, "let this identity list `ciliumnodeconfigs`; of a folder of manifests write `complete: true` if it is the whole dump", { fact: first });
  return pass("T3", text, { fact: first, values });
}
