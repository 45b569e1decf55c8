import { sha256, type Report } from "#engine";
import { SCRIPT, STYLE } from "./html/look.ts";
import { bodyOf } from "./html/page.ts";
import { defineReporter } from "./reporter.ts";

/** Nothing is loaded from anywhere; only the style and the script that stand here count, by their digests. */
const POLICY = `default-src 'none'; style-src '${source(STYLE)}'; script-src '${source(SCRIPT)}'; base-uri 'none'; form-action 'none'`;

export default defineReporter({
  name: "html",
  summary: "one page for people, in one file: a matrix, filter and deep links; it needs no network",
  render(report: Report): string {
    const head = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">`;
    return `<!doctype html>\n<html lang="en"><head>${head}<title>cloud-assert: ${report.verdict}</title><style>${STYLE}</style></head>\n<body>${bodyOf(report)}<script>${SCRIPT}</script></body></html>\n`;
  },
});

function source(text: string): string {
  return `sha256-${Buffer.from(sha256(text), "hex").toString("base64")}`;
}
