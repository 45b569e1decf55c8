import type { Unmodelled } from "../../decide/model.ts";
import type { Json } from "../istio/json.ts";
import { type Known, meaning, unknownIn } from "./fields.ts";

/** Where something stands in a dump. */
export interface Where {
  /** `RouteConfiguration http.8080`. */
  readonly object: string;
  readonly path: string;
}

/** What Envoy writes instead of secrets, and the same where bytes are written as text. */
const redacted = /\[redacted\]|W3JlZGFjdGVkXQ==/;

/** Most things told of one virtual host: more say nothing new. */
const MOST = 30;

/** Gathers what of a part of a dump is not modelled. */
export class Notes {
  readonly #found = new Map<string, Unmodelled>();

  /**
   * Something that could change an answer. `same` is a text that is equal in two places exactly where the same acts in the same way;
   * left out: nothing shows that.
   */
  add(reason: string, where: Where, same?: Json, mayRoute = false): void {
    if (this.#found.size >= MOST) return;
    const key = same === undefined ? undefined : meaning([reason, same]);
    // Two texts that were taken out are not the same text.
    const isTold = key !== undefined && !redacted.test(key);
    const note: Unmodelled = { reason: key !== undefined && !isTold ? `${reason}, and the dump holds it in part only` : reason, where: { object: where.object, path: where.path }, ...(isTold ? { key } : {}), ...(mayRoute ? { mayRoute } : {}) };
    this.#found.set(`${note.reason} ${note.key ?? where.path}`, note);
  }

  /** A share, or weights, that an operator can set while the proxy runs; the same where the same key says it. */
  runtime(key: string, where: Where, what: Json): void {
    if (key !== "") this.add(`the runtime can set \`${key.slice(0, 80)}\` otherwise than the configuration`, where, [what, key]);
  }

  /** The same with a key of its own. */
  addKeyed(reason: string, where: Where, key: string): void {
    if (this.#found.size < MOST) this.#found.set(`${reason} ${key}`, { reason, where: { object: where.object, path: where.path }, key });
  }

  /** Every field of a message that is set and not known. `what` tells two messages apart that stand in other places of another dump; `below` leads from `where` to it. */
  unknown(value: Json, fields: Known, where: Where, what: Json, below = ""): void {
    for (const [name, inner] of unknownIn(value, fields)) this.add(`the field \`${name.slice(0, 80)}\` is not modelled`, { ...where, path: `${where.path}${below}.${name.slice(0, 80)}` }, [what, inner]);
  }

  list(): readonly Unmodelled[] {
    return [...this.#found.values()];
  }
}
