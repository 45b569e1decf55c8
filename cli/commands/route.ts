import { resolve } from "node:path";
import { routeWorldsOf } from "../../kinds/routes-equivalent/place.ts";
import { UsageError } from "../errors.ts";
import { exitCodes, type ExitCode } from "../exit.ts";
import type { Flags } from "../flags.ts";
import { ANSWERS, outputsOf, writeOutputs } from "../output.ts";
import { knownMap, pairOf } from "../routes/compare.ts";
import { readPlace, type Seen } from "../routes/place.ts";
import { parseLine, parseRequest, parseView, type Asked } from "../routes/request.ts";
import { routeJson, Router, type Routed } from "../routes/route.ts";
import { loadedBy } from "../routes/worlds.ts";
import type { Terminal } from "../terminal.ts";
import { checkTrustedFlags } from "../trusted-flags.ts";

/** Where does a request go at one place, and which rule decides? */
export default async function route(flags: Flags, words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  await checkTrustedFlags(flags, terminal.cwd);
  const outputs = await outputsOf(flags, terminal.cwd, ANSWERS);
  const { at } = flags;
  if (at === undefined) throw new UsageError("`assert route` needs a place", { remedy: "write `--at PLACE`: a manifest file or directory, a snapshot, a config dump, context:NAME, git:REV:PATH" });
  if (flags.requests === undefined && words.length === 0) throw new UsageError("`assert route` needs a request", { remedy: "write `assert route --at PLACE 'GET http://shop.example/api'`, or name a file with --requests" });
  if (flags.requests !== undefined && (words.length > 0 || flags.header.length > 0)) throw new UsageError("--requests names a file of requests, and the command line has one too", { remedy: "leave one of the two out" });
  const asked = flags.requests === undefined ? [single(words, flags)] : await fromFile(flags.requests, flags, terminal);

  const seen = await readPlace(at, at, flags, terminal);
  const answers = await withLines(answer(asked, seen, at, flags), seen);
  await writeOutputs(outputs, flags, terminal, async (format, looks) => {
    if (format === "json") return jsonLines(answers, flags.requests !== undefined);
    const { routeText } = await import("../routes/route-text.ts");
    return answers.map((each) => routeText(each, looks.width)).join("");
  });
  return answers.some(({ action }) => action.type === "undecided") ? exitCodes.undecided : exitCodes.holds;
}

function single(words: readonly string[], { header, view }: Flags): Asked {
  const text = words.join(" ");
  return parseRequest(text, header, view === undefined ? undefined : parseView(view, /(?:^|\s)https:/i.test(text)));
}

const LARGEST = 512 * 1024 * 1024;

async function fromFile(file: string, { view }: Flags, terminal: Terminal): Promise<readonly Asked[]> {
  const { readText } = await import("../../clients/documents/index.ts");
  const text = await readText(file === "-" ? "/dev/stdin" : resolve(terminal.cwd, file), LARGEST, file);
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const parsed = parseLine(line, file, index + 1, undefined);
    return [parsed.view === undefined && view !== undefined ? { ...parsed, view: parseView(view, parsed.request.scheme === "https") } : parsed];
  });
}

function answer(asked: readonly Asked[], seen: Seen, at: string, flags: Flags): readonly Routed[] {
  const [gap] = seen.gaps;
  if (gap !== undefined) {
    const action = { type: "undecided", reason: `${gap.reason}; ${gap.remedy}`, where: { object: gap.subject } } as const;
    return asked.map(({ request, view }) => ({ view, request, action, rule: undefined, assumptions: [] }));
  }
  const [istio] = pairOf("--istio", flags.istio);
  const [envoy] = pairOf("--envoy", flags.envoy);
  const worlds = seen.dump === undefined ? routeWorldsOf([{ name: at, facts: seen.facts, reading: flags.reading, istio, envoy }], knownMap) : [loadedBy({ name: at, envoy, seen }, false)];
  const routers = worlds.map((world) => new Router(world, seen.dump !== undefined));
  return asked.flatMap((each) => routers.map((router) => router.route(each)));
}

async function withLines(answers: readonly Routed[], { lines }: Seen): Promise<readonly Routed[]> {
  if (lines === undefined) return answers;
  const known = new Map<string, Promise<Routed["rule"]>>();
  return Promise.all(
    answers.map(async (each) => {
      if (each.rule === undefined) return each;
      const key = `${each.rule.object}\0${each.rule.path}`;
      const found = known.get(key) ?? lines.find(each.rule);
      known.set(key, found);
      return { ...each, rule: await found };
    }),
  );
}

/** One object a line for a file of requests, laid out for one request. */
async function jsonLines(answers: readonly Routed[], isMany: boolean): Promise<string> {
  const { jsonText } = await import("../../reports/json.ts");
  const { plainJson } = await import("../../reports/plain.ts");
  return answers.map((each) => (isMany ? plainJson(JSON.stringify(routeJson(each))) : jsonText(routeJson(each)))).map((text) => `${text}\n`).join("");
}
