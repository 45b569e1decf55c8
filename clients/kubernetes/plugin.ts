import { CollectError } from "#engine";
import { outputOf } from "../programs/index.ts";
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

  async #output(command: string): Promise<string> {
    const { pluginMs } = this.#limits;
    const program = { command, args: this.#exec.args, env: this.#env(), signal: this.#surroundings.signal, limitMs: pluginMs, limitBytes: largestAnswer };
    const bytes = await outputOf(program, {
      cannotStart: (code) => this.#cannotStart(code),
      late: () => this.#fault(`gave no answer within ${pluginMs / 1000} s`, `run \`${command}\` by hand: it may wait for a login or for the network`),
      tooLong: () => this.#fault(`printed more than ${largestAnswer} bytes`, "check that the command is a credential plugin"),
      failed: (how) => this.#fault(`failed (${how})`, `run \`${command}\` by hand to see why; signing in again often helps`),
    });
    return bytes.toString("utf8");
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
