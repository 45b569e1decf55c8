import { styleText } from "node:util";
import { UserError } from "#engine";
import { plain } from "../reports/plain.ts";
import { UserErrors } from "./errors.ts";

interface PrintOptions {
  readonly color: boolean;
  /** Show the stack of an error that is our own fault. */
  readonly verbose: boolean;
}

/** An error as people read it on stderr: what is wrong, where, what to do. */
export function errorText(error: unknown, options: PrintOptions): string {
  if (error instanceof UserErrors) return error.errors.map((each) => userErrorText(each, options)).join("\n");
  if (error instanceof UserError) return userErrorText(error, options);
  return internalErrorText(error, options);
}

function userErrorText({ code, message, at, remedy }: UserError, { color }: PrintOptions): string {
  const head = color ? styleText(["bold", "red"], `error[${code}]:`, { validateStream: false }) : `error[${code}]:`;
  const where = at === undefined ? [] : [`  --> ${plain(at.file)}:${at.line}:${at.column}`];
  return [`${head} ${lines(message, "  ")}`, ...where, `  help: ${lines(remedy, "        ")}`, ""].join("\n");
}

/** A valid example in a remedy spans lines; each of them is made safe by itself. */
function lines(text: string, indent: string): string {
  return text.split("\n").map(plain).join(`\n${indent}`);
}

function internalErrorText(error: unknown, { verbose }: PrintOptions): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const first = plain(what.split("\n")[0] ?? "").slice(0, 500);
  if (!verbose) return `internal error: ${first}\n  help: this is a fault of cloud-assert, not yours: run again with -v and report what it prints\n`;
  return `internal error: ${first}\n${stackOf(error)}\n`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const own = (error.stack ?? "").split("\n").slice(1).map(plain).join("\n");
  return error.cause === undefined ? own : `${own}\n  caused by ${plain(String(error.cause))}\n${stackOf(error.cause)}`;
}
