import { LaterError } from "../errors.ts";

/** Stands in for the commands that this release refuses. */
export default function refuse(): never {
  throw new LaterError("this command");
}
