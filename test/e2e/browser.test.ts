import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import type { Report } from "#engine";
import html from "../../reports/html.ts";
import { findBrowser, startBrowser, type Browser, type Page } from "../parts/browser.ts";
import { scratchFolder } from "../parts/process.ts";
import { findingOf, hostile, HOSTILE, manyFaults, oneOfEach } from "../reports/many.ts";
import { without } from "./ground.ts";

const WIDE = { width: 1200, height: 900 };
const NARROW = { width: 400, height: 800 };

let browser: Browser | undefined;
let folder: string;

beforeAll(async () => {
  const binary = await findBrowser();
  folder = await scratchFolder("pages");
  browser = binary === undefined ? undefined : await startBrowser(binary);
});
afterAll(() => browser?.stop());

/** A test in a real browser. */
function inBrowser(claim: string, body: (open: (report: Report, size?: typeof WIDE, hash?: string) => Promise<Page>) => Promise<void>): void {
  it(claim, async (context: TestContext) => {
    if (browser === undefined) return without("Chromium is not installed (`apt-get install chromium`, or name it in CHROMIUM)", context);
    const there = browser;
    let made = 0;
    await body(async (report, size = WIDE, hash = "") => {
      const file = path.join(folder, `page-${++made}-${process.hrtime.bigint()}.html`);
      await writeFile(file, html.render(report));
      return there.open(`${pathToFileURL(file).href}${hash}`, size);
    });
  });
}

/** What went wrong in a page, in the browser's own words, and what it asked for beside itself. */
function complaints({ events }: Page): readonly unknown[] {
  const bad = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening", "Page.windowOpen", "Page.downloadWillBegin"];
  const asked = events.filter(({ method }) => method === "Network.requestWillBeSent").slice(1);
  return [...events.filter(({ method }) => bad.includes(method)), ...asked];
}

const said = (page: Page) => page.evaluate<string>(`document.getElementById("said").textContent`);
/** Writes into the filter as a person does, and waits until the page has taken it up. */
const filter = (page: Page, words: string) =>
  page.evaluate<string>(`new Promise((resolve) => { const q = document.getElementById("q"), said = document.getElementById("said"); new MutationObserver(() => resolve(said.textContent)).observe(said, { childList: true }); q.value = ${JSON.stringify(words)}; q.dispatchEvent(new Event("input")); })`);

