import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError, type AnyKind, type Assertion, type JsonObject, type Position, type Severity, type SpecFault } from "#engine";
import { FileError, type Document } from "../../clients/documents/index.ts";
import type { DiscoveredKind, Plugins } from "../discover.ts";
import { ownFile } from "../own.ts";
import { documentsNamed, putContents, type OwnedDocuments } from "./contents.ts";
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
  /** What is wrong with it: then nothing is to be made of its content. */
  readonly problems: readonly UserError[];
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
    gather(await documentsOf(file, options), problems, async (written) => [await readOne(written, plugins, options)]),
  );
  const drafts = read.filter((one) => "assertion" in one);
  const owned = read.filter((one) => "content" in one);
  problems.push(...owned.flatMap((one) => one.problems));
  problems.push(...twice(drafts.map(({ assertion }) => ({ what: "assertions", ...assertion }))));
  problems.push(...twice(owned.map(({ kind, name, document }) => ({ what: `documents of kind ${kind}`, name, at: document.at }))));

  const byKind = new Map([...Map.groupBy(owned, ({ kind }) => kind)].map(([kind, all]) => [kind, new Map(all.map(({ name, content }) => [name, content]))]));
  const builtIn = await builtInDocuments(drafts, byKind, plugins, options);
  const broken = new Set(owned.filter((one) => one.problems.length > 0).map(({ kind, name }) => `${kind}\0${name}`));
  for (const { file, document, assertion, kind } of drafts) {
    if (documentsNamed(assertion.spec as object, await kind.schema()).some((named) => broken.has(`${named.kind}\0${named.name}`))) continue;
    const missing = await putContents(assertion.spec as object, await kind.schema(), { file, document, options, owned: byKind, builtIn });
    problems.push(...missing, ...(missing.length > 0 ? [] : faultsOf((await kind.kind()).check?.(assertion.spec as never) ?? [], document)));
  }
  throwAll(problems);

  return withKinds(drafts.map(({ assertion }) => assertion), plugins);
}

/** Loads the kinds that assertions name; all of them are known. */
export async function withKinds(assertions: readonly Assertion[], plugins: Plugins): Promise<LoadedAssertions> {
  const named = [...new Set(assertions.map(({ kind }) => kind))].flatMap((name) => plugins.kinds.get(name) ?? []);
  return { assertions, kinds: new Map(await Promise.all(named.map(async (kind) => [kind.name, await kind.kind()] as const))) };
}

/** Where documents lie that come with the release, by the kind of document. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([["HalProfile", "assertions/profiles"]]);

/** Documents of the release that a spec names and no file of the run holds. Nothing is read where everything named is there. */
async function builtInDocuments(drafts: readonly Draft[], owned: OwnedDocuments, plugins: Plugins, options: LoadOptions): Promise<OwnedDocuments> {
  const wanted = new Set<string>();
  for (const { assertion, kind } of drafts) {
    for (const { kind: document, name } of documentsNamed(assertion.spec as object, await kind.schema())) if (owned.get(document)?.has(name) !== true) wanted.add(document);
  }
  const found = new Map<string, ReadonlyMap<string, unknown>>();
  for (const [kind, folder] of BUILT_IN) {
    if (!wanted.has(kind)) continue;
    const trusted = { ...options, untrusted: false };
    const files = await filesOf([ownFile(folder)], trusted);
    const read = (await Promise.all(files.map(async (file) => Promise.all((await documentsOf(file, trusted)).map((written) => readOne(written, plugins, trusted)))))).flat();
    found.set(kind, new Map(read.filter((one) => "content" in one).map(({ name, content }) => [name, content])));
  }
  return found;
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

async function readOne({ file, document }: Written, plugins: Plugins, options: LoadOptions): Promise<Draft | Owned> {
  const value = structuredClone(document.value);
  const kind = kindWordOf(value, file, document);
  const known = plugins.kinds.get(kind);
  if (known === undefined) return readOwned(kind, value as JsonObject, { file, document }, plugins, options);

  const envelope = value as { spec?: unknown };
  envelope.spec ??= {};
  const problems = [...(await checkOwn("assertion", value, document))];
  const { clusters, allowEmpty, strict, ...spec } = asMap(envelope.spec);
  const schema = await known.schema();
  problems.push(...problemsOf(await known.validate(spec), { document, base: ["spec"], value: spec, schema, alsoKnown: COMMON }));
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

/** Such a document may name files, too, and no other document. */
async function readOwned(kind: string, value: JsonObject, { file, document }: Written, plugins: Plugins, options: LoadOptions): Promise<Owned> {
  const owners = await Promise.all([...plugins.kinds.values()].map((each) => each.kind()));
  const documents = new Map(owners.flatMap((owner) => Object.entries(owner.documents ?? {}).map(([name, schema]) => [name, { owner, schema }] as const)));
  const owned = documents.get(kind);
  if (owned === undefined) throw new UnknownKindError(kind, [...plugins.kinds.keys(), ...documents.keys()].toSorted(), document.positionOf(["kind"]));
  const { owner, schema } = owned;
  const own = await checkOwn("assertion", { ...value, spec: {} }, document);
  if (own.length > 0) throw new Several(own);
  const content: unknown = value["spec"] ?? {};
  const validate = await validatorOf(schema, await owner.documentValidators?.[kind]?.());
  const problems = [...problemsOf(validate(content), { document, base: ["spec"], value: content, schema })];
  if (problems.length === 0) problems.push(...faultsOf(owner.checkDocument?.(kind, content as never) ?? [], document));
  if (problems.length === 0) problems.push(...(await putContents(content as object, schema, { file, document, options, owned: new Map(), builtIn: new Map() })));
  return { file, document, kind, name: (value as { metadata: { name: string } }).metadata.name, content, problems };
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
