import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type AdminOptions, createApp } from './app.ts';

export interface AdminServerOptions extends Omit<AdminOptions, 'hosts'> {
  readonly listen: { readonly host: string; readonly port: number };
  /** Names under which it is reached besides those of loopback and the one that it listens on. */
  readonly hosts?: readonly string[];
}

/** The admin API as a server. */
export class AdminServer {
  readonly address: AddressInfo;
  readonly #server: ReturnType<typeof createAdaptorServer>;

  private constructor(server: ReturnType<typeof createAdaptorServer>, address: AddressInfo) {
    this.#server = server;
    this.address = address;
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
    const app = createApp({ ...options, hosts: [...allowed] });
    const server = createAdaptorServer({ fetch: app.fetch });
    const address = await new Promise<AddressInfo>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen.port, listen.host, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
    return new AdminServer(server, address);
  }

  /** Breaks off what is open, streams of events among it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    if ('closeAllConnections' in this.#server) this.#server.closeAllConnections();
    await closed;
  }
}
