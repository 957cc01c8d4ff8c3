/*
 * Relays connections of a Unix socket to a port of its own network namespace: `node relay.ts SOCKET PORT`.
 */
import { connect, createServer } from 'node:net';

const [, , path = '', port = ''] = process.argv;

createServer({ allowHalfOpen: true }, (client) => {
  const server = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
  client.on('close', () => server.destroy());
}).listen(path, () => process.stdout.write('relaying\n'));
