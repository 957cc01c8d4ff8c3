// Passes bytes on in both directions without parsing: the upper limit for a proxy on Node's sockets. `node
// node-pipe.js PORT UPSTREAM_PORT`
import { connect, createServer } from 'node:net';

const [, , port, upstream] = process.argv;
createServer({ noDelay: true }, (client) => {
  const instance = connect({ port: Number(upstream), host: '127.0.0.1', noDelay: true });
  client.pipe(instance).pipe(client);
  client.on('error', () => instance.destroy());
  instance.on('error', () => client.destroy());
}).listen(Number(port), '127.0.0.1');
