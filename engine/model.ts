import type { FactKind, FactTypes } from "./facts.ts";
import type { JsonObject } from "./json.ts";
import type { Position } from "./errors.ts";

/** One Kubernetes cluster of the fleet. `cloud` is an open word; nothing switches on it. */
export interface Cluster {
  readonly name: string;
  readonly cloud?: string | undefined;
  readonly region?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Enough to go and look again. Never holds a secret. */
export interface Source {
  readonly collector: string;
  /** An API path, a URL without credentials, or a file. */
  readonly locator: string;
  readonly digest?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** One observed thing. */
export interface Fact<K extends FactKind = FactKind> {
  readonly type: "fact";
  readonly kind: K;
  readonly cluster: string;
  /** `namespace/name` style, unique within kind, selector and cluster. */
  readonly subject: string;
  /** Set when the fact answers one {@link Request.selector} only. */
  readonly selector?: string | undefined;
  readonly data: FactTypes[K];
  readonly source: Source;
}

/** Something that was asked for and could not be seen. */
export interface Gap {
  readonly type: "gap";
  /** The kind of fact that is missing; left out when everything of the cluster is. */
  readonly kind?: string | undefined;
  readonly selector?: string | undefined;
  /** Left out when the gap belongs to no single cluster. */
  readonly cluster?: string | undefined;
  readonly subject: string;
  readonly reason: string;
  readonly remedy: string;
}

/** What a kind asks of every cluster it judges, computed from its spec. */
export interface Request<K extends FactKind = FactKind> {
  readonly fact: K;
  /** Tells apart independent questions of one kind of fact (`networking.istio.io/VirtualService`). */
  readonly selector?: string | undefined;
  /** Refines the question. Values that differ between two assertions are asked side by side, not merged. */
  readonly options?: JsonObject | undefined;
}

/** Who the cluster says it is. */
export interface Identity {
  readonly kubeSystemUid?: string | undefined;
  readonly apiServerCaSha256?: string | undefined;
}

/** What was asked of one cluster at one time. Plain JSON; never a secret in it. */
export interface Snapshot {
  readonly schema: "cloud-assert/snapshot/v1";
  readonly cluster: Cluster;
  readonly identity: Identity;
  /** False when no collector reached its place at all. */
  readonly reachable: boolean;
  readonly takenAt: string;
  /** Digests in place of file contents: see `askedOf`. */
  readonly asked: readonly Request[];
  readonly facts: readonly Fact[];
  readonly gaps: readonly Gap[];
  /** Over asked, facts and gaps without resourceVersion: the same cluster state gives the same digest. */
  readonly sha256: string;
  /** Over everything else in the file: one changed byte is noticed. */
  readonly seal: string;
}

export type Severity = "error" | "warning" | "info";

/** Which clusters of the fleet an assertion is about; every given part must match, nothing given is the whole fleet. */
export interface ClusterSelector {
  readonly names?: readonly string[] | undefined;
  readonly clouds?: readonly string[] | undefined;
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
}

/** The document a user wrote, validated, defaults filled in, files it names read. */
export interface Assertion {
  readonly name: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly clusters: ClusterSelector;
  readonly allowEmpty: boolean;
  readonly strict: boolean;
  readonly spec: unknown;
  readonly at: Position;
}

/** A fact seen in one cluster, as a reader of the report should see it. */
export interface Evidence {
  readonly cluster: string;
  readonly label: string;
  readonly value: string;
  readonly source: Source;
}

/** One judged thing. */
export interface Finding {
  readonly type: "finding";
  readonly outcome: "fault" | "undecided" | "info";
  readonly subject: string;
  /** What makes this finding the same one tomorrow; never shown, part of the fingerprint. */
  readonly cause: string;
  readonly message: string;
  readonly remedy: string;
  readonly evidence: readonly Evidence[];
}

/** What a verdict rests on that was seen but is outside the model. */
export interface Assumption {
  readonly type: "assumption";
  readonly text: string;
  readonly where: string;
}

/** How many things a kind has compared; a kind that judged none never holds. */
export interface Judged {
  readonly type: "judged";
  readonly count: number;
}

/** What a kind compared, at a glance: one column for each place, one row for each claim. Changes no verdict. */
export interface Table {
  readonly type: "table";
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  readonly head: string;
  /** As many as there are columns. */
  readonly cells: readonly TableCell[];
}

/** `none`: nothing is asked of this place. */
export interface TableCell {
  readonly state: "pass" | "fail" | "unknown" | "exempt" | "none";
  readonly text: string;
}

export type Judgement = Finding | Assumption | Gap | Judged | Table;

export type Verdict = "holds" | "violated" | "undecided";
