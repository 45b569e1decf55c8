import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError, type AnyKind, type Assertion, type JsonObject, type Position, type Severity, type SpecFault } from "#engine";
import { FileError, type Document } from "../../clients/documents/index.ts";
import type { DiscoveredKind, Plugins } from "../discover.ts";
import { putContents } from "./contents.ts";
import { InvalidDocumentError, InvalidFieldError, UnknownKindError } from "./errors.ts";
import { checkOwn, throwAll } from "./own.ts";
import { problemsOf } from "./problems.ts";
import { readDocuments } from "./read.ts";
import { validatorOf } from "./schema.ts";
import { checkLinks, checkOwnLink, type LoadOptions } from "./trust.ts";

export interface LoadedAssertions {
  /** In the order of files and documents. */
  readonly assertions: readonly Assertion[];
  /** The kinds that they name, loaded. */
  readonly kinds: ReadonlyMap<string, AnyKind>;
}

const API_VERSION = "cloud-assert/v1";

/** A document of a file, with the name of the file as the user wrote it. */
interface Written {
  readonly file: string;
  readonly document: Document;
}

/** A document of a kind that some kind owns (`HalProfile`). */
interface Owned extends Written {
  readonly kind: string;
  readonly name: string;
  readonly content: unknown;
}

/** An assertion whose files and documents are not read yet. */
interface Draft extends Written {
  readonly assertion: Assertion;
  readonly kind: DiscoveredKind;
}

/**
 * Reads assertion files and folders (`paths` as the user wrote them, relative to `cwd`; of a folder the `*.yaml` and `*.yml` at its top).
 *
 * 1. Every mistake of all files is found in one go: with file, line, column, the nearest valid word and a valid example.
 * 2. Defaults are filled in, and content is put where a spec names a file or a document.
 * 3. Only the kinds that are named are loaded.
 *
 * Throws UserErrors, or a UserError where there is one mistake only.
 */
export async function loadAssertions(paths: readonly string[], plugins: Plugins, options: LoadOptions): Promise<LoadedAssertions> {
  const problems: UserError[] = [];
  const read = await gather(await filesOf(paths, options), problems, async (file) =>
    gather(await documentsOf(file, options), problems, async (written) => [await readOne(written, plugins)]),
  );
  const drafts = read.filter((one) => "assertion" in one);
  const owned = read.filter((one) => "content" in one);
  problems.push(...twice(drafts.map(({ assertion }) => ({ what: "assertions", ...assertion }))));
  problems.push(...twice(owned.map(({ kind, name, document }) => ({ what: `documents of kind ${kind}`, name, at: document.at }))));

  const byKind = new Map([...Map.groupBy(owned, ({ kind }) => kind)].map(([kind, all]) => [kind, new Map(all.map(({ name, content }) => [name, content]))]));
  for (const { file, document, assertion, kind } of drafts) {
    problems.push(...(await putContents(assertion.spec as object, await kind.schema(), { file, document, options, owned: byKind })));
  }
  throwAll(problems);

  return withKinds(drafts.map(({ assertion }) => assertion), plugins);
}

/** Loads the kinds that assertions name; all of them are known. */
export async function withKinds(assertions: readonly Assertion[], plugins: Plugins): Promise<LoadedAssertions> {
  const named = [...new Set(assertions.map(({ kind }) => kind))].flatMap((name) => plugins.kinds.get(name) ?? []);
  return { assertions, kinds: new Map(await Promise.all(named.map(async (kind) => [kind.name, await kind.kind()] as const))) };
}

/** What `read` makes of all items; what goes wrong with one is kept beside. */
async function gather<In, Out>(items: readonly In[], problems: UserError[], read: (item: In) => Promise<readonly Out[]>): Promise<readonly Out[]> {
  const all: Out[] = [];
  for (const item of items) {
    try {
      all.push(...(await read(item)));
    } catch (error) {
      if (error instanceof Several) problems.push(...error.problems);
      else if (error instanceof UserError) problems.push(error);
      else throw error;
    }
  }
  return all;
}

/** Mistakes of one document, on the way to those of all. */
class Several extends Error {
  readonly problems: readonly UserError[];

  constructor(problems: readonly UserError[]) {
    super("several mistakes");
    this.problems = problems;
  }
}

/** The files that paths stand for, each once, as the user would name them. */
async function filesOf(paths: readonly string[], options: LoadOptions): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    await checkLinks(path, options);
    const found = await stat(resolve(options.cwd, path)).catch(() => undefined);
    files.push(...(found?.isDirectory() ? await filesIn(path, options) : [path]));
  }
  const seen = new Set<string>();
  return files.filter((file) => {
    const absolute = resolve(options.cwd, file);
    return !seen.has(absolute) && seen.add(absolute);
  });
}

async function filesIn(folder: string, options: LoadOptions): Promise<readonly string[]> {
  const names = await readdir(resolve(options.cwd, folder)).catch((cause: unknown) => {
    throw new FileError(`\`${folder}\` cannot be listed`, { remedy: "give the user that runs this the right to read the folder", cause });
  });
  const files = names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith(".")).toSorted();
  if (files.length === 0) {
    throw new InvalidDocumentError(`\`${folder}\` holds no assertion file`, {
      remedy: "name a folder with `*.yaml` or `*.yml` files at its top (a subfolder is read when it is named), or a file",
    });
  }
  return files.map((name) => join(folder, name));
}

