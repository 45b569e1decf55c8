import { describe, expect, it } from "vitest";
import { fleetFromFlags } from "../../../cli/load/index.ts";
import { UsageError } from "../../../cli/errors.ts";

const options = { cwd: "/work", home: "/home/somebody" };
const fleet = (flags: Partial<Parameters<typeof fleetFromFlags>[0]>) => fleetFromFlags({ contexts: [], clusters: [], ...flags }, options);

describe("flags that name clusters", () => {
  it("a context is a cluster of its own name, in the kubeconfig of --kubeconfig or of habit", () => {
    expect(fleet({ contexts: ["a", "arn:aws:eks:eu-west-1:1:cluster/b"] }).clusters.map(({ cluster, kubernetes }) => [cluster.name, kubernetes])).toEqual([
      ["a", { form: "kubeconfig", kubeconfig: undefined, context: "a" }],
      ["arn:aws:eks:eu-west-1:1:cluster/b", { form: "kubeconfig", kubeconfig: undefined, context: "arn:aws:eks:eu-west-1:1:cluster/b" }],
    ]);
    expect(fleet({ contexts: ["a"], kubeconfig: "k/config" }).clusters[0]?.kubernetes).toMatchObject({ kubeconfig: "/work/k/config" });
  });

  const spelled: readonly (readonly [word: string, name: string, kubeconfig: string, context: string])[] = [
    ["prod=~/.kube/config:eks", "prod", "/home/somebody/.kube/config", "eks"],
    ["prod=k:arn:aws:eks:eu-west-1:1:cluster/prod", "prod", "/work/k", "arn:aws:eks:eu-west-1:1:cluster/prod"],
    ["prod=/a=b:c=d", "prod", "/a=b", "c=d"],
    ["a/b:c=/k:x", "a/b:c", "/k", "x"],
  ];
  it.each(spelled)("%s", (word, name, kubeconfig, context) => {
    const [cluster] = fleet({ clusters: [word] }).clusters;
    expect(cluster?.cluster.name).toBe(name);
    expect(cluster?.kubernetes).toEqual({ form: "kubeconfig", kubeconfig, context });
  });

  const broken: readonly (readonly [word: string, lacks: string])[] = [
    ["prod", "a name and `=`"],
    ["=k:c", "a name and `=`"],
    ["prod=k", "`:` and a context"],
    ["prod=k:", "a context"],
    ["prod=:c", "a kubeconfig"],
  ];
  it.each(broken)("%s is refused with an example", (word, lacks) => {
    expect(() => fleet({ clusters: [word] })).toThrow(UsageError);
    expect(() => fleet({ clusters: [word] })).toThrow(`\`--cluster ${word}\` lacks ${lacks}`);
  });

  it("two clusters of one name are refused, however they are named", () => {
    expect(() => fleet({ contexts: ["a"], clusters: ["a=k:b"] })).toThrow("two clusters are named `a`");
    expect(() => fleet({ contexts: ["a", "a"] })).toThrow("two clusters are named `a`");
  });
});
