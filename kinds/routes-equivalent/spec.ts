// generated from schema.json by `npm run generate`; do not edit

/** Which requests must be routed alike by the selected clusters, and how their names compare. */
export interface Spec {
  /** Globs that select requests by their host, so that they also cover wildcard hosts. Empty: on gateways all hosts, in the mesh those that a routing object of some cluster names. */
  readonly hosts: readonly string[];
  /** What a host or gateway is that only some clusters have: a difference (`everywhere`), or a thing to list while those that all have are judged (`shared`). */
  readonly presence: "everywhere" | "shared";
  /** From where requests are looked at: from outside through gateways, from inside through the sidecars of clients, or both. */
  readonly views: readonly ("gateways" | "mesh")[];
  /** Namespaces of the clients in the mesh view; empty: all. Objects of other namespaces still count. */
  readonly namespaces: readonly string[];
  /** Per cluster, its hosts and the common names: for authorities, server names, destinations, and literal hosts in redirects and rewrites. A host that starts with a dot is a suffix. */
  readonly hostMapping: {
    readonly [k: string]: {
      readonly [k: string]: string;
    };
  };
  /** Per cluster, its gateways (`namespace/name`) and the common names; both may end in `:PORT`. */
  readonly gatewayMapping: {
    readonly [k: string]: {
      readonly [k: string]: string;
    };
  };
  /** What is compared: the selected clusters with one another, by what the routing objects of each mean to its own control plane and proxies (`clusters`); or each cluster with its own proxies, by what those have loaded (`proxies`, which needs the probe `admin`). */
  readonly against: "clusters" | "proxies";
  /** Proxies that are asked in one cluster under `against: proxies`; those beyond are a gap with their number. */
  readonly maxProbes: number;
  /** Parts of an action that may differ. */
  readonly ignore: readonly ("weights" | "timeout" | "retries" | "mirror" | "fault" | "cors" | "headers" | "trafficPolicy")[];
  /** Whose reading of Gateway API counts where a Gateway is of a class of Istio's, and for clients in the mesh: what istiod makes of it, or what its specification says. Gateways of other classes are always read as the specification says. */
  readonly reading: "istiod" | "specification";
  /** Steps that the decision may take for one kind of host; past them the answer is undecided. The same on every machine. */
  readonly budget: number;
}
