import { CollectError } from "#engine";
import { outputOf } from "../programs/index.ts";
import type { CommandPlace, Reading } from "./place.ts";
import { largest, type Found } from "./read.ts";

/** What a program prints, as a state. Terraform asks nothing, calls home for nothing and takes the workspace of the source. */
export async function readCommand({ command, cwd, workspace }: CommandPlace, { env, signal, limits }: Reading): Promise<Found> {
  const [program = "", ...args] = command;
  const around = { ...env, TF_IN_AUTOMATION: "1", TF_INPUT: "0", CHECKPOINT_DISABLE: "1", ...(workspace === undefined ? {} : { TF_WORKSPACE: workspace }) };
  const bytes = await outputOf({ command: program, args, cwd, env: around, signal, limitMs: limits.commandMs, limitBytes: limits.stateBytes }, {
    cannotStart: (code) => cannotStart(program, code),
    late: () => fault(program, `did not end within ${limits.commandMs / 1000} s`, "run it by hand: it may wait for an answer, a login or the network"),
    tooLong: () => largest(`the output of the command \`${program}\``, limits.stateBytes),
    failed: (how) => fault(program, `failed (${how})`, "run it by hand in the folder of the fleet file to see why; `terraform init` may have to come first"),
  });
  return { bytes, locator: `command ${program}` };
}

function cannotStart(program: string, code: string): CollectError {
  if (code === "ENOENT") return fault(program, "is not installed", `install \`${program}\` or put it in PATH; a relative path starts at the folder of the fleet file`);
  if (code === "EACCES") return fault(program, "cannot be started (EACCES)", "make it executable for this user");
  return fault(program, `cannot be started (${code})`, "check the words of `command`");
}

function fault(program: string, what: string, remedy: string): CollectError {
  return new CollectError(`the command \`${program}\` ${what}`, { remedy });
}
