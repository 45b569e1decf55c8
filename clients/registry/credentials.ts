import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { CollectError, type KubernetesApi, type Resource } from "#engine";
import { DOCKER_HUB } from "#values";
import { outputOf } from "../programs/index.ts";
import { parseDockerConfig, parseHelperAnswer, type Credential, type DockerConfig } from "./docker-config.ts";
import { hostKey } from "./hosts.ts";
import type { RegistryLimits, RegistryRun, RegistrySettings } from "./place.ts";
import { cleaned } from "./unreadable.ts";

/** Programs that hand out credentials and are known to do nothing else. Another name in a file starts nothing. */
const HELPERS: ReadonlySet<string> = new Set(["acr-env", "acr-login", "desktop", "ecr-login", "gcloud", "gcr", "osxkeychain", "pass", "secretservice", "wincred"]);
const MOST_BYTES = 1 << 20;
const secrets: Resource = { group: "", versions: ["v1"], plural: "secrets", kind: "Secret", namespaced: true };

interface Source {
  readonly name: string;
  readonly config: DockerConfig;
  /** A cluster wrote it: no program is started for it. */
  readonly isForeign: boolean;
}

/** What signs in to a host, and why a place that should have told could not. */
export interface Found {
  readonly credential?: Credential | undefined;
  /** In words for somebody whose request was refused. */
  readonly faults: readonly string[];
}

/** Credentials that the fleet names: pull secrets first, then its files, else the docker configuration of whoever runs this. Each is read once, and where a host asks. */
export class Credentials {
  readonly #settings: RegistrySettings;
  readonly #run: RegistryRun;
  readonly #limits: RegistryLimits;
  readonly #kubernetes: () => Promise<KubernetesApi>;
  readonly #faults: string[] = [];
  readonly #helped = new Map<string, Promise<Credential | undefined>>();
  #sources: Promise<readonly Source[]> | undefined;

  constructor(settings: RegistrySettings, run: RegistryRun, limits: RegistryLimits, kubernetes: () => Promise<KubernetesApi>) {
    this.#settings = settings;
    this.#run = run;
    this.#limits = limits;
    this.#kubernetes = kubernetes;
  }

  /** `host` may have a port; it is matched whole. */
  async of(host: string, signal: AbortSignal): Promise<Found> {
    const sources = await (this.#sources ??= this.#read());
    for (const source of sources) {
      const credential = (await this.#ask(source, hostKey(host), signal)) ?? source.config.auths.get(hostKey(host));
      if (credential !== undefined) return { credential, faults: [] };
    }
    return { faults: [...this.#faults] };
  }

  async #read(): Promise<readonly Source[]> {
    const { pullSecrets, credentials } = this.#settings;
    const own = this.#run.env["DOCKER_CONFIG"] || path.join(this.#run.home, ".docker");
    const files = credentials.length > 0 ? credentials.map((file) => this.#file(expanded(file, this.#run.home), true)) : [this.#file(path.join(own, "config.json"), false)];
    const read = await Promise.all([...pullSecrets.map((name) => this.#secret(name)), ...files]);
    return read.filter((source) => source !== undefined);
  }

  async #file(file: string, mustBe: boolean): Promise<Source | undefined> {
    try {
      const { size } = await stat(file);
      const config = size > MOST_BYTES ? undefined : parseDockerConfig(await readFile(file, "utf8"));
      if (config !== undefined) return { name: file, config, isForeign: false };
      this.#faults.push(`\`${file}\` is no docker configuration`);
    } catch {
      if (mustBe) this.#faults.push(`\`${file}\` cannot be read`);
    }
    return undefined;
  }

  /** Only for the Secrets that the fleet names; nothing of them is kept beyond the look. */
  async #secret(name: string): Promise<Source | undefined> {
    const [namespace = "", secret = ""] = name.split("/");
    try {
      const object = await (await this.#kubernetes()).get(secrets, namespace, secret);
      const data: unknown = object?.["data"];
      const encoded: unknown = typeof data === "object" && data !== null ? Reflect.get(data, ".dockerconfigjson") : undefined;
      const config = typeof encoded === "string" && encoded.length <= 2 * MOST_BYTES ? parseDockerConfig(Buffer.from(encoded, "base64").toString("utf8")) : undefined;
      if (config !== undefined) return { name, config, isForeign: true };
      this.#faults.push(object === undefined ? `the Secret \`${name}\` does not exist` : `the Secret \`${name}\` holds no \`.dockerconfigjson\``);
    } catch (error) {
      if (!(error instanceof CollectError)) throw error;
      this.#faults.push(`the Secret \`${name}\` cannot be read: ${error.message}`);
    }
    return undefined;
  }

  #ask({ config, isForeign, name }: Source, host: string, signal: AbortSignal): Promise<Credential | undefined> | undefined {
    const own = config.helpers.get(host);
    const store = config.store === undefined ? undefined : { helper: config.store, server: host === DOCKER_HUB ? `https://${DOCKER_HUB}/v1/` : host };
    const asked = own ?? store;
    if (asked === undefined) return undefined;
    if (isForeign || !HELPERS.has(asked.helper)) {
      this.#note(isForeign ? `\`${name}\` names a credential helper, and what a cluster names is never started` : `the credential helper \`${cleaned(asked.helper, 60)}\` is none of those that are known`);
      return undefined;
    }
    const key = `${asked.helper} ${asked.server}`;
    const known = this.#helped.get(key);
    if (known !== undefined) return known;
    const answer = this.#help(asked.helper, asked.server, signal);
    this.#helped.set(key, answer);
    // What fails here fails because one cluster's time is over; the next one asks again.
    answer.catch(() => this.#helped.delete(key));
    return answer;
  }

  async #help(helper: string, server: string, signal: AbortSignal): Promise<Credential | undefined> {
    const program = `docker-credential-${helper}`;
    const fault = (what: string) => new CollectError(`\`${program}\` ${what}`, { remedy: "run it by hand" });
    try {
      const output = await outputOf(
        { command: program, args: ["get"], input: server, env: this.#run.env, signal, limitMs: this.#limits.helperMs, limitBytes: MOST_BYTES },
        { cannotStart: (code) => fault(`cannot be started (${code})`), late: () => fault("takes too long"), tooLong: () => fault("prints too much"), failed: (how) => fault(`gave no credentials (${how})`) },
      );
      const credential = parseHelperAnswer(output.toString("utf8"));
      if (credential === undefined) this.#note(`\`${program}\` prints no credentials`);
      return credential;
    } catch (error) {
      if (!(error instanceof CollectError) || signal.aborted) throw error;
      this.#note(error.message);
      return undefined;
    }
  }

  #note(fault: string): void {
    if (!this.#faults.includes(fault)) this.#faults.push(fault);
  }
}

function expanded(file: string, home: string): string {
  return file.startsWith("~/") ? path.join(home, file.slice(2)) : file;
}
