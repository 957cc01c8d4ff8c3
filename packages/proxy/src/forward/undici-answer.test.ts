import { settle } from '@cless/testkit';
import { Client, type Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import { FakeOutgoing } from '../exchange/fake-exchange.ts';
import type { ForwardError } from './forwarder.ts';
import { InstanceSocket } from './instance-socket.ts';
import { UndiciAnswer, type UndiciConnection } from './undici-answer.ts';

class FakeController implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders: string[] = [];
  rawTrailers: string[] = [];
  readonly #answer: UndiciAnswer;

  constructor(answer: UndiciAnswer) {
    this.#answer = answer;
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#answer.onResponseError(this, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** Begins an answer without a connection, and records what happens to the connection and the request. */
function begun({ used = false, outgoing = new FakeOutgoing() } = {}) {
  const client = new Client('http://127.0.0.1:1');
  const connection: UndiciConnection = { client, socket: new InstanceSocket(), used };
  const fates: string[] = [];
  const outcomes: (ForwardError | undefined)[] = [];
  const answer = new UndiciAnswer(
    {
      target: { instanceId: 'a', endpoint: { host: '127.0.0.1', port: 1 } },
      method: 'GET',
      path: '/',
      headers: [],
      body: undefined,
      answerHeaders: ['X-Request-Id', 'ours'],
      outgoing,
    },
    (error) => outcomes.push(error),
    connection,
    { responseTimeoutMs: 100, free: () => fates.push('free'), discard: () => fates.push('discard') },
  );
  const controller = new FakeController(answer);
  const start = (headers: string[], status = 200) => {
    controller.rawHeaders = headers;
    answer.onResponseStart(controller, status, {}, 'OK');
  };
  return { answer, controller, outgoing, connection, fates, outcomes, start };
}

const failed = (code: string) => Object.assign(new Error(code), { code });

describe('an answer', () => {
  test('that comes in one piece goes on in one, and frees its connection', () => {
    const { answer, controller, outgoing, fates, outcomes, start } = begun();
    answer.onRequestStart(controller);
    start(['Content-Length', '2']);
    answer.onResponseData(controller, Buffer.from('ok'));
    expect([outgoing.body, outgoing.writableEnded]).toEqual(['ok', true]);
    answer.onResponseEnd(controller);
    expect([fates, outcomes]).toEqual([['free'], [undefined]]);
  });

  test('that comes in pieces goes on as the client reads, with its trailers', () => {
    const { answer, controller, outgoing, start } = begun();
    let room = () => {};
    outgoing.onDrain = (listener?: () => void) => {
      room = listener ?? room;
    };
    outgoing.write = () => false;
    answer.onRequestStart(controller);
    start(['Transfer-Encoding', 'chunked']);
    answer.onResponseData(controller, Buffer.from('a'));
    expect(controller.paused).toBe(true);
    room();
    expect(controller.paused).toBe(false);
    controller.rawTrailers = ['X-Sum', '1', 'Set-Cookie', 'a=1'];
    answer.onResponseEnd(controller);
    expect([outgoing.trailers, outgoing.writableEnded]).toEqual([['X-Sum', '1'], true]);
  });

  test('whose body does not come sends its head all the same', async () => {
    const { answer, controller, outgoing, start } = begun();
    let flushed = 0;
    outgoing.flushHead = () => {
      flushed += 1;
    };
    answer.onRequestStart(controller);
    start(['Content-Type', 'text/event-stream']);
    await settle();
    expect(flushed).toBe(1);
  });

  test('that cannot be passed on is invalid, and ends its connection', () => {
    const { answer, controller, outgoing, fates, outcomes, start } = begun();
    answer.onRequestStart(controller);
    start(['Content-Length', '01']);
    expect(outcomes).toMatchObject([{ code: 'UPSTREAM_INVALID', reached: 'sent' }]);
    expect([fates, outgoing.status]).toEqual([['discard'], undefined]);
  });

  test('whose hints come first has them passed on', () => {
    const { answer, controller, outgoing, start } = begun();
    answer.onRequestStart(controller);
    start(['Link', '</a>'], 103);
    expect([outgoing.hints, outgoing.status]).toEqual([[['Link', '</a>']], undefined]);
  });
});

describe('a request that fails', () => {
  test.each([
    ['before there is a connection', 'ECONNREFUSED', { begins: false }, 'UPSTREAM_DISCONNECTED', 'unsent'],
    ['for want of descriptors', 'EMFILE', { begins: false }, 'NO_FREE_SOCKET', 'unsent'],
    ['on a connection that was used', 'UND_ERR_SOCKET', { used: true }, 'UPSTREAM_DISCONNECTED', 'stale'],
    ['on a fresh one', 'ECONNRESET', {}, 'UPSTREAM_DISCONNECTED', 'closed'],
    ['in another way', 'HPE_INVALID_CONSTANT', {}, 'UPSTREAM_DISCONNECTED', 'sent'],
    ['by its time', 'UND_ERR_HEADERS_TIMEOUT', {}, 'UPSTREAM_TIMEOUT', 'sent'],
  ])(
    '%s: %s',
    (_, code, { begins = true, used = false }: { begins?: boolean; used?: boolean }, expected, reached) => {
      const { answer, controller, fates, outcomes } = begun({ used });
      if (begins) answer.onRequestStart(controller);
      answer.onResponseError(controller, failed(code));
      expect(outcomes).toMatchObject([{ code: expected, reached }]);
      expect(fates).toEqual(['discard']);
    },
  );
});

describe('a client that leaves', () => {
  test('has its request broken off, which is no failure', () => {
    const { answer, controller, outgoing, outcomes, fates } = begun();
    answer.onRequestStart(controller);
    outgoing.destroyed = true;
    answer.abort();
    expect([controller.aborted, outcomes, fates]).toEqual([true, [undefined], ['discard']]);
  });

  test('before it was sent has nothing sent', () => {
    const outgoing = Object.assign(new FakeOutgoing(), { destroyed: true });
    const { answer, controller, outcomes } = begun({ outgoing });
    answer.onRequestStart(controller);
    expect([controller.aborted, outcomes]).toEqual([true, [undefined]]);
  });

  test('after the answer has no influence on the next request of the connection', () => {
    const { answer, controller } = begun();
    answer.onRequestStart(controller);
    answer.onResponseEnd(controller);
    answer.abort();
    expect(controller.aborted).toBe(false);
  });
});
