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
    const found = loaded.views.find((table) => isSameListener(table, view, listen));
    if (found === undefined) continue;
    taken.add(found);
    views.push({ ...found, view });
  }
  const client = declared.views.map(({ view }) => view).find((view) => "mesh" in view);
  const others = loaded.views.filter((table) => !taken.has(table)).map((table): ViewTable => ({ ...table, view: asClient(table.view, client) }));
  return { ...loaded, views: [...views, ...others] };
}

function isSameListener({ view, listen }: ViewTable, wanted: View, wantedListen: number | undefined): boolean {
  if ("mesh" in wanted) return "mesh" in view && view.port === wanted.port;
  return "gateway" in view && view.tls === wanted.tls && (listen ?? view.port) === (wantedListen ?? wanted.port);
}

/** Of one proxy there is one client. */
function asClient(view: View, client: View | undefined): View {
  return "mesh" in view && client !== undefined && "mesh" in client ? { ...client, port: view.port } : view;
}
