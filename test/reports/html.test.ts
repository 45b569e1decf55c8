import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import html from "../../reports/html.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach, reportWith, resultWith } from "./many.ts";

const render = html.render;
const between = (text: string, tag: string) => [...text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map(([, inside = ""]) => inside);

describe("the page", () => {
  it("lets its own style and its own script run by their digests, and nothing else", () => {
    const text = render(oneOfEach());
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1] ?? "";
    const digest = (part: string) => `'sha256-${createHash("sha256").update(part).digest("base64")}'`;
    expect(between(text, "style").map(digest)).toEqual([/style-src (\S+);/.exec(policy)?.[1]]);
    expect(between(text, "script").map(digest)).toEqual([/script-src (\S+);/.exec(policy)?.[1]]);
    expect(policy).toMatch(/^default-src 'none';.* base-uri 'none'; form-action 'none'$/);
  });

  it("fetches nothing: it names no address and no other file", () => {
    expect(render(oneOfEach())).not.toMatch(/\s(?:src|srcset|action|data|poster)=|url\(|@import|https?:\/\//);
    const links = [...render(oneOfEach()).matchAll(/\shref="([^"]*)"/g)].map(([, to = ""]) => to);
    expect(links.filter((to) => !to.startsWith("#"))).toEqual([]);
  });

  it("has a place for every link in it, each once", () => {
    const text = render(reportWith([resultWith("a", [findingOf(1), findingOf(1, { outcome: "undecided" }), findingOf(2)])]));
    const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, to = ""] of text.matchAll(/\shref="#([^"]*)"/g)) expect(ids).toContain(to);
    expect(ids).toContain(`f-${findingOf(1).fingerprint}`);
  });

  it("shows assertions by clusters with what concerns each", () => {
    const text = render(oneOfEach());
    expect(text).toMatch(/<th scope="row"><a href="#a-1">skew<\/a><\/th>\s*<td class="violated">✗ violated<\/td>\s*<td><span class="fault">✗ 1 fault<\/span>/);
    expect(text).toMatch(/<details class="result" id="a-1" open/);
    expect(text).toContain("accepted by mesh until 2027-01-31: planned");
  });

  it.each(HOSTILE)("holds no tag, no attribute and no comment but its own with %s", (_, text) => {
    const written = render(hostile(text));
    const tags = new Set([...written.replace(/<(style|script)>[^]*?<\/\1>/g, "").matchAll(/<\/?([^\s/>]+)/g)].map(([, tag = ""]) => tag.toLowerCase()));
    const known = "!doctype html head meta title body a header h1 p ul li main div table caption thead tr th br span tbody td form label input details summary h2 h3 article strong code".split(" ");
    expect([...tags].filter((tag) => !known.includes(tag))).toEqual([]);
    expect(written.replace(/<script>[^]*?<\/script>/, "")).not.toMatch(/<[^>]*\son[a-z]+=/i);
  });

  it("shows what a kind compared, places across, with a word for each mark", () => {
    const text = render(oneOfEach());
    expect(text).toMatch(/<caption class="soft">profile edge<\/caption>\s*<thead><tr><th scope="col">claim<\/th><th scope="col">aws<\/th><th scope="col">gcp<\/th>/);
    expect(text).toMatch(/<th scope="row">node\.arch<\/th><td class="holds"><span role="img" aria-label="as wanted">✓<\/span> T1 arm64<\/td><td class="fault"><span role="img" aria-label="not as wanted">✗<\/span> T1 amd64<\/td>/);
  });

  it("shows 5,000 findings and counts the others", { timeout: 60_000 }, () => {
    const text = render(manyFaults(5_010));
    expect(text.split("<article").length - 1).toBe(5_000);
    expect(text).toContain("10 more findings and gaps not shown here");
  });
});
