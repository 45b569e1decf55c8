import { byText, cite, fault, info, undecided, type Evidence, type Finding, type WasmState } from "#engine";
import { ociReferenceTo, parseOciReference } from "#values";
import type { LoadedFact, Module, Row } from "./rows.ts";
import { citeRow, clustersText, count, short } from "./words.ts";

/** What proxies have, against what their cluster declares; then, where that tells nothing, cluster against cluster. */
export function* faultsOfRunning(module: Module): Iterable<Finding> {
  const findings = module.rows.flatMap((row) => [...runningOf(module.name, row)]);
  yield* findings;
  const difference = findings.some(({ outcome }) => outcome === "fault") ? undefined : between(module);
  if (difference !== undefined) yield difference;
}

/** What runs and is nobody's declaration: a proxy that was not told that it is gone, or an object that was not seen. */
export function undeclared(name: string, loaded: LoadedFact): Finding {
  const { cluster, data: { proxies, example, state } } = loaded;
  return undecided({
    subject: name,
    cause: `undeclared in ${cluster}`,
    message: `${count(proxies, "proxy")} in \`${cluster}\` (\`${example}\` the first) ${proxies === 1 ? "has" : "have"} the module \`${name}\`, which nothing in \`${cluster}\` declares`,
    remedy: "if it was deleted, check that the control plane reaches these proxies; if another control plane declares it, select the cluster where it does; or leave it out with `names`",
    evidence: [cite(loaded, "in the proxy", stateText(state))],
  });
}

function* runningOf(name: string, row: Row): Iterable<Finding> {
  const { running, cluster } = row;
  if (running === undefined) return;
  if (running.states.length === 0 && running.answered > 0) {
    yield undecided({
      subject: name,
      cause: `not loaded in ${cluster}`,
      message: `\`${name}\` is declared in \`${cluster}\`, and none of the ${count(running.answered, "proxy")} that answered has it`,
      remedy: row.fact.data.form === "EnvoyFilter" && row.fact.data.resource === undefined ? "declare it in a WasmPlugin: what an EnvoyFilter puts into listeners is not asked for" : "check its selector and its namespace, or leave it out with `names`",
      evidence: [citeRow(row), cite(running.asked, "proxies that answered", String(running.answered))],
    });
  }
  for (const state of running.states) yield* stateOf(name, row, state);
}

function* stateOf(name: string, row: Row, loaded: LoadedFact): Iterable<Finding> {
  const { cluster } = row;
  const { state, proxies, example } = loaded.data;
  const who = `${count(proxies, "proxy")} in \`${cluster}\` (\`${example}\` the first)`;
  const evidence = [citeRow(row), cite(loaded, "in the proxy", stateText(state))];
  const about = { subject: name, evidence };
  switch (state.state) {
    case "failed":
      yield fault({
        ...about,
        cause: `failed ${state.filter} ${cluster}`,
        message: `${who} could not fetch \`${name}\` and ${proxies === 1 ? "has" : "have"} a filter in its place that ${state.filter === "allow" ? "lets every request pass: the module does nothing there" : "refuses every request"}`,
        remedy: `read the log of \`istio-proxy\` in \`${example}\` for the reason; check the reference and its pull secret`,
      });
      return;
    case "waiting":
      yield undecided({ ...about, cause: `waiting ${cluster}`, message: `${who} ${proxies === 1 ? "waits" : "wait"} for \`${name}\``, remedy: "run again; if it stays so, check that the control plane sends it" });
      return;
    case "loaded":
      yield* loadedOf(name, row, state, { who, proxies, about, cluster });
      return;
    case "inline":
      if (row.bytes.known && row.bytes.sha256 !== state.wasmSha256) yield other(name, who, `the bytes ${short(state.wasmSha256)}`, row, about);
      return;
    case "native":
    case "unknown":
    case "file":
    case "remote":
      yield undecided({ ...about, cause: `${state.state} ${cluster}`, message: `${who} ${proxies === 1 ? "has" : "have"} \`${name}\` in a form whose bytes cannot be seen: ${stateText(state)}`, remedy: "declare it in a WasmPlugin that names an image" });
      return;
    default:
      state satisfies never;
  }
}

interface Telling {
  readonly who: string;
  readonly proxies: number;
  readonly cluster: string;
  readonly about: { readonly subject: string; readonly evidence: readonly Evidence[] };
}

