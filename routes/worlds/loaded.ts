import type { RouteWorld, View, ViewTable } from "../decide/model.ts";

/**
 * What a proxy has loaded, under the names of the views that its objects give it: gateways by the port on which the proxy listens,
 * clients by the port that they call. A listener that serves several Gateways stands under the name of each. What the objects do not
 * name keeps its own name.
 */
export function asDeclared(loaded: RouteWorld, declared: RouteWorld): RouteWorld {
  const taken = new Set<ViewTable>();
  const views: ViewTable[] = [];
  for (const { view, listen } of declared.views) {
    const found = loaded.views.find((table) => isSameListener(table, view, listen)) ?? onlyOn(loaded, view, listen);
    if (found === undefined) continue;
    taken.add(found);
    views.push({ ...found, view });
  }
  const client = declared.views.map(({ view }) => view).find((view) => "mesh" in view);
  const others = loaded.views.filter((table) => !taken.has(table)).map((table): ViewTable => ({ ...table, view: asClient(table.view, client) }));
  return { ...loaded, views: [...views, ...others] };
}

function isSameListener(table: ViewTable, wanted: View, listen: number | undefined): boolean {
  const { view } = table;
  if ("mesh" in wanted) return "mesh" in view && view.port === wanted.port;
  return "gateway" in view && view.tls === wanted.tls && portOf(table) === (listen ?? wanted.port);
}

/** A listener that passes connections on as they are says nothing of TLS. */
function onlyOn(loaded: RouteWorld, wanted: View, listen: number | undefined): ViewTable | undefined {
  const own = "gateway" in wanted ? loaded.views.filter((table) => "gateway" in table.view && portOf(table) === (listen ?? wanted.port)) : [];
  return own.length === 1 ? own[0] : undefined;
}

function portOf({ view, listen }: ViewTable): number {
  return listen ?? view.port;
}

/** Of one proxy there is one client. */
function asClient(view: View, client: View | undefined): View {
  return "mesh" in view && client !== undefined && "mesh" in client ? { ...client, port: view.port } : view;
}
