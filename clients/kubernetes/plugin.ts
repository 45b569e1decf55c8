import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { CollectError } from "#engine";
import { codeOf, ended } from "./faults.ts";
import type { ClusterEntry, ExecEntry } from "./kubeconfig.ts";
import type { Limits, Surroundings } from "./place.ts";

/** What an exec plugin hands out; kept in memory only. */
export interface Credential {
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds since 1970; left out: good for the whole run. */
  readonly expires?: number | undefined;
}

const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const largestAnswer = 1024 * 1024;
/** A credential is renewed a little early, so that it does not expire on its way. */
const earlyMs = 10_000;

/**
 * The `exec` plugin of one kubeconfig user, by the ExecCredential protocol.
 *
 * client-node's own runner is not used: it has no time limit and listens to no signal, passes no `KUBERNETES_EXEC_INFO`
 * (which plugins of the v1 protocol refuse to run without), and puts what the plugin wrote to stderr into its error.
 */
export class ExecPlugin {
  readonly #exec: ExecEntry;
  readonly #cluster: ClusterEntry & { readonly caData?: string | undefined };
  readonly #surroundings: Surroundings;
  readonly #limits: Limits;
  #current: Promise<Credential> | undefined;
  #expires: number | undefined;

  constructor(exec: ExecEntry, cluster: ClusterEntry & { readonly caData?: string | undefined }, surroundings: Surroundings, limits: Limits) {
    this.#exec = exec;
    this.#cluster = cluster;
    this.#surroundings = surroundings;
    this.#limits = limits;
  }

  /** Runs the plugin once for all who wait, and again when what it gave has expired. */
  async credential(): Promise<Credential> {
    if (this.#expires !== undefined && Date.now() > this.#expires - earlyMs) this.forget();
    this.#current ??= this.#run();
    const credential = await this.#current;
    this.#expires = credential.expires;
    return credential;
  }

  /** The server refused what the plugin gave: the next question runs it again. */
  forget(): void {
    this.#current = undefined;
    this.#expires = undefined;
  }

  async #run(): Promise<Credential> {
    const { command, apiVersion, interactive } = this.#exec;
    if (!versions.includes(apiVersion)) {
      throw this.#fault(`speaks \`${apiVersion}\``, `set its apiVersion to ${versions.join(" or ")} (the plugin's update-kubeconfig command does)`);
    }
    if (interactive) throw this.#fault("asks questions (interactiveMode: Always)", "sign in beforehand and use a kubeconfig whose plugin needs no terminal");
    const text = await this.#output(command);
    return this.#parse(text);
  }

  #output(command: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { signal } = this.#surroundings;
    if (signal.aborted) return Promise.reject(ended(signal));
    // A group of its own, so that a hanging plugin takes the processes that it started with it.
    const child = this.#start(command);
    const chunks: Buffer[] = [];
    let size = 0;

    const stop = (error: CollectError) => {
      killGroup(child);
      // Whoever left the group may still hold the pipe, and would keep this process alive.
      child.stdout.destroy();
      reject(error);
    };
    const abort = () => stop(ended(signal));
    const timer = setTimeout(() => {
      stop(this.#fault(`gave no answer within ${this.#limits.pluginMs / 1000} s`, `run \`${command}\` by hand: it may wait for a login or for the network`));
    }, this.#limits.pluginMs);
    signal.addEventListener("abort", abort, { once: true });

    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > largestAnswer) stop(this.#fault(`printed more than ${largestAnswer} bytes`, "check that the command is a credential plugin"));
      else chunks.push(chunk);
    });
    child.on("error", (error) => reject(this.#cannotStart(codeOf(error))));
    child.on("close", (code, killedBy) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString("utf8"));
      else reject(this.#fault(`failed (${code === null ? killedBy : `exit code ${code}`})`, `run \`${command}\` by hand to see why; signing in again often helps`));
    });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    });
  }

  #start(command: string): ChildProcessByStdio<null, Readable, null> {
    try {
      return spawn(command, [...this.#exec.args], { env: this.#env(), stdio: ["ignore", "pipe", "ignore"], detached: true });
    } catch (error) {
      // Node quotes the argument that it minds, such as one with a null byte.
      throw this.#cannotStart(codeOf(error));
    }
  }

  #env(): Record<string, string> {
    const { provideClusterInfo, apiVersion, env } = this.#exec;
    const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false, ...(provideClusterInfo ? { cluster: this.#info() } : {}) } };
    const given = Object.entries(this.#surroundings.env).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return Object.fromEntries([...given, ...env.map(({ name, value }) => [name, value] as const), ["KUBERNETES_EXEC_INFO", JSON.stringify(info)] as const]);
  }

  #info() {
    const { server, tlsServerName, insecure, caData, proxyUrl, execConfig } = this.#cluster;
    return {
      server,
      ...(tlsServerName === undefined ? {} : { "tls-server-name": tlsServerName }),
      ...(insecure ? { "insecure-skip-tls-verify": true } : {}),
      ...(caData === undefined ? {} : { "certificate-authority-data": caData }),
      ...(proxyUrl === undefined ? {} : { "proxy-url": proxyUrl }),
      ...(execConfig === undefined ? {} : { config: execConfig }),
    };
  }

  #parse(text: string): Credential {
    const answer = parseJson(text);
    if (answer === undefined) throw this.#fault("printed something that is not JSON", "check that the command prints an ExecCredential and nothing else");
    if (answer["kind"] !== "ExecCredential") throw this.#fault("printed JSON that is not an ExecCredential", "check that the command is a credential plugin");
    if (answer["apiVersion"] !== this.#exec.apiVersion) {
      throw this.#fault(`answered in another version than \`${this.#exec.apiVersion}\``, "set the apiVersion of `exec` to the one that the plugin speaks");
    }
    const status = isFields(answer["status"]) ? answer["status"] : {};
    const credential = {
      token: filledText(status["token"]),
      certificate: filledText(status["clientCertificateData"]),
      key: filledText(status["clientKeyData"]),
      expires: expiryOf(status["expirationTimestamp"]),
    };
    if ((credential.certificate === undefined) !== (credential.key === undefined)) throw this.#fault("gave a client certificate without its key, or a key alone", "update the plugin");
    if (credential.token === undefined && credential.certificate === undefined) throw this.#fault("gave no credential", "sign in again, or update the plugin");
    return credential;
  }

  #cannotStart(code: string): CollectError {
    if (code === "EACCES") return this.#fault("cannot be started (EACCES)", "make it executable for this user");
    if (code !== "ENOENT") return this.#fault(`cannot be started (${code})`, "check command, args and env of `exec` in the kubeconfig");
    const hint = this.#exec.installHint === undefined ? "" : "; its kubeconfig carries an installHint that says how";
    return this.#fault("is not installed", `install \`${this.#exec.command}\` or put it in PATH${hint}`);
  }

  #fault(what: string, remedy: string): CollectError {
    return new CollectError(`the credential plugin \`${this.#exec.command}\` ${what}`, { remedy, unreachable: true });
  }
}

/** Also where the plugin itself has ended: what it left behind still holds the pipe, or there would be nothing to stop. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function filledText(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function expiryOf(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
