// An experiment, not a proxy: parses HTTP/1.1 by hand as far as these requests and answers need it. It finds a head,
// looks its Host up, drops hop-by-hop headers, adds ours and sends it over a pooled connection; the answer ends by
// its Content-Length. Shows what a parser and client of our own might reach. `node node-rewrite.js PORT
// UPSTREAM_PORT`
import { connect, createServer } from 'node:net';

const [, , port, upstream] = process.argv;
const END = Buffer.from('\r\n\r\n');
const free = [];
const services = new Map(['bench.test', 'bench.t'].map((host) => [host, Number(upstream)]));

function open(instancePort) {
  const socket = connect({ port: instancePort, host: '127.0.0.1', noDelay: true });
  const connection = { socket, client: undefined, left: 0 };
  socket.on('data', (chunk) => onAnswer(connection, chunk));
  socket.on('error', () => {});
  return connection;
}

function onAnswer(connection, chunk) {
  const { client } = connection;
  if (connection.left > 0) {
    connection.left -= chunk.length;
    client.write(chunk);
  } else {
    const end = chunk.indexOf(END);
    const head = chunk.latin1Slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    connection.left = length - (chunk.length - end - 4);
    const added = 'X-Request-Id: 00000000-0000-0000-0000-000000000000\r\n';
    client.write(
      `${head.replace(/\r\nconnection:[^\r]*/i, '')}\r\n${added}\r\n${chunk.latin1Slice(end + 4)}`,
      'latin1',
    );
  }
  if (connection.left === 0) free.push(connection);
}

createServer({ noDelay: true }, (client) => {
  client.on('error', () => {});
  client.on('data', (chunk) => {
    const end = chunk.indexOf(END);
    if (end === -1) return client.destroy();
    const lines = chunk.latin1Slice(0, end).split('\r\n');
    let host;
    let out = lines[0];
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i];
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      if (name === 'host') host = line.slice(colon + 1).trim();
      else if (name === 'connection') continue;
      out += `\r\n${line}`;
    }
    const service = services.get(host);
    if (service === undefined) return client.destroy();
    const connection = free.pop() ?? open(service);
    connection.client = client;
    connection.socket.write(
      `${out}\r\nVia: 1.1 cless\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=127.0.0.1;host="${host}";proto=http\r\nX-Request-Id: 00000000-0000-0000-0000-000000000000\r\n\r\n`,
      'latin1',
    );
  });
}).listen(Number(port), '127.0.0.1');
