/** What would have to be so that values that differ mean the same. */
export type Open = "default" | "order" | "entries" | "reading" | "disputed" | "digest" | "whole";

/** In words that follow on `unless`. */
export const OPEN_WORDS: Readonly<Record<Open, string>> = {
  default: "the absent value has this one as its default",
  order: "the order of this list means nothing",
  entries: "entries differ in nothing but defaults and how they are written",
  reading: "this is a number or a time",
  disputed: "what the schema of one of these clusters says of this place holds for the other, whose schema says otherwise",
  digest: "the values, of which only digests are kept, are numbers or times",
  whole: "the difference lies in what is not compared: only a digest of the whole is kept",
};
