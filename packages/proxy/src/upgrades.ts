import { createHash } from 'node:crypto';
import { type IncomingMessage, ServerResponse, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { relayAnswerHead } from './answer.ts';
import type { UpgradeExchange } from './contracts.ts';
import { UpstreamError } from './forward-error.ts';

/** RFC 6455 §1.3 */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * How long a connection may be silent of which one side has said that it sends no more, in milliseconds. WebSockets know
 * no half: whoever ends it is gone, or about to be. Others do (`docker attach`), and may still have much to tell.
 */
const HALF_CLOSED_SILENCE_MS = { websocket: 5_000, other: 300_000 } as const;

/**
 * Carries upgrades, over node:http for both forwarders. http-proxy-3's own way believes any 101, buffers without
 * bound for a client that does not read, turns refusals into something else, and knows WebSockets only.
 */
export class Upgrades {
  readonly #open = new Map<string, Set<Duplex>>();

  /** Resolves when the upgraded connection, or the refusal, has ended. */
  forward(exchange: UpgradeExchange, responseTimeoutMs: number): Promise<void> {
    const { request, socket, target, path, headers, head } = exchange;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const protocol = request.headers.upgrade ?? '';
    const upstream = sendRequest({
      host: target.endpoint.host,
      port: target.endpoint.port,
      method: request.method ?? 'GET',
      path,
      headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', protocol],
      setHost: false,
      agent: false,
    });
    let connected = false;
    const timer = setTimeout(() => {
      upstream.destroy(new UpstreamError('UPSTREAM_TIMEOUT', 'sent', new Error('no answer')));
    }, responseTimeoutMs);
    const onClientClose = () => upstream.destroy(new Error('the client left'));
    socket.once('close', onClientClose);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.off('close', onClientClose);
      if (error === undefined || socket.destroyed) resolve();
      else if (error instanceof UpstreamError) reject(error);
      else reject(new UpstreamError('UPSTREAM_DISCONNECTED', connected ? 'sent' : 'unsent', error));
    };

    upstream.once('socket', (upstreamSocket) => {
      upstreamSocket.once('connect', () => {
        connected = true;
      });
    });
    upstream.on('error', settle);
    upstream.once('response', (answer) => {
      relayRefusal(exchange, answer).then(() => settle(), settle);
    });
    upstream.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
      const wrong = whatIsWrong(request, answer);
      if (wrong !== undefined) {
        upstreamSocket.on('error', () => {}).destroy();
        settle(new UpstreamError('UPSTREAM_INVALID', 'sent', new Error(wrong)));
        return;
      }
      clearTimeout(timer);
      socket.write(switchingProtocols(answer, exchange.answerHeaders));
      if (upstreamHead.length > 0) socket.write(upstreamHead);
      if (head.length > 0) upstreamSocket.write(head);
      const kind = protocol.toLowerCase() === 'websocket' ? 'websocket' : 'other';
      this.#join(
        target.instanceId,
        socket as Socket,
        upstreamSocket as Socket,
        HALF_CLOSED_SILENCE_MS[kind],
      ).then(() => settle(), settle);
    });
    upstream.end();
    return promise;
  }

  /** Ends all upgraded connections to the instance. */
  destroy(instanceId: string): void {
    for (const socket of this.#open.get(instanceId) ?? []) socket.destroy();
  }

  // Private

  /** Pipes both ways, with back-pressure, until both have ended or one has broken. */
  async #join(instanceId: string, client: Socket, upstream: Socket, halfClosedMs: number): Promise<void> {
    const open = this.#open.get(instanceId) ?? new Set();
    this.#open.set(instanceId, open.add(upstream));
    const bothClosed = [client, upstream].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => {})),
    );
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    if (client.destroyed) upstream.destroy();
    // Who has ended cannot be heard to leave: an instance that never ends its side would keep its lease for ever.
    client.once('end', () => upstream.setTimeout(halfClosedMs, () => upstream.destroy()));
    upstream.once('end', () => client.setTimeout(halfClosedMs, () => client.destroy()));
    client.pipe(upstream).pipe(client);
    await Promise.all(bothClosed);
    open.delete(upstream);
    if (open.size === 0) this.#open.delete(instanceId);
  }
}

/** Any 101 is not the one that was asked for. */
function whatIsWrong(request: IncomingMessage, answer: IncomingMessage): string | undefined {
  const [asked, got] = [request.headers.upgrade?.toLowerCase(), answer.headers.upgrade?.toLowerCase()];
  if (got === undefined || !asked?.split(',').some((one) => one.trim() === got)) {
    return `the instance switched to ${got ?? 'nothing'} instead of ${asked}`;
  }
  if (got !== 'websocket') return undefined;
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
  return answer.headers['sec-websocket-accept'] === accept
    ? undefined
    : 'the instance answered with a wrong Sec-WebSocket-Accept';
}

function switchingProtocols(answer: IncomingMessage, added: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 101 Switching Protocols`];
  for (const headers of [answer.rawHeaders, added]) {
    for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** An instance may refuse with any answer; it goes to the client whole, and the connection ends with it. */
async function relayRefusal(
  { request, socket, answerHeaders }: UpgradeExchange,
  answer: IncomingMessage,
): Promise<void> {
  const response = responseOn(request, socket);
  const finished = new Promise<void>((resolve) => response.once('close', resolve));
  try {
    relayAnswerHead(response, answer, answerHeaders);
  } catch (error) {
    answer.destroy();
    response.detachSocket(socket as Socket); // somebody else answers
    throw new UpstreamError('UPSTREAM_INVALID', 'sent', error);
  }
  answer.pipe(response);
  answer.once('close', () => {
    if (!answer.complete) socket.destroy();
  });
  socket.once('close', () => answer.destroy());
  await finished;
}

/** node:http gives no response object with an upgrade; this one writes to its socket (a net.Socket here) and closes it. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => {
    response.detachSocket(socket as Socket);
    response.emit('close');
    socket.end();
  });
  return response;
}
