import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { CollectError } from "#engine";
import { codeOf, ended } from "./faults.ts";
import type { Context, FileOrData, UserEntry } from "./kubeconfig.ts";
import type { Limits, Surroundings } from "./place.ts";
import { ExecPlugin } from "./plugin.ts";

/** What signs one request: a header, a client certificate, or both. */
export interface Credential {
  readonly authorization?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where the credentials of one user come from; they may change during a run. */
export interface Credentials {
  current(): Promise<Credential>;
  /** Drops what is kept, for the server refused it. False where the same would come again. */
  forget(): boolean;
}

/** A token file is read again this often, as client-go does: bound tokens are rotated under the feet of a running pod. */
const tokenFileMs = 60_000;

/**
 * The credentials of a kubeconfig user, with the precedence of client-go: a token file before a token, what is written in
 * the file before a plugin. Commands and identity providers are refused where the input is not trusted.
 */
export function credentialsOf(context: Context, ca: string | undefined, surroundings: Surroundings, limits: Limits): Credentials {
  const { user, cluster } = context;
  if (user === undefined) return fixed({});
  if (user.tokenFile !== undefined) return tokenFile(user.tokenFile);
  if (user.token !== undefined) return fixed({ authorization: bearer(user.token, `of the kubeconfig user \`${user.name}\``) });
  if (user.username !== undefined) return fixed({ authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}` });
  if (user.exec !== undefined) {
    if (!surroundings.allowExec) throw refused(user, `the command \`${user.exec.command}\``);
    const caData = ca === undefined ? undefined : Buffer.from(ca, "latin1").toString("base64");
    return plugin(new ExecPlugin(user.exec, { ...cluster, caData }, surroundings, limits));
  }
  if (user.authProvider !== undefined) {
    if (!surroundings.allowExec) throw refused(user, "an auth-provider");
    return openIdConnect(user, user.authProvider, surroundings.signal, limits);
  }
  return fixed({});
}

function fixed(credential: Credential): Credentials {
  return { current: () => Promise.resolve(credential), forget: () => false };
}

function tokenFile(file: string): Credentials {
  let read: { readonly authorization: string; readonly at: number } | undefined;
  return {
    async current() {
      if (read === undefined || Date.now() - read.at > tokenFileMs) {
        read = { authorization: bearer(await readLocal(file, "token"), `in the file \`${file}\``), at: Date.now() };
      }
      return { authorization: read.authorization };
    },
    forget() {
      read = undefined;
      return true;
    },
  };
}

function plugin(source: ExecPlugin): Credentials {
  return {
    async current() {
      const { token, certificate, key } = await source.credential();
      return { cert: certificate, key, ...(token === undefined ? {} : { authorization: bearer(token, "of the credential plugin") }) };
    },
    forget() {
      source.forget();
      return true;
    },
  };
}

/**
 * The one provider that kubectl still knows. client-node signs in: discovery and refresh are its work.
 *
 * Nothing else is: its import loads every generated model, 0.4 s of CPU and 70 MB on an idle machine, which alone is more
 * than the paging of 50,000 pods may cost over the bare minimum. And it keeps the line end of a token file, refuses plain
 * http, drops impersonated groups, and runs plugins without a time limit.
 */
function openIdConnect(user: UserEntry, provider: NonNullable<UserEntry["authProvider"]>, signal: AbortSignal, limits: Limits): Credentials {
  if (provider.name !== "oidc") {
    throw new CollectError(`the kubeconfig user \`${user.name}\` uses the auth-provider \`${provider.name}\`, which Kubernetes has removed`, {
      remedy: "write the kubeconfig again with the cloud's exec plugin (gke-gcloud-auth-plugin, kubelogin)",
      unreachable: true,
    });
  }
  const signIn = async () => {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: "cluster", server: "https://unused.invalid", skipTLSVerify: false }],
      users: [{ name: "user", authProvider: { name: "oidc", config: { ...provider.config } } }],
      contexts: [{ name: "context", cluster: "cluster", user: "user" }],
      currentContext: "context",
    });
    return config;
  };
  let opened: ReturnType<typeof signIn> | undefined;
  return {
    async current() {
      const options: RequestOptions = {};
      opened ??= signIn();
      const config = await opened;
      await within(config.applyToHTTPSOptions(options), user, signal, limits);
      const authorization = new Map<string, unknown>(Object.entries(options.headers ?? {})).get("Authorization");
      return typeof authorization === "string" ? { authorization } : {};
    },
    // It looks at the expiry of the token by itself.
    forget: () => false,
  };
}

/** Bounds a sign-in that has no time limit of its own, and puts its failure into our words. */
async function within(work: Promise<void>, user: UserEntry, signal: AbortSignal, limits: Limits): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fault = (what: string) =>
    new CollectError(`signing in the kubeconfig user \`${user.name}\` at its identity provider ${what}`, { remedy: "sign in again, and check that idp-issuer-url can be reached", unreachable: true });
  const abort = () => reject(ended(signal));
  const timer = setTimeout(() => reject(fault(`took longer than ${limits.pluginMs / 1000} s`)), limits.pluginMs);
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) throw ended(signal);
    await Promise.race([work, promise]);
  } catch (error) {
    throw error instanceof CollectError ? error : fault(`failed (${codeOf(error)})`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function bearer(text: string, where: string): string {
  const token = text.trim();
  // Anything else would be refused as a header, in words that quote it.
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  throw new CollectError(`the token ${where} is ${token === "" ? "empty" : "not one line of printable characters"}`, { remedy: "sign in again, so that it is written anew", unreachable: true });
}

/** PEM text from the kubeconfig or from the file that it names. */
export async function readPart(part: FileOrData | undefined, what: string): Promise<string | undefined> {
  if (part === undefined) return undefined;
  return "data" in part ? Buffer.from(part.data, "base64").toString("latin1") : readLocal(part.file, what);
}

async function readLocal(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    throw new CollectError(`the ${what} file \`${file}\` cannot be read (${codeOf(error)})`, { remedy: "correct the path or its permissions", unreachable: true });
  }
}

function refused(user: UserEntry, what: string): CollectError {
  return new CollectError(`the kubeconfig user \`${user.name}\` signs in with ${what}, which input that is not trusted may not use`, {
    remedy: "run without --untrusted, or give a kubeconfig with a token or a client certificate",
    unreachable: true,
  });
}
