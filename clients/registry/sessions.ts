import { canonical, type RegistryApi, type ResolvedModule, type SignatureMaterial, type SignedImage, type WasmFailure } from "#engine";
import { parseOciReference, type OciReference } from "#values";
import { ended } from "../kubernetes/faults.ts";
import { Connection } from "./connection.ts";
import { Credentials } from "./credentials.ts";
import { endpointOf } from "./hosts.ts";
import { readHttpModule } from "./http-module.ts";
import { readImage, type Loader } from "./image.ts";
import type { Registries, RegistryLimits, RegistryRun, RegistryVisit } from "./place.ts";
import { Repository } from "./repository.ts";
import { newShared, Once, type Shared } from "./shared.ts";
import { readSignatures } from "./signatures.ts";
import { Transport } from "./transport.ts";
import { cleaned, Unreadable } from "./unreadable.ts";

/** The registries of one look: clusters with the same settings share what was read, all share what is known by its digest. */
export function openSessions(run: RegistryRun, limits: RegistryLimits): Registries {
  const shared = newShared();
  const sessions = new Map<string, Session>();
  return {
    visit: (visit) => {
      // A pull secret belongs to its cluster: what it opens is not shown to another one.
      const key = visit.settings.pullSecrets.length > 0 ? undefined : canonical(visit.settings);
      const session = (key === undefined ? undefined : sessions.get(key)) ?? openSession(visit, { run, limits, shared });
      if (key !== undefined) sessions.set(key, session);
      return new Registry(session, visit);
    },
  };
}

/** What clusters with the same settings have in common. */
interface Session {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly shared: Shared;
  readonly modules: Once<ResolvedModule>;
  readonly signatures: Once<SignatureMaterial>;
}

function openSession({ settings, kubernetes }: RegistryVisit, { run, limits, shared }: { readonly run: RegistryRun; readonly limits: RegistryLimits; readonly shared: Shared }): Session {
  const transport = new Transport(settings, run, limits);
  const connection = new Connection(transport, new Credentials(settings, run, limits, kubernetes), !run.untrusted);
  return { transport, connection, shared, modules: new Once(), signatures: new Once() };
}

class Registry implements RegistryApi {
  readonly #session: Session;
  readonly #visit: RegistryVisit;

  constructor(session: Session, visit: RegistryVisit) {
    this.#session = session;
    this.#visit = visit;
  }

  async module(reference: string, loader: Loader = "proxy"): Promise<ResolvedModule> {
    this.#checkTime();
    return this.#session.modules.get(`${loader} ${reference}`, async () => {
      try {
        return await this.#read(reference, loader);
      } catch (error) {
        return { reference, failure: this.#failureOf(error) };
      }
    });
  }

  async signatures(image: SignedImage, repository?: string): Promise<SignatureMaterial> {
    this.#checkTime();
    const { manifestDigest, topDigest } = image;
    try {
      const read = await this.#repository(repository === undefined ? referenceOf(image.reference) : referenceOf(`${repository.replace(/^oci:\/\//, "")}@${manifestDigest}`));
      return await this.#session.signatures.get(`${read.endpoint.origin} ${read.endpoint.repository} ${topDigest} ${manifestDigest}`, () => readSignatures(read, image, this.#visit.signal));
    } catch (error) {
      return { manifestDigest, ...(topDigest === manifestDigest ? {} : { indexDigest: topDigest }), artifacts: [], unread: [this.#failureOf(error)] };
    }
  }

  async #read(reference: string, loader: Loader): Promise<ResolvedModule> {
    const { signal } = this.#visit;
    if (/^https?:\/\//i.test(reference)) return { reference, ...(await readHttpModule(reference, this.#session.transport, signal)) };
    const parsed = referenceOf(reference);
    return { reference, ...(await readImage(await this.#repository(parsed), parsed, this.#session.shared, signal, loader)) };
  }

  #repository({ registry, repository }: OciReference): Promise<Repository> {
    return Promise.resolve(new Repository(this.#session.connection, endpointOf(registry, repository, this.#visit.settings)));
  }

  #failureOf(error: unknown): WasmFailure {
    this.#checkTime();
    if (error instanceof Unreadable) return error.failure;
    throw error;
  }

  #checkTime(): void {
    if (this.#visit.signal.aborted) throw ended(this.#visit.signal);
  }
}

function referenceOf(text: string): OciReference {
  const parsed = parseOciReference(text);
  if (parsed !== undefined) return parsed;
  throw new Unreadable("invalid", `\`${cleaned(text)}\` names no image`, "write it as `oci://HOST/REPOSITORY:TAG`, or with `@sha256:…` behind it");
}
