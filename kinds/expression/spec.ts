// generated from schema.json by `npm run generate`; do not edit

/** A rule of your own, as an expression in CEL over the selected objects. */
export interface Spec {
  /** Which objects the expression sees as `objects`; or a map of several selections, then `objects.KEY`. */
  select:
    | Selection
    | {
        readonly [k: string]: Selection;
      };
  /** Must be true for every cluster. Variables: `cluster` (`name`, `cloud`, `region`, `labels`) and `objects`. Left out: nothing is asked of single clusters. */
  readonly each?: string;
  /** Must be true once, over all clusters. Variable: `clusters`, a list; each has `name`, `cloud`, `region`, `labels` and `objects`. Left out: nothing is asked of all together. */
  readonly across?: string;
  /** What a finding says, as plain text; left out: the rule itself. */
  readonly message?: string;
  /** What a finding says, as an expression that gives a text; it has the variables of the rule that is false. Left out: `message`. */
  readonly messageExpression?: string;
}
/** Objects of one kind; every part that is given must match. */
export interface Selection {
  /** Group and version, as objects write it. */
  readonly apiVersion: string;
  /** The kind, as objects write it. Secrets are never read. */
  readonly kind: string;
  /** Namespaces, with `*` and `?` as wildcards; left out: all. */
  readonly namespaces?: readonly string[];
  /** Names, with `*` and `?` as wildcards; left out: all. */
  readonly names?: readonly string[];
  /** Labels that an object must bear. */
  readonly matchLabels?: {
    readonly [k: string]: string;
  };
}