describe("the page in a real browser", () => {
  inBrowser("runs its own script under its own policy, asks for nothing and complains of nothing", async (open) => {
    const page = await open(oneOfEach());
    expect(await said(page)).toBe("8 of 8 shown");
    expect(complaints(page)).toEqual([]);
  });

  inBrowser("filters by words and by outcome, and opens what is left", async (open) => {
    const page = await open(oneOfEach());
    expect(await filter(page, "soft w6")).toBe("1 of 8 shown");
    expect(await page.evaluate<string[]>(`[...document.querySelectorAll("details.result")].filter((d) => d.open).map((d) => d.querySelector("h2").textContent)`)).toEqual([expect.stringContaining("soft")]);
    expect(await page.evaluate<string>("location.hash")).toBe("#q=soft%20w6");
    await filter(page, "");
    await page.evaluate(`document.querySelector("input[value=fault]").click()`);
    expect(await said(page)).toBe("4 of 8 shown");
  });

  inBrowser("opens at the finding that a link names, and gives it the keyboard", async (open) => {
    const { fingerprint } = findingOf(5);
    const page = await open(oneOfEach(), WIDE, `#f-${fingerprint}`);
    expect(await page.evaluate<string>("document.activeElement.id")).toBe(`f-${fingerprint}`);
    expect(await page.evaluate<boolean>("document.activeElement.closest('details').open && document.activeElement.getBoundingClientRect().top < innerHeight")).toBe(true);
  });

  inBrowser("is used by the keyboard alone: a way past the matrix, `/` for the filter, and a ring around what has it", async (open) => {
    const page = await open(oneOfEach());
    const press = async (key: string, code: string) => {
      for (const type of ["keyDown", "keyUp"]) await page.call("Input.dispatchKeyEvent", { type, key, code, ...(key.length === 1 && type === "keyDown" ? { text: key } : {}), ...(key === "Tab" ? { windowsVirtualKeyCode: 9 } : {}) });
    };
    await press("Tab", "Tab");
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("to the results");
    await press("/", "Slash");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("q");
    expect(await page.evaluate<string>(`getComputedStyle(document.activeElement).outlineStyle`)).toBe("solid");
  });

  inBrowser("tells screen readers what everything is: headings, names of fields, tables with captions", async (open) => {
    const page = await open(oneOfEach());
    await page.evaluate(`for (const d of document.querySelectorAll("details")) d.open = true`);
    const { nodes } = await page.call<{ nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[] }>("Accessibility.getFullAXTree");
    const named = (role: string) => nodes.filter((node) => !node.ignored && node.role?.value === role).map((node) => node.name?.value ?? "");
    for (const role of ["heading", "searchbox", "checkbox", "link", "region", "table"]) {
      expect([role, named(role).length > 0]).toEqual([role, true]);
      expect([role, named(role).filter((name) => name.trim() === "")]).toEqual([role, []]);
    }
    expect(named("heading")[0]).toContain("cloud-assert: violated");
    expect(named("table")).toEqual(expect.arrayContaining(["what concerns which cluster", "profile edge"]));
  });

  inBrowser("is light or dark as the reader's system says, and readable in both", async (open) => {
    const page = await open(oneOfEach());
    const contrast = `(() => { const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number); const light = (c) => { const [r, g, b] = rgb(c).map((v) => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; const back = light(getComputedStyle(document.body).backgroundColor); return [...new Set([...document.querySelectorAll("h1, p, td, th, a, strong, span, caption")].map((el) => getComputedStyle(el).color))].map((c) => { const l = light(c); return (Math.max(l, back) + 0.05) / (Math.min(l, back) + 0.05); }); })()`;
    const backs: string[] = [];
    for (const value of ["light", "dark"]) {
      await page.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
      backs.push(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor"));
      // the least that WCAG 2.2 (1.4.3) asks for
      for (const ratio of await page.evaluate<number[]>(contrast)) expect(ratio).toBeGreaterThanOrEqual(4.5);
    }
    expect(new Set(backs).size).toBe(2);
  });

  inBrowser("fits a telephone: wide tables scroll by themselves, the page does not", async (open) => {
    const page = await open(oneOfEach(), NARROW);
    expect(await page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await page.evaluate<boolean>(`[...document.querySelectorAll("td.violated, strong")].every((el) => el.getClientRects().length === 1 || el.textContent.includes(" "))`)).toBe(true);
  });

  for (const [what, text] of HOSTILE.filter(([name]) => !name.startsWith("a megabyte"))) {
    inBrowser(`shows ${what} as text: nothing runs, nothing is asked for, no tag is added`, async (open) => {
      const page = await open(hostile(text));
      expect(complaints(page)).toEqual([]);
      expect(await page.evaluate<number>(`document.querySelectorAll("script, iframe, img, object, embed, link, base, svg, style, form").length`)).toBe(3);
    });
  }

  inBrowser("of 5,000 findings opens and filters without a stall: showing and hiding all of them costs most of it", async (open) => {
    const page = await open(manyFaults(5_000));
    expect(await said(page)).toBe("5000 of 5000 shown");
    // in the page itself: one round of the filter, and the least that any filter does: hiding and showing every finding, laid out again
    const measure = (work: string) => page.evaluate<number>(`(() => { const all = [...document.querySelectorAll("article")], q = document.getElementById("q"), box = document.querySelector("input[value=info]"); const laid = () => document.body.offsetHeight; laid(); const rounds = []; for (let round = 0; round < 5; round++) { const start = performance.now(); ${work}; rounds.push(performance.now() - start); } return rounds.sort((a, b) => a - b)[2]; })()`);
    const floor = await measure(`for (const el of all) el.hidden = true; laid(); for (const el of all) el.hidden = false; laid()`);
    const ours = await measure(`q.value = "no such word"; box.dispatchEvent(new Event("change")); laid(); q.value = ""; box.dispatchEvent(new Event("change")); laid()`);
    console.log(`filtering 5,000 findings and back: ${ours.toFixed(0)} ms, ${(ours / floor).toFixed(2)} x hiding and showing them (${floor.toFixed(0)} ms)`);
    expect(ours / floor).toBeLessThan(4);
  });
});