/** The file is called by the digest of the manifest, or of the bytes that came by HTTP; its folder by where it came from. */
function* loadedOf(name: string, row: Row, state: Extract<WasmState, { state: "loaded" }>, { who, proxies, cluster, about }: Telling): Iterable<Finding> {
  const { code } = row.fact.data;
  const runs = proxies === 1 ? "runs" : "run";
  if (code.source !== "oci" && code.source !== "http") {
    yield fault({ ...about, cause: `elsewhere ${cluster}`, message: `${who} ${runs} a module from a registry under the name \`${name}\`, which declares none`, remedy: `restart ${proxies === 1 ? "it" : "them"}, and see whether the control plane is in sync` });
    return;
  }
  if (code.folder !== undefined && code.folder !== state.folder) {
    yield fault({ ...about, cause: `elsewhere ${cluster}`, message: `${who} ${runs} \`${name}\` from another ${code.source === "oci" ? "repository" : "address"} than the one that is declared`, remedy: `see whether the control plane is in sync with the declaration, and restart ${proxies === 1 ? "it" : "them"}` });
    return;
  }
  if (code.source === "http") {
    if (row.bytes.known && row.bytes.sha256 !== state.checksum) yield other(name, who, short(state.checksum), row, about);
    return;
  }
  const { manifestDigest } = row.image?.data ?? {};
  if (manifestDigest === undefined || manifestDigest === `sha256:${state.checksum}`) return;
  const image = imageLoaded(row, state.checksum);
  const moved = `${who} ${runs} the image ${short(`sha256:${state.checksum}`)} as \`${name}\`, and its reference names ${short(manifestDigest)} now`;
  if (image?.module === undefined) {
    yield undecided({ ...about, cause: `moved ${cluster}`, message: `${moved}; what the proxies have is not in the registry any more: ${image?.failure?.reason ?? "it was not read"}`, remedy: `restart ${proxies === 1 ? "it" : "them"}, and name the image by its digest` });
  } else if (row.bytes.known && image.module.wasmSha256 === row.bytes.sha256) {
    yield info({ ...about, cause: `moved ${cluster}`, message: `${moved}; the module inside is the same`, remedy: "name the image by its digest, so that nobody can move it" });
  } else {
    yield fault({ ...about, cause: `moved ${cluster}`, message: `${moved}: the tag was moved, and the proxies kept the module ${short(image.module.wasmSha256)}`, remedy: `name the image by its digest; then restart ${proxies === 1 ? "it" : "them"}` });
  }
}

function imageLoaded(row: Row, checksum: string) {
  const { code } = row.fact.data;
  const parsed = code.source === "oci" ? parseOciReference(code.reference) : undefined;
  return parsed === undefined ? undefined : row.images.get(ociReferenceTo(parsed, `sha256:${checksum}`));
}

function other(name: string, who: string, has: string, row: Row, about: Telling["about"]): Finding {
  const declared = row.bytes.known ? short(row.bytes.sha256) : "";
  return fault({ ...about, cause: `other bytes ${row.cluster}`, message: `${who} ${who.startsWith("1 ") ? "runs" : "run"} ${has} as \`${name}\`, and what is declared is ${declared} now`, remedy: "restart them, and pin the module by `sha256`" });
}

/** Where the declaration cannot be read, what runs can still be compared. */
function between({ name, rows }: Module): Finding | undefined {
  const running = rows.flatMap((row) => (row.running?.states ?? []).flatMap(({ data: { state } }) => (shaOf(row, state) === undefined ? [] : [{ row, sha256: shaOf(row, state) ?? "" }])));
  const camps = Map.groupBy(running, ({ sha256 }) => sha256);
  const declared = new Set(rows.flatMap(({ bytes }) => (bytes.known ? [bytes.sha256] : [])));
  if (camps.size < 2 || declared.size > 1) return undefined;
  const told = [...camps].map(([sha256, members]) => `${short(sha256)} in ${clustersText([...new Set(members.map(({ row }) => row.cluster))])}`).toSorted(byText);
  return fault({
    subject: name,
    cause: `running ${[...camps.values()].map((members) => members.map(({ row }) => row.cluster).join(",")).toSorted(byText).join(" ")}`,
    message: `proxies run ${camps.size} different modules as \`${name}\`: ${told.join("; ")}`,
    remedy: "name the module by its digest in all clusters, and restart the proxies that have another one",
    evidence: rows.map(citeRow),
  });
}

function shaOf(row: Row, state: WasmState): string | undefined {
  if (state.state === "inline") return state.wasmSha256;
  if (state.state !== "loaded") return undefined;
  return row.fact.data.code.source === "http" ? state.checksum : imageLoaded(row, state.checksum)?.module?.wasmSha256;
}

function stateText(state: WasmState): string {
  switch (state.state) {
    case "loaded":
      return `file ${state.folder.slice(0, 12)}…/${state.checksum.slice(0, 12)}….wasm (${state.runtime})`;
    case "file":
      return `file ${state.path}`;
    case "inline":
      return `bytes ${short(state.wasmSha256)}`;
    case "remote":
      return `fetched by Envoy from ${state.reference}`;
    case "native":
      return `native ${state.name}`;
    case "failed":
      return `an RBAC filter, wasm-default-${state.filter}`;
    case "waiting":
      return "no answer yet";
    case "unknown":
      return state.reason;
    default:
      return state satisfies never;
  }
}