async function documentsOf(file: string, options: LoadOptions): Promise<readonly Written[]> {
  await checkOwnLink(file, options);
  const documents = await readDocuments({ path: resolve(options.cwd, file), shown: file }, options);
  if (documents.length === 0) {
    throw new InvalidDocumentError(`\`${file}\` holds no document`, { remedy: `write one, for example \`${EXAMPLE}\``, at: { file, line: 1, column: 1 } });
  }
  return documents.map((document) => ({ file, document }));
}

const EXAMPLE = "{ apiVersion: cloud-assert/v1, kind: EnvoyVersionSkew, metadata: { name: envoy-patch-skew } }";

async function readOne({ file, document }: Written, plugins: Plugins): Promise<Draft | Owned> {
  const value = structuredClone(document.value);
  const kind = kindWordOf(value, file, document);
  const known = plugins.kinds.get(kind);
  if (known === undefined) return readOwned(kind, value as JsonObject, { file, document }, plugins);

  const envelope = value as { spec?: unknown };
  envelope.spec ??= {};
  const problems = [...(await checkOwn("assertion", value, document))];
  const { clusters, allowEmpty, strict, ...spec } = asMap(envelope.spec);
  const schema = await known.schema();
  problems.push(...problemsOf(await known.validate(spec), { document, base: ["spec"], value: spec, schema, alsoKnown: COMMON }));
  if (problems.length === 0) problems.push(...faultsOf((await known.kind()).check?.(spec as never) ?? [], document));
  if (problems.length > 0) throw new Several(problems);

  const { name, severity } = (value as { metadata: { name: string; severity: Severity } }).metadata;
  return {
    file,
    document,
    kind: known,
    assertion: {
      name,
      kind,
      severity,
      clusters: clusters ?? {},
      allowEmpty: allowEmpty as boolean,
      strict: strict as boolean,
      spec,
      at: document.at,
    },
  };
}

/** What a kind itself says of a spec that fits its schema. */
function faultsOf(faults: Iterable<SpecFault>, document: Document): readonly UserError[] {
  return [...faults].map(({ path, offset, message, remedy }) => {
    const full = ["spec", ...path];
    const at = offset === undefined ? document.positionOf(full) : document.positionIn(full, offset);
    return new InvalidFieldError(message, { at, remedy });
  });
}

/** An empty map for what is none: its envelope has been told so already. */
function asMap(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const COMMON = ["clusters", "allowEmpty", "strict"];

/** The word after `kind:`, of a document that is one of ours. */
function kindWordOf(value: unknown, file: string, document: Document): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidDocumentError(`the document is ${Array.isArray(value) ? "a list" : "plain text"}, not a map`, { at: document.at, remedy: `write for example \`${EXAMPLE}\`` });
  }
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown };
  if (apiVersion !== API_VERSION) {
    const seen = typeof apiVersion === "string" ? `has the apiVersion \`${apiVersion.slice(0, 80)}\`` : "has no apiVersion";
    throw new InvalidDocumentError(`the document ${seen}; this release reads \`${API_VERSION}\``, {
      at: document.positionOf(["apiVersion"]),
      remedy: `write \`apiVersion: ${API_VERSION}\`; objects of Kubernetes belong into a folder that the fleet names as \`manifests\``,
    });
  }
  if (typeof kind !== "string") {
    throw new InvalidDocumentError("the document has no `kind`", { at: document.positionOf(["kind"]), remedy: "add one, for example `kind: EnvoyVersionSkew`; `assert kinds` lists them" });
  }
  if (kind === "Fleet" || kind === "Waivers") {
    const flag = kind === "Fleet" ? "--fleet" : "--waivers";
    throw new InvalidDocumentError(`a document of kind \`${kind}\` is no assertion`, {
      at: document.positionOf(["kind"]),
      remedy: `move it out of \`${file}\` into a file of its own, and name that file with ${flag}`,
    });
  }
  return kind;
}

async function readOwned(kind: string, value: JsonObject, { file, document }: Written, plugins: Plugins): Promise<Owned> {
  const owners = await Promise.all([...plugins.kinds.values()].map((each) => each.kind()));
  const documents = new Map(owners.flatMap((owner) => Object.entries(owner.documents ?? {})));
  const schema = documents.get(kind);
  if (schema === undefined) throw new UnknownKindError(kind, [...plugins.kinds.keys(), ...documents.keys()].toSorted(), document.positionOf(["kind"]));
  const problems = [...(await checkOwn("assertion", { ...value, spec: {} }, document))];
  const content: unknown = value["spec"] ?? {};
  problems.push(...problemsOf((await validatorOf(schema, undefined))(content), { document, base: ["spec"], value: content, schema }));
  if (problems.length > 0) throw new Several(problems);
  return { file, document, kind, name: (value as { metadata: { name: string } }).metadata.name, content };
}

function twice(named: readonly { readonly what: string; readonly name: string; readonly at: Position }[]): readonly UserError[] {
  const first = new Map<string, Position>();
  return named.flatMap(({ what, name, at }) => {
    const key = `${what}\0${name}`;
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, at);
      return [];
    }
    return [
      new InvalidDocumentError(`two ${what} are named \`${name}\``, {
        at,
        remedy: `rename one of them; the first is at ${other.file}:${other.line}:${other.column}`,
      }),
    ];
  });
}
