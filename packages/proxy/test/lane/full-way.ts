import { createServer } from 'node:http';
import { type Duplex, duplexPair, Readable } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import { EdgeRequest } from '../../src/edge/edge-request.ts';
import { EdgeResponse } from '../../src/edge/edge-response.ts';

/*
 * The full way in memory: what Node's server reads and writes, and what undici writes, without sockets.
 */

/** Gives the bytes to Node's server, which gives the request to `serve`, and returns what the client is sent first. */
export function overNode(
  bytes: Buffer,
  serve: (request: EdgeRequest, response: EdgeResponse) => void,
  keepAliveTimeout = 75_000,
): Promise<string> {
  const server = createServer({
    IncomingMessage: EdgeRequest,
    ServerResponse: EdgeResponse,
    keepAliveTimeout,
    maxHeaderSize: 1024 * 1024,
  });
  const failed = Promise.withResolvers<never>();
  server.on('request', (request, response) => {
    try {
      serve(request, response);
    } catch (error) {
      failed.reject(error);
    }
  });
  server.maxHeadersCount = 0;
  const [client, socket] = duplexPair();
  socket.once('close', () => client.destroy());
  server.emit('connection', socket);
  client.write(bytes);
  return Promise.race([firstBytes(client), failed.promise]).finally(() => {
    failed.promise.catch(() => {});
    socket.destroy();
    client.destroy();
  });
}

/** What undici writes to an instance for a request, up to the end of the head. */
export async function overUndici(
  request: Omit<Dispatcher.DispatchOptions, 'body'>,
  bodyBytes: number,
): Promise<string> {
  const [instance, socket] = duplexPair();
  const client = new Client('http://instance.test', {
    // It needs no more of a socket than a stream has.
    connect: (_, callback) => queueMicrotask(() => Reflect.apply(callback, undefined, [null, socket])),
    pipelining: 1,
    allowH2: false,
  });
  const body = bodyBytes === 0 ? null : Readable.from([Buffer.alloc(bodyBytes, 'x')], { objectMode: false });
  const failed = client.request({ ...request, body }).then(() => '');
  try {
    return await Promise.race([firstBytes(instance), failed]);
  } finally {
    failed.catch(() => {});
    await client.destroy();
    instance.destroy();
  }
}

/** The head that is received. */
async function firstBytes(stream: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end !== -1) return text.slice(0, end + 4);
  }
  return text;
}
