import type { Readable } from "node:stream";
import { CollectError } from "#engine";
import { codeOf, ended } from "../kubernetes/faults.ts";
import type { Reading } from "./place.ts";
import { largest } from "./read.ts";
import { noState, refusedBy, unreached } from "./words.ts";

/** Loads a package that is installed only where somebody needs it. Throws CollectError with the words to install it. */
export async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (codeOf(error) !== "ERR_MODULE_NOT_FOUND" && codeOf(error) !== "MODULE_NOT_FOUND") throw error;
    throw new CollectError(`reading this state needs the package \`${name}\`, which is not installed`, {
      remedy: `install it beside cloud-assert (\`npm install ${name}\`), or read the state by a \`command\``,
    });
  }
}

/** Ends with the run, for libraries that know no signal. What they did not finish is left behind. */
export function untilEnded<T>(work: Promise<T>, { signal, limits }: Reading): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = AbortSignal.timeout(limits.requestMs);
  const abort = () => reject(signal.aborted ? ended(signal) : Object.assign(new Error("late"), { code: "REQUEST_TIMEOUT" }));
  const either = AbortSignal.any([signal, late]);
  either.addEventListener("abort", abort, { once: true });
  if (either.aborted) abort();
  // Whoever loses the race must not be an unhandled rejection.
  work.catch(() => undefined);
  return Promise.race([work, promise]).finally(() => either.removeEventListener("abort", abort));
}

/** A stream to its end, at most as long as a state may be. */
export async function bytesOf(stream: Readable, locator: string, reading: Reading): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const read = async () => {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > reading.limits.stateBytes) throw largest(`the state at \`${locator}\``, reading.limits.stateBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  };
  return untilEnded(read(), reading).finally(() => stream.destroy());
}

/** Where an SDK was asked, and how to repair what it says. */
export interface Asked {
  readonly locator: string;
  /** What the identity lacks, as the way out of a refusal. */
  readonly permission: string;
  /** Where credentials come from, as the way out where there are none. */
  readonly login: string;
}

/**
 * What the failure of an SDK means, by its status, name and code; its words are never repeated, for they may quote a request.
 * A CollectError stays as it is.
 */
export function sdkFault(error: unknown, { locator, permission, login }: Asked, { signal }: Reading): CollectError {
  if (signal.aborted) return ended(signal);
  if (error instanceof CollectError) return error;
  const { status, name } = aboutOf(error);
  if (status === 404) return name === "NoSuchBucket" || name === "ContainerNotFound" ? noPlace(locator) : noState(locator);
  if (status === 401 || status === 403) return refusedBy(locator, status, permission);
  if (status === 301 || status === 307) return new CollectError(`\`${locator}\` is kept in another region`, { remedy: "correct `region`" });
  if (status !== undefined && status >= 400) return new CollectError(`\`${locator}\` answered ${status} where a state was expected`, { remedy: "run again later; else check the names in the fleet file" });
  if (NO_LOGIN.test(name) || NO_LOGIN_TEXT.test(error instanceof Error ? error.message : "")) {
    return new CollectError(`there are no credentials for \`${locator}\` in the environment`, { remedy: login });
  }
  if (error instanceof Error && error.message.startsWith("Region is missing")) return new CollectError(`no region is known for \`${locator}\``, { remedy: "write `region` in the fleet file, or set AWS_REGION" });
  const code = codeOf(error);
  return unreached(`the server of \`${locator}\``, code === "unknown" && /Timeout|Abort/.test(name) ? "TIMEOUT" : code);
}

const NO_LOGIN = /^(?:CredentialsProviderError|TokenProviderError|CredentialUnavailableError|AuthenticationRequiredError|AggregateAuthenticationError)$/;
const NO_LOGIN_TEXT = /^(?:Could not load the default credentials|Could not load credentials)/;

function noPlace(locator: string): CollectError {
  return new CollectError(`the bucket or container of \`${locator}\` does not exist`, { remedy: "check the names in the fleet file" });
}

/** AWS says `$metadata.httpStatusCode`, Azure `statusCode` and `code`, Google a number as `code`. */
function aboutOf(error: unknown): { readonly status: number | undefined; readonly name: string } {
  const fields = fieldsOf(error);
  const numbers = [fieldsOf(fields["$metadata"])["httpStatusCode"], fields["statusCode"], fields["code"], fields["status"]];
  const status = numbers.find((value): value is number => typeof value === "number" && value >= 100 && value < 600);
  const code = fields["code"];
  return { status, name: typeof code === "string" ? code : error instanceof Error ? error.name : "" };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(["$metadata", "httpStatusCode", "statusCode", "code", "status"].map((key) => [key, Reflect.get(value, key) as unknown])) : {};
}
