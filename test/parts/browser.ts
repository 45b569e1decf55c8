import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { scratchFolder, start, until, type Running } from "./process.ts";

/** Where Chromium is: `CHROMIUM`, else the first on the path. Undefined: nowhere. */
export async function findBrowser(): Promise<string | undefined> {
  const { CHROMIUM, PATH = "" } = process.env;
  const places = CHROMIUM === undefined ? PATH.split(path.delimiter).flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => path.join(folder, name))) : [CHROMIUM];
  for (const place of places) if (await access(place).then(() => true, () => false)) return place;
  return undefined;
}

type Event = { readonly method: string; readonly params: Readonly<Record<string, unknown>> };

/** One page in a browser without a window. */
export interface Page {
  /** What has happened so far: requests, dialogs, what was logged. */
  readonly events: readonly Event[];
  /** Calls a command of the DevTools protocol. */
  call<T>(method: string, params?: object): Promise<T>;
  /** The value of an expression in the page, promises awaited. Throws what it throws. */
  evaluate<T>(expression: string): Promise<T>;
}

export interface Browser {
  open(url: string, size?: { readonly width: number; readonly height: number }): Promise<Page>;
  stop(): Promise<void>;
}

/** Starts Chromium with a profile of its own. */
export async function startBrowser(binary: string): Promise<Browser> {
  const folder = await scratchFolder("browser");
  const running = await start(binary, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"], { logFile: path.join(folder, "log") });
  const wire = await connect(folder, running);
  return {
    async open(url, { width, height } = { width: 1200, height: 900 }) {
      const { targetId } = await wire.call<{ targetId: string }>("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await wire.call<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
      const events: Event[] = [];
      wire.listen(sessionId, (event) => events.push(event));
      const call = <T>(method: string, params: object = {}) => wire.call<T>(method, params, sessionId);
      for (const domain of ["Page", "Runtime", "Network", "Log"]) await call(`${domain}.enable`);
      await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
      await call("Page.navigate", { url });
      await until("the page is loaded", () => Promise.resolve(events.some(({ method }) => method === "Page.loadEventFired")), () => (running.ended() ? running.log() : undefined));
      return { events, call, evaluate: (expression) => evaluate(call, expression) };
    },
    async stop() {
      wire.close();
      await running.stop();
    },
  };
}

async function evaluate<T>(call: <R>(method: string, params?: object) => Promise<R>, expression: string): Promise<T> {
  const { result, exceptionDetails } = await call<{ result: { value: T }; exceptionDetails?: { exception?: { description?: string } } }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? "the page threw");
  return result.value;
}

interface Wire {
  call<T>(method: string, params?: object, sessionId?: string): Promise<T>;
  listen(sessionId: string, told: (event: Event) => void): void;
  close(): void;
}

async function connect(folder: string, running: Running): Promise<Wire> {
  let place: readonly string[] = [];
  await until("the browser listens", async () => {
    place = (await readFile(path.join(folder, "DevToolsActivePort"), "utf8").catch(() => "")).split("\n");
    return place.length > 1;
  }, () => (running.ended() ? running.log() : undefined));
  const socket = new WebSocket(`ws://127.0.0.1:${place[0]}${place[1]}`);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners = new Map<string, (event: Event) => void>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string }; sessionId?: string } & Event;
    if (message.id === undefined) return listeners.get(message.sessionId ?? "")?.(message);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.result);
    else asked?.reject(new Error(message.error.message));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the browser does not answer")), { once: true });
  });
  return {
    call<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
      const asked = Promise.withResolvers<unknown>();
      last += 1;
      waiting.set(last, asked);
      socket.send(JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      return asked.promise as Promise<T>;
    },
    listen: (sessionId, told) => void listeners.set(sessionId, told),
    close: () => socket.close(),
  };
}
