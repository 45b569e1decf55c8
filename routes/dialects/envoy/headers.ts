import type { HeaderOperation } from "../../decide/model.ts";
import type { Json } from "../istio/json.ts";
import { field, flag, known, list, meaning, message, text } from "./fields.ts";
import type { Notes, Where } from "./notes.ts";

/** What one level of configuration does to the headers of requests and responses. */
export interface Level {
  readonly request: readonly HeaderOperation[];
  readonly response: readonly HeaderOperation[];
}

const none: readonly HeaderOperation[] = [];
const idle: Level = { request: none, response: none };
const additionFields = known("header append append_action keep_empty_value");

interface Fields {
  readonly added: string;
  readonly removed: string;
}

const requests: Fields = { added: "request_headers_to_add", removed: "request_headers_to_remove" };
const responses: Fields = { added: "response_headers_to_add", removed: "response_headers_to_remove" };

/** The operations of a route, virtual host, table or share. */
export function levelOf(value: Json, notes: Notes, where: Where): Level {
  const request = passOf(requests, value, notes, where), response = passOf(responses, value, notes, where);
  return request.length + response.length === 0 ? idle : { request, response };
}

/** One pass as Envoy does it: removals, then overwrites, then additions (header_parser.cc `HeaderParser::evaluateHeaders`). */
function passOf(fields: Fields, level: Json, notes: Notes, where: Where): readonly HeaderOperation[] {
  const added = list(level, fields.added), removed = list(level, fields.removed);
  if (added.length + removed.length === 0) return none;
  const sets: HeaderOperation[] = [], adds: HeaderOperation[] = [];
  for (const [index, addition] of added.entries()) {
    const here = { ...where, path: `${where.path}.${fields.added}[${index}]` };
    notes.unknown(addition, additionFields, here, "header addition");
    const header = message(addition, "header");
    const name = text(header, "key").toLowerCase();
    // Envoy does not look at `raw_value` here.
    const value = text(header, "value");
    if (value === "" && !flag(addition, "keep_empty_value")) continue;
    const action = actionOf(addition);
    if (action === "set") sets.push({ op: "set", name, value });
    else if (action === "add") adds.push({ op: "add", name, value });
    else notes.add(`the append action \`${action.slice(0, 60)}\` is not modelled`, here, meaning(addition));
  }
  return [...removed.filter((name) => typeof name === "string").map((name): HeaderOperation => ({ op: "remove", name: name.toLowerCase() })), ...sets, ...adds];
}

function actionOf(addition: Json): string {
  const old = field(addition, "append");
  if (typeof old === "boolean") return old ? "add" : "set";
  const action = text(addition, "append_action") || "APPEND_IF_EXISTS_OR_ADD";
  return action === "APPEND_IF_EXISTS_OR_ADD" ? "add" : action === "OVERWRITE_IF_EXISTS_OR_ADD" ? "set" : action;
}

/** Levels in the order in which Envoy applies them; the last one wins. Shares of weighted clusters come first whatever the order. */
export function joined(levels: readonly Level[]): Level {
  const [first] = levels;
  if (first === undefined || levels.every((level) => level === idle)) return idle;
  return { request: levels.flatMap(({ request }) => request), response: levels.flatMap(({ response }) => response) };
}
