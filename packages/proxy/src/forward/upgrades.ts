import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { lastResponseOn } from '../edge/response.ts';
import { breakOff, relayAnswerHead } from '../headers/answer-head.ts';
import { connectFailed, UpstreamError } from './forward-error.ts';
import type { UpgradeExchange } from './forwarder.ts';

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

  /** Resolves with the status of the answer when the upgraded connection, or the refusal, has ended. */
  forward(exchange: UpgradeExchange, responseTimeoutMs: number): Promise<number> {
    const { request, socket, protocol, target, path, headers } = exchange;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
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
    const settle = () => {
      clearTimeout(timer);
      socket.off('close', onClientClose);
    };
    const succeed = (status: number) => {
      settle();
      resolve(status);
    };
    const fail = (error: Error) => {
      settle();
      if (error instanceof UpstreamError) reject(error);
      else if (!connected) reject(connectFailed(error));
      else reject(new UpstreamError('UPSTREAM_DISCONNECTED', reached(), error));
    };
    const reached = () => (upstream.socket?.bytesRead ? 'sent' : 'closed');

    upstream.once('socket', (upstreamSocket) => {
      upstreamSocket.once('connect', () => {
        connected = true;
      });
    });
    upstream.on('error', fail);
    upstream.once('response', (answer) => {
      clearTimeout(timer);
      upstream.off('error', fail);
      // Between two bytes of it; in all it may take as long as it likes.
      answer.socket.setTimeout(responseTimeoutMs, () => answer.destroy());
      relayRefusal(exchange, upstream, answer).then(() => succeed(answer.statusCode ?? 0), fail);
    });
    upstream.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
      const wrong = whatIsWrong(exchange, answer);
      if (wrong !== undefined) {
        upstreamSocket.on('error', () => {}).destroy();
        fail(new UpstreamError('UPSTREAM_INVALID', 'sent', new Error(wrong)));
        return;
      }
      clearTimeout(timer);
      const early = exchange.takeEarly();
      socket.write(switchingProtocols(answer, exchange.answerHeaders));
      if (upstreamHead.length > 0) socket.write(upstreamHead);
      if (early.length > 0) upstreamSocket.write(early);
      const kind = /^websocket$/i.test(protocol) ? 'websocket' : 'other';
      this.#join(target.instanceId, socket, upstreamSocket as Socket, HALF_CLOSED_SILENCE_MS[kind]).then(
        () => succeed(101),
        fail,
      );
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
function whatIsWrong({ request, protocol }: UpgradeExchange, answer: IncomingMessage): string | undefined {
  const got = answer.headers.upgrade?.toLowerCase();
  const offered = protocol.toLowerCase().split(', ');
  if (got === undefined || !offered.includes(got)) {
    return `the instance switched to ${got ?? 'nothing'} instead of ${protocol}`;
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

/** Ours to say, and what no informational answer may have (RFC 9110 §8.6, RFC 9112 §6.1). */
const NOT_OF_INSTANCE = /^(?:x-request-id|content-length|transfer-encoding)$/i;

function switchingProtocols(answer: IncomingMessage, added: readonly string[]): Buffer {
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  for (const headers of [answer.rawHeaders, added]) {
    for (let i = 0; i + 1 < headers.length; i += 2) {
      if (headers === added || !NOT_OF_INSTANCE.test(headers[i] ?? ''))
        lines.push(`${headers[i]}: ${headers[i + 1]}`);
    }
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** An instance may refuse with any answer; it goes to the client whole, and the connection ends with it. */
async function relayRefusal(
  { request, socket, answerHeaders }: UpgradeExchange,
  upstream: ClientRequest,
  answer: IncomingMessage,
): Promise<void> {
  const response = lastResponseOn(socket, request);
  const finished = new Promise<void>((resolve) => response.once('close', resolve));
  // What follows a whole answer is for nobody. Told before Node takes a reset for an end.
  upstream.on('error', () => answer.complete || breakOff(response));
  try {
    relayAnswerHead(response, answer, answerHeaders);
  } catch (error) {
    answer.destroy();
    response.detachSocket(socket); // somebody else answers
    throw new UpstreamError('UPSTREAM_INVALID', 'sent', error);
  }
  answer.pipe(response);
  answer.once('close', () => {
    if (!answer.complete) breakOff(response);
  });
  socket.once('close', () => answer.destroy());
  await finished;
}
