import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A server of a test, and what was asked of it. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly { readonly method: string; readonly path: string; readonly authorization: string | undefined }[];
}

/** Listens on a free port of loopback. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const asked: { method: string; path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ method: request.method ?? "", path: request.url ?? "", authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
