import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClientStream } from '../exchange/upgrade-offer.ts';
import { sendAnswerHead } from '../headers/answer-head.ts';
import { connectFailed, UpstreamError } from './forward-error.ts';
import type { ForwardedUpgrade } from './forwarder.ts';

/** RFC 6455 §1.3 */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * How long a half-closed connection may be silent, in milliseconds. A WebSocket is never half-closed on purpose: a
 * side that ends is gone, or soon will be. Other protocols (`docker attach`) may still transfer much.
 */
const HALF_CLOSED_SILENCE_MS = { websocket: 5_000, other: 300_000 } as const;

/**
 * Forwards upgrades over node:http, for both forwarders. http-proxy-3 itself believes any 101, buffers without limit
 * for a client that does not read, rewrites refusals, and supports WebSockets only.
 */
export class Upgrades {
  readonly #open = new Map<string, Set<Duplex>>();

  /** Resolves with the status of the answer when the upgraded connection, or the refusal, has ended. */
  forward(upgrade: ForwardedUpgrade, responseTimeoutMs: number): Promise<number> {
    const { method, path, headers, target, answerHeaders, offer } = upgrade;
    const { protocol, stream } = offer;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const upstream = sendRequest({
      host: target.endpoint.host,
      port: target.endpoint.port,
      method,
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
    stream.once('close', onClientClose);
    const settle = () => {
      clearTimeout(timer);
      stream.off('close', onClientClose);
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
      // Limits the time between two bytes, not the time in total.
      answer.socket.setTimeout(responseTimeoutMs, () => answer.destroy());
      relayRefusal(upgrade, upstream, answer).then(() => succeed(answer.statusCode ?? 0), fail);
    });
    upstream.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
      const wrong = whatIsWrong(upgrade, answer);
      if (wrong !== undefined) {
        upstreamSocket.on('error', () => {}).destroy();
        fail(new UpstreamError('UPSTREAM_INVALID', 'sent', new Error(wrong)));
        return;
      }
      clearTimeout(timer);
      const early = offer.accept([...ofSwitch(answer.rawHeaders), ...answerHeaders]);
      if (upstreamHead.length > 0) stream.write(upstreamHead);
      if (early.length > 0) upstreamSocket.write(early);
      const kind = /^websocket$/i.test(protocol) ? 'websocket' : 'other';
      this.#join(target.instanceId, stream, upstreamSocket as Socket, HALF_CLOSED_SILENCE_MS[kind]).then(
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

  /** Pipes both ways, with back-pressure, until both sides have ended or one fails. */
  async #join(
    instanceId: string,
    client: ClientStream,
    upstream: Socket,
    halfClosedMs: number,
  ): Promise<void> {
    const open = this.#open.get(instanceId) ?? new Set();
    this.#open.set(instanceId, open.add(upstream));
    const bothClosed = [client, upstream].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).on('error', () => {})),
    );
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    if (client.destroyed) upstream.destroy();
    // After its FIN, we cannot notice that a client leaves, so an instance that never ends its side would keep its
    // lease for ever.
    client.once('end', () => upstream.setTimeout(halfClosedMs, () => upstream.destroy()));
    upstream.once('end', () => client.setTimeout(halfClosedMs, () => client.destroy()));
    client.pipe(upstream).pipe(client);
    await Promise.all(bothClosed);
    open.delete(upstream);
    if (open.size === 0) this.#open.delete(instanceId);
  }
}

/** What is wrong with a 101; undefined if it is the one that was asked for. */
function whatIsWrong({ offer, headers }: ForwardedUpgrade, answer: IncomingMessage): string | undefined {
  const { protocol } = offer;
  const got = answer.headers.upgrade?.toLowerCase();
  const offered = protocol.toLowerCase().split(', ');
  if (got === undefined || !offered.includes(got)) {
    return `the instance switched to ${got ?? 'nothing'} instead of ${protocol}`;
  }
  if (got !== 'websocket') return undefined;
  const accept = createHash('sha1')
    .update(webSocketKey(headers) + WEBSOCKET_GUID)
    .digest('base64');
  return answer.headers['sec-websocket-accept'] === accept
    ? undefined
    : 'the instance answered with a wrong Sec-WebSocket-Accept';
}

function webSocketKey(headers: readonly string[]): string {
  return headers
    .filter((_, i) => headers[i - 1]?.toLowerCase() === 'sec-websocket-key' && i % 2 === 1)
    .join(', ');
}

/** Headers set by us, and those that a 1xx answer must not have (RFC 9110 §8.6, RFC 9112 §6.1). */
const NOT_OF_INSTANCE = /^(?:x-request-id|content-length|transfer-encoding)$/i;

/** The headers of an instance's 101 that are passed on. */
function ofSwitch(headers: readonly string[]): string[] {
  return headers.filter((_, i) => !NOT_OF_INSTANCE.test(headers[i - (i % 2)] ?? ''));
}

/** Passes an instance's refusal, which may be any answer, on to the client. The connection ends with it. */
async function relayRefusal(
  { offer, answerHeaders }: ForwardedUpgrade,
  upstream: ClientRequest,
  answer: IncomingMessage,
): Promise<void> {
  const { outgoing } = offer;
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  const closed = new Promise<void>((resolve) => outgoing.onClosed(resolve));
  let begun = false;
  const breakOff = () => {
    if (begun && !answer.complete) outgoing.breakOff(); // bytes after a complete answer do not matter
  };
  upstream.on('error', breakOff); // called before Node takes a reset for the end
  try {
    sendAnswerHead(outgoing, statusCode, statusMessage, rawHeaders, answerHeaders);
    begun = true;
  } catch (error) {
    answer.destroy();
    throw new UpstreamError('UPSTREAM_INVALID', 'sent', error);
  }
  answer.on('data', (chunk: Buffer) => {
    if (outgoing.write(chunk)) return;
    answer.pause();
    outgoing.onDrain(() => answer.resume());
  });
  answer.once('end', () => outgoing.end());
  answer.once('close', breakOff);
  offer.stream.once('close', () => answer.destroy());
  await closed;
}
