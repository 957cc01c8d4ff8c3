import { createServer } from 'node:net';

/** Is the TCP port free at this address? */
export function canListen(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `from` up. */
export async function freePort(from: number, address: string): Promise<number> {
  let port = from;
  while (!(await canListen(port, address))) port++;
  return port;
}
