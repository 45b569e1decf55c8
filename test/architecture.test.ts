import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** What each room may import besides itself, its own libraries and plain relative files of its own folder. */
const rooms: Record<string, { readonly floors: readonly string[]; readonly node: readonly string[] | "any"; readonly instead: string }> = {
  values: { floors: [], node: [], instead: "values are pure and stand alone: pass in what they need" },
  routes: { floors: ["values"], node: [], instead: "the route engine is a library without I/O: pass in what it needs" },
  engine: { floors: ["values", "routes"], node: ["node:crypto"], instead: "the engine does no I/O and has no clock: take it as an argument" },
  clients: { floors: ["engine", "values"], node: "any", instead: "clients know places, not meaning: move meaning to a collector" },
  kinds: { floors: ["engine", "values", "routes"], node: [], instead: "a kind is pure: have a collector read it and ask for the fact" },
  collectors: { floors: ["engine", "values"], node: [], instead: "a collector reaches the world through `io` only" },
  reports: { floors: ["engine"], node: ["node:util"], instead: "a report is text made from a verdict object: let the command line write it" },
  cli: { floors: ["engine", "values", "routes", "clients", "kinds", "collectors", "reports"], node: "any", instead: "move it into a room of the product" },
};

/** Rooms that hold one folder a plug-in: siblings may not see each other. */
const plugins = new Set(["kinds", "collectors"]);

/** Same words, other worlds: what makes a judgement depend on when or where it runs. */
const impure = [/\bDate\.now\b/, /\bnew Date\(\s*\)/, /\bMath\.random\b/, /\bperformance\.now\b/, /\bconsole\./, /\bprocess\./, /\bfetch\(/];
const pure = new Set(["values", "routes", "engine", "kinds", "collectors", "reports"]);

function filesOf(room: string): readonly string[] {
  try {
    return readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
      .map((file) => join(room, file));
  } catch {
    return [];
  }
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

/** The room an import leads to, or undefined for a library. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return specifier.slice(1).split("/")[0];
  if (!specifier.startsWith(".")) return undefined;
  const path = relative(root, join(root, file, "..", specifier));
  return path.split("/").slice(0, plugins.has(path.split("/")[0] ?? "") ? 2 : 1).join("/");
}

function own(file: string): string {
  const [room = "", folder = ""] = file.split("/");
  return plugins.has(room) ? `${room}/${folder}` : room;
}

describe("the floors", () => {
  for (const [room, rule] of Object.entries(rooms)) {
    it(`hold for \`${room}\`: it imports only from below, never sideways`, () => {
      const broken = filesOf(room).flatMap((file) =>
        importsOf(readFileSync(join(root, file), "utf8")).flatMap((specifier) => {
          if (specifier.startsWith("node:")) return rule.node === "any" || rule.node.includes(specifier) ? [] : [`${file} imports ${specifier}: ${rule.instead}`];
          const to = target(file, specifier);
          const allowed = to === undefined || specifier === "../package.json" || to === own(file) || rule.floors.includes(to.split("/")[0] ?? "");
          return allowed ? [] : [`${file} imports ${specifier}: ${rule.instead}`];
        }),
      );
      expect(broken).toEqual([]);
    });
  }

  it("no room below the command line has a clock, randomness, a console, the process or the network", () => {
    const broken = [...pure].flatMap(filesOf).flatMap((file) => {
      const code = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return impure.filter((word) => word.test(code)).map((word) => `${file} uses ${word.source}`);
    });
    expect(broken).toEqual([]);
  });

  it("rooms that hold data hold no code", () => {
    const code = ["assertions", "fixtures"].filter((room) => existsSync(join(root, room))).flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).filter((file) => /\.(ts|js|mjs|cjs)$/.test(file)),
    );
    expect(code).toEqual([]);
  });

  it("a wrong import would be seen", () => {
    expect(importsOf('import { a } from "../../cli/main.ts";\nawait import("#engine");')).toEqual(["../../cli/main.ts", "#engine"]);
    expect(target("kinds/a/kind.ts", "../b/kind.ts")).toBe("kinds/b");
    expect(target("engine/model.ts", "../cli/main.ts")).toBe("cli");
  });
});
