import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '@cless/model';
import type { AdminOptions } from './app.ts';

export interface AdminServerOptions extends Omit<AdminOptions, 'hosts' | 'closing'> {
  readonly listen: { readonly host: string; readonly port: number };
  /** Host names it may be reached under, besides those of loopback and its own address. */
  readonly hosts?: readonly string[];
}

/** How long open answers may take when the server closes, in milliseconds. */
const CLOSING_TIMEOUT_MS = 1_000;

/** The admin API as a server. */
export class AdminServer {
  readonly address: AddressInfo;
  readonly #server: Server;
  readonly #closing: AbortController;

  private constructor(server: Server, address: AddressInfo, closing: AbortController) {
    this.#server = server;
    this.address = address;
    this.#closing = closing;
  }

  /** @throws the system's error, with its `code`, if it cannot listen there */
  static async start({ listen, hosts = [], ...options }: AdminServerOptions): Promise<AdminServer> {
    const own = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    const allowed = new Set([
      'localhost',
      '127.0.0.1',
      '[::1]',
      own,
      ...hosts.map((host) => host.toLowerCase()),
    ]);
    for (const unspecific of ['0.0.0.0', '[::]']) allowed.delete(unspecific);
    const closing = new AbortController();
    const server = createServer(atFirstRequest({ ...options, hosts: [...allowed], closing: closing.signal }));
    const address = await new Promise<AddressInfo>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen.port, listen.host, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
    return new AdminServer(server, address, closing);
  }

  /** Ends streams, refuses waiting deploys, gives other answers a second, and then closes all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing.abort(new Failure('SHUTTING_DOWN', 'The proxy is shutting down; ask the next one.'));
    const closingMs = performance.now();
    // A connection that becomes idle while the server closes is not closed by Node.
    const closing = setInterval(() => {
      if (performance.now() - closingMs < CLOSING_TIMEOUT_MS) this.#server.closeIdleConnections();
      else this.#server.closeAllConnections();
    }, 10);
    await closed;
    clearInterval(closing);
  }
}

/** Answers by the app, which is loaded at the first request: its schemas take 25 MiB, and many servers are never asked. */
function atFirstRequest(options: AdminOptions): RequestListener {
  let loading: Promise<RequestListener> | undefined;
  return async (request, response) => {
    try {
      loading ??= load(options);
      const listener = await loading;
      if (!response.destroyed) listener(request, response);
    } catch (error) {
      loading = undefined; // the next request tries again
      options.onError?.(error);
      response.writeHead(500).end();
    }
  };
}

async function load(options: AdminOptions): Promise<RequestListener> {
  const [{ createApp }, { getRequestListener }] = await Promise.all([
    import('./app.ts'),
    import('@hono/node-server'),
  ]);
  return getRequestListener(createApp(options).fetch);
}
