import type { Assumption, Evidence, Fact, Finding, Gap, Judged } from "./model.ts";

type Words = Omit<Finding, "type" | "outcome">;

/** The claim is false, and the evidence shows it. */
export function fault(words: Words): Finding {
  return { type: "finding", outcome: "fault", ...words };
}

/** The claim can be neither shown nor refuted from what was seen. */
export function undecided(words: Words): Finding {
  return { type: "finding", outcome: "undecided", ...words };
}

/** Worth knowing; changes no verdict. */
export function info(words: Words): Finding {
  return { type: "finding", outcome: "info", ...words };
}

/** Something the kind needed and could not read off its facts. */
export function gap(words: Omit<Gap, "type">): Gap {
  return { type: "gap", ...words };
}

/** What the verdict rests on although it lies outside the model. */
export function assume(text: string, where: string): Assumption {
  return { type: "assumption", text, where };
}

/** Says that `count` things have been compared. */
export function judged(count: number): Judged {
  return { type: "judged", count };
}

/** A fact as evidence. */
export function cite(fact: Fact, label: string, value: string): Evidence {
  return { cluster: fact.cluster, label, value, source: fact.source };
}
