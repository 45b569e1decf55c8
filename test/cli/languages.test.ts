import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/room.ts";
import { shell } from "./shell.ts";

const room = join(root, "fixtures/languages");
const files = Object.fromEntries(readdirSync(room).filter((name) => name !== "README.md").map((name) => [name, readFileSync(join(room, name), "utf8")]));
const names = Object.keys(files).sort();
const pairs = names.flatMap((left, index) => names.slice(index).map((right, at) => (at % 2 === 0 ? ([left, right] as const) : ([right, left] as const))));
const isEdited = (name: string): boolean => name.includes("-edited");

interface Comparison {
  readonly verdict: string;
  readonly undecided: readonly unknown[];
  readonly differences: readonly { readonly request: { readonly authority: string; readonly path: string }; readonly left: Told; readonly right: Told }[];
}

interface Told {
  readonly action: { readonly destinations: readonly { readonly host: string; readonly weight: number }[] };
  readonly rule: { readonly object: string };
}

const objects: Readonly<Record<string, string>> = { "virtual-services": "VirtualService shop/shop", "http-routes": "HTTPRoute shop/shop", loaded: "RouteConfiguration http.8080" };
const languageOf = (file: string): string => file.replace("-edited", "").replace(/\..*/, "");
/** The share of the canary, in percent. */
const canary = ({ action }: Told): number => {
  const total = action.destinations.reduce((sum, { weight }) => sum + weight, 0);
  return (100 * (action.destinations.find(({ host }) => host.startsWith("orders-canary."))?.weight ?? 0)) / total;
};

describe("assert compare answers for every pair of languages", { timeout: 60_000 }, () => {
  it.each(pairs)("%s and %s", async (left, right) => {
    await using here = await shell(files);
    const { code, stdout, stderr } = await here.assert("compare", left, right, "-o", "json");
    const { verdict, differences, undecided } = JSON.parse(stdout) as Comparison;
    const isSame = isEdited(left) === isEdited(right);
    expect([stderr, verdict, code]).toEqual(["", isSame ? "equivalent" : "different", isSame ? 0 : 1]);
    if (isSame) return expect([differences, undecided]).toEqual([[], []]);
    for (const { request, left: one, right: other } of differences) {
      expect([request.authority, request.path.startsWith("/api/orders")]).toEqual(["shop.example", true]);
      expect([one.rule.object, other.rule.object]).toEqual([objects[languageOf(left)], objects[languageOf(right)]]);
      expect([canary(one), canary(other)]).toEqual([isEdited(left) ? 20 : 10, isEdited(right) ? 20 : 10]);
    }
    expect(differences.length).toBeGreaterThan(0);
  });

  it("with the release of the proxy where the objects tell none, and says so; that of its istiod no proxy tells", async () => {
    await using here = await shell(files);
    const { stdout } = await here.assert("compare", "http-routes.yaml", "loaded.json", "-o", "json");
    const texts = (JSON.parse(stdout) as { readonly assumptions: readonly { readonly text: string }[] }).assumptions.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining([
      "the objects do not tell the release of their proxies: Envoy 1.40.0 is taken, which the dump tells",
      "no Gateway of `http-routes.yaml` is for the pods of `loaded.json`: its listeners are compared with those of all its Gateways",
    ]));
    const older = await here.assert("compare", "http-routes.yaml", "loaded.json", "--envoy", "1.36.2:1.40.0", "-o", "json");
    expect((JSON.parse(older.stdout) as Comparison).verdict).toBe("different");
  });
});
