// Bytes passed on in both directions, nothing parsed: what a proxy of Node's sockets cannot be faster than.
// `node node-pipe.js PORT UPSTREAM_PORT`
import { connect, createServer } from 'node:net';

const [, , port, upstream] = process.argv;
createServer({ noDelay: true }, (client) => {
  const instance = connect({ port: Number(upstream), host: '127.0.0.1', noDelay: true });
  client.pipe(instance).pipe(client);
  client.on('error', () => instance.destroy());
  instance.on('error', () => client.destroy());
}).listen(Number(port), '127.0.0.1');
