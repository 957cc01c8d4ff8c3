import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Address } from './edge.ts';

/**
 * Makes sure that nobody listens there yet, and finds a port for port 0. Processes that listen with SO_REUSEPORT share an
 * address with all others of the same user that do so, and would not notice another proxy.
 *
 * @throws the system's error, with its `code`, if it is not possible to listen there
 */
export async function reserveAddress({ host, port }: Address): Promise<Address> {
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host, port: found };
}
