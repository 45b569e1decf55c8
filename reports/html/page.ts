import { html } from "htm/preact";
import { h, type VNode } from "preact";
import { render } from "preact-render-to-string";
import type { Report, ReportCluster, ReportTable, Result } from "#engine";
import { bounded } from "../bounded.ts";
import { byUrgency, isOpen, itemsOfResult, type Item } from "../items.ts";
import { count } from "../layout.ts";
import { CELL_MARKS, CELL_WORDS } from "../table.ts";
import { markup } from "./template.ts";

const LIMITS = { findings: 5_000, evidence: 20, columns: 60, rows: 500, text: 4_000, name: 300 };
const MARKS = { holds: "✓", violated: "✗", undecided: "?" } as const;
const WORDS = { fault: "fault", undecided: "undecided", gap: "not seen", info: "information" } as const;

interface Listed {
  readonly result: Result;
  readonly id: string;
  readonly items: readonly Item[];
  /** Items that are counted and not shown. */
  readonly left: number;
  /** The items as HTML, each written by {@link Finding}. */
  readonly written: string;
}

/** The body of the page, as HTML. */
export function bodyOf(report: Report): string {
  return render(h(Page, { report, listed: listedOf(report.results) }));
}

function Page({ report, listed }: { readonly report: Report; readonly listed: readonly Listed[] }): VNode {
  const { verdict, summary } = report;
  return html`<a class="skip" href="#results">to the results</a>
    <header>
      <h1 class=${verdict}>${MARKS[verdict]} cloud-assert: ${verdict}</h1>
      <p>${count(report.results.length, "assertion")}: ${summary.violated} violated, ${summary.undecided} undecided, ${summary.holds} ${summary.holds === 1 ? "holds" : "hold"}</p>
      ${report.notes.length === 0 ? null : html`<ul aria-label="notes">${report.notes.map((note) => html`<li>${text(note)}</li>`)}</ul>`}
    </header>
    <main>
      <${Matrix} listed=${listed} clusters=${report.clusters} />
      <form role="search">
        <label>filter <input id="q" type="search" placeholder="words; press /" autocomplete="off" /></label>
        ${(["fault", "undecided", "gap", "info"] as const).map((outcome) => html`<label><input type="checkbox" value=${outcome} checked /> ${WORDS[outcome]}</label>`)}
        <span id="said" role="status"></span>
      </form>
      <div id="results" tabindex="-1">${listed.map((each) => html`<${Section} ...${each} />`)}</div>
    </main>`;
}

/** Each assertion with what is shown of it, as long as there is room. */
function listedOf(results: readonly Result[]): readonly Listed[] {
  let room = LIMITS.findings;
  return byUrgency(results).map((result, index) => {
    const all = itemsOfResult(result);
    const items = all.slice(0, room);
    room -= items.length;
    const id = `a-${index + 1}`;
    return { result, id, items, left: all.length - items.length, written: writtenOf(items, id) };
  });
}

/** One by one: a tree of all findings at once costs several times as much, most of it for keeping it. */
function writtenOf(items: readonly Item[], section: string): string {
  const seen = new Set<string>();
  // one thing said twice is one fingerprint: only the first can be linked to by it
  const ids = items.map(({ fingerprint }, index) => (seen.has(fingerprint) ? `${section}-${index + 1}` : (seen.add(fingerprint), `f-${fingerprint}`)));
  return items.map((item, index) => render(Finding(item, ids[index] ?? ""))).join("");
}

