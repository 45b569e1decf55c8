import type { GatewayView, HttpTable, RouteWorld, View, ViewTable } from "../decide/model.ts";

/**
 * What a proxy has loaded, under the names that another place has for the same views: gateways by the port on which the proxy listens,
 * clients by the port that they call. A listener that serves several Gateways stands under the name of each. Where the other place does
 * not know on which port a gateway listens, the only listener that is left is taken for it; where there are more, what it answers is
 * not known. What the other place does not name keeps its own name.
 */
export function asDeclared<World extends RouteWorld>(loaded: World, declared: RouteWorld): World {
  const taken = new Set<ViewTable>();
  const views: ViewTable[] = [];
  const open: ViewTable[] = [];
  for (const table of declared.views) {
    const found = loaded.views.find(({ view }) => JSON.stringify(view) === JSON.stringify(table.view)) ?? loaded.views.find((own) => isSameListener(own, table)) ?? onlyOn(loaded, table);
    if (found === undefined) {
      open.push(table);
      continue;
    }
    views.push({ ...found, view: table.view });
    taken.add(found);
  }
  const left = (): readonly ViewTable[] => loaded.views.filter((table) => !taken.has(table));
  for (const table of open) {
    const { view } = table;
    if ("mesh" in view || !(isNowhere(table) || left().some(isNowhere))) continue;
    const candidates = left().filter((own) => "gateway" in own.view && own.view.tls === view.tls);
    const rivals = new Set(open.flatMap((own) => ("gateway" in own.view && own.view.tls === view.tls ? [own.view.port] : [])));
    const [only] = candidates;
    if (candidates.length === 1 && rivals.size === 1 && only !== undefined) views.push({ ...only, view });
    else if (candidates.length > 0) views.push(notKnown(view));
  }
  const client = declared.views.map(({ view }) => view).find((view) => "mesh" in view);
  const named = new Set(views.map(({ readings }) => readings));
  const isOpen = (table: ViewTable): boolean => open.some((own) => "gateway" in own.view && "gateway" in table.view && own.view.tls === table.view.tls && (isNowhere(own) || isNowhere(table)));
  const others = left().filter((table) => !named.has(table.readings) && !isOpen(table)).map((table): ViewTable => ({ ...table, view: asClient(table.view, client) }));
  return { ...loaded, views: [...views, ...others] };
}

/** On which port proxies listen for the view is not known. */
function isNowhere({ view, listen }: ViewTable): boolean {
  return "gateway" in view && (listen === undefined || listen === 0);
}

function isSameListener(table: ViewTable, wanted: ViewTable): boolean {
  const { view } = table;
  if ("mesh" in wanted.view) return "mesh" in view && view.port === wanted.view.port;
  return "gateway" in view && view.tls === wanted.view.tls && !isNowhere(wanted) && table.listen === wanted.listen;
}

/** The only listener on the port: one that passes connections on as they are says nothing of TLS. */
function onlyOn(loaded: RouteWorld, wanted: ViewTable): ViewTable | undefined {
  if ("mesh" in wanted.view || isNowhere(wanted)) return undefined;
  const own = loaded.views.filter(({ view, listen }) => "gateway" in view && listen === wanted.listen);
  return own.length === 1 ? own[0] : undefined;
}

function notKnown(view: GatewayView): ViewTable {
  const reason = `which listener of the proxy serves port ${view.port} of \`${view.gateway}\` is not known: the Service in front of it is not in the input, or names its target port`;
  const then: HttpTable = {
    type: "http", reading: { headerLines: "each", regexText: "bytes" }, pathNormalization: "base", ignorePort: true,
    scheme: { from: "connection", default: view.tls ? "https" : "http" }, virtualHosts: [{ domains: ["*"], rules: [], unmodelled: [{ reason, where: { object: `Gateway ${view.gateway}` } }] }], otherwise: { type: "notFound" },
  };
  return { view, readings: [{ name: "", listener: { chains: [{ when: {}, then, origin: { object: `Gateway ${view.gateway}`, path: "" } }], otherwise: { type: "close" } } }] };
}

/** Of one proxy there is one client. */
function asClient(view: View, client: View | undefined): View {
  return "mesh" in view && client !== undefined && "mesh" in client ? { ...client, port: view.port } : view;
}