function Matrix({ listed, clusters }: { readonly listed: readonly Listed[]; readonly clusters: readonly ReportCluster[] }): VNode {
  const shown = clusters.slice(0, LIMITS.columns);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="assertions by clusters"><table>
      <caption class="soft">what concerns which cluster${clusters.length > shown.length ? ` (${clusters.length - shown.length} more clusters are not shown)` : ""}</caption>
      <thead><tr><th scope="col">assertion</th><th scope="col">verdict</th>${shown.map(({ name, cloud, reachable }) => html`<th scope="col">${cut(name)}${cloud === undefined ? null : html`<br /><span class="soft">${cut(cloud)}</span>`}${reachable ? null : html`<br /><span class="undecided">not reached</span>`}</th>`)}</tr></thead>
      <tbody>${listed.map(({ result, id }) => html`<${Row} result=${result} id=${id} clusters=${shown} />`)}</tbody>
    </table></div>`;
}

function Row({ result, id, clusters }: { readonly result: Result; readonly id: string; readonly clusters: readonly ReportCluster[] }): VNode {
  const faults = new Map<string, number>();
  const doubts = new Map<string, number>();
  for (const item of itemsOfResult(result).filter(isOpen)) {
    const counts = item.outcome === "fault" ? faults : doubts;
    for (const cluster of item.clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  }
  const names = result.coverage.names === undefined ? undefined : new Set(result.coverage.names);
  return html`<tr>
    <th scope="row"><a href=${`#${id}`}>${cut(result.assertion)}</a></th>
    <td class=${result.verdict}>${MARKS[result.verdict]} ${result.verdict}</td>
    ${clusters.map(({ name }) => {
      const [fault = 0, doubt = 0] = [faults.get(name), doubts.get(name)];
      if (fault + doubt > 0) return html`<td>${fault > 0 ? html`<span class="fault">✗ ${count(fault, "fault")}</span> ` : null}${doubt > 0 ? html`<span class="undecided">? ${doubt} undecided</span>` : null}</td>`;
      return names?.has(name) === false ? html`<td class="soft">not selected</td>` : html`<td class="soft">nothing found</td>`;
    })}
  </tr>`;
}

function Section({ result, id, left, written }: Listed): VNode {
  const { assertion, kind, severity, verdict, at, coverage, assumptions } = result;
  return html`<details class="result" id=${id} open=${verdict !== "holds"}>
    <summary><h2 class=${verdict}>${MARKS[verdict]} ${cut(assertion)} <span>${verdict}</span></h2></summary>
    <p class="soft">${cut(kind)}, ${cut(at.file)}:${at.line}; ${coverage.judged} ${cut(coverage.of)} judged in ${count(coverage.clusters, "cluster")}${severity === "error" ? "" : `; ${severity}: never fails the run`}</p>
    ${(result.tables ?? []).map((table) => html`<${Compared} table=${table} />`)}
    ${written === "" ? null : html`<div dangerouslySetInnerHTML=${{ __html: written }}></div>`}
    ${left === 0 ? null : html`<p>${count(left, "more finding or gap", "more findings and gaps")} not shown here; the other formats have all of them</p>`}
    ${assumptions.length === 0 ? null : html`<h3>assumes</h3><ul>${assumptions.slice(0, 50).map(({ text: what, where }) => html`<li>${text(what)} <span class="soft">(${cut(where)})</span></li>`)}</ul>${assumptions.length > 50 ? html`<p>${assumptions.length - 50} more assumptions not shown here</p>` : null}`}
  </details>`;
}

const CELL_CLASSES = { pass: "holds", fail: "fault", unknown: "undecided", exempt: "soft", none: "soft" } as const;

/** What a kind compared: columns and rows beyond a limit are counted. */
function Compared({ table }: { readonly table: ReportTable }): VNode {
  const { title, columns, rows } = table;
  const [places, claims] = [columns.slice(0, LIMITS.columns), rows.slice(0, LIMITS.rows)];
  const left = [...(columns.length > places.length ? [count(columns.length - places.length, "more column")] : []), ...(rows.length > claims.length ? [count(rows.length - claims.length, "more row")] : [])];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="what was compared"><table>
      <caption class="soft">${cut(title)}${left.length === 0 ? "" : ` (not shown: ${left.join(", ")})`}</caption>
      <thead><tr><th scope="col">claim</th>${places.map((column) => html`<th scope="col">${cut(column)}</th>`)}</tr></thead>
      <tbody>${claims.map(({ head, cells }) => html`<tr><th scope="row">${cut(head)}</th>${places.map((_, index) => { const cell = cells[index]; return cell === undefined ? html`<td></td>` : html`<td class=${CELL_CLASSES[cell.state]}><span role="img" aria-label=${CELL_WORDS[cell.state]}>${CELL_MARKS[cell.state]}</span> ${cut(cell.text)}</td>`; })}</tr>`)}</tbody>
    </table></div>`;
}

/** There can be thousands. */
function Finding({ outcome, subject, message, remedy, evidence, waived, fingerprint }: Item, id: string): VNode {
  const shown = evidence.slice(0, LIMITS.evidence);
  const help = waived === undefined
    ? markup`<p><strong>help:</strong> ${text(remedy)}</p>`
    : markup`<p>accepted by ${cut(waived.owner)}${waived.expires === undefined ? "" : ` until ${waived.expires}`}: ${text(waived.reason)}</p>`;
  return markup`<article id="${id}" tabindex="-1" data-outcome="${outcome}" class="${waived === undefined ? outcome : "waived"}">
<p><strong class="${outcome}">${waived === undefined ? "" : "accepted "}${WORDS[outcome]}</strong> <code>${cut(subject)}</code> <a href="#${id}" aria-label="link to this finding">#</a></p>
<p>${text(message)}</p>
${help}${shown.length === 0 ? null : markup`<div class="scroll"><table aria-label="evidence"><thead><tr><th scope="col">cluster</th><th scope="col">what</th><th scope="col">seen</th><th scope="col">where</th></tr></thead><tbody>${shown.map(Seen)}</tbody></table></div>`}
${evidence.length > shown.length ? markup`<p>${evidence.length - shown.length} more pieces of evidence</p>` : null}<p class="soft">fingerprint <code>${cut(fingerprint)}</code></p>
</article>`;
}

function Seen({ cluster, label, value, source }: Item["evidence"][number]): VNode {
  const where = source.file === undefined ? source.locator : `${source.file}:${source.line ?? 1}`;
  const seen = value.startsWith("curl ") ? markup`<pre>${text(value)}</pre>` : text(value);
  return markup`<tr><td>${cut(cluster)}</td><td>${cut(label)}</td><td>${seen}</td><td class="soft">${cut(where)}</td></tr>`;
}

function cut(words: string): string {
  return bounded(words, LIMITS.name);
}

function text(words: string): string {
  return bounded(words, LIMITS.text);
}
