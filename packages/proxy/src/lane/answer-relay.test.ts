import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { AnswerRelay } from './answer-relay.ts';
import { AnswerHead } from './bytes/answer-head.ts';
import { ClientWriter } from './client-writer.ts';

function start({ isToHead = false, draining = false } = {}) {
  let text = '';
  const socket = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString('latin1');
      done();
    },
  });
  const out = new ClientWriter(socket, () => {});
  const lane = { answer: new AnswerHead(100, () => 'now'), keepAlive: '', context: { draining } };
  const relay = new AnswerRelay(lane, out, isToHead, 'X-Request-Id: 1\r\n');
  return {
    relay,
    receive: (part: string) => relay.receive(Buffer.from(part, 'latin1'), false),
    written: () => {
      out.flush();
      return text;
    },
  };
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
const WRITTEN =
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Request-Id: 1\r\nDate: now\r\nConnection: keep-alive\r\n\r\n';

test.each(Array.from({ length: HEAD.length + 4 }, (_, i) => i + 1))(
  'an answer is passed on, wherever it is cut (%i)',
  (at) => {
    const { relay, receive, written } = start();
    const whole = `${HEAD}hello`;
    expect(receive(whole.slice(0, at))).toBe('more');
    expect(relay.status).toBe(at < HEAD.length ? undefined : 200);
    expect(receive(whole.slice(at))).toBe('ended');
    expect(written()).toBe(`${WRITTEN}hello`);
    expect(relay).toMatchObject({ closes: false, isReusable: true, keepAliveSeconds: -1 });
  },
);

test('what comes behind it belongs to nothing', () => {
  const { receive, written } = start();
  expect(receive(`${HEAD}hello, world`)).toBe('overrun');
  expect(written()).toBe(`${WRITTEN}hello`);
});

test('the answer to HEAD has no body', () => {
  const { receive, written } = start({ isToHead: true });
  expect(receive(HEAD)).toBe('ended');
  expect(written()).toBe(WRITTEN);
});

test('an odd answer is kept as it came, and nothing of it is written', () => {
  const { relay, receive, written } = start();
  expect(receive('HTTP/1.1 200 OK\r\nX-A')).toBe('more');
  expect(receive(' : 1\r\n\r\n')).toBe('odd');
  expect(relay.half.toString()).toBe('HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n');
  expect(written()).toBe('');
});

test('of informational answers, early hints are passed on', () => {
  const { relay, receive, written } = start();
  expect(receive('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')).toBe('more');
  expect(relay.status).toBeUndefined();
  expect(receive(`${HEAD}hello`)).toBe('ended');
  expect(written()).toBe(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${WRITTEN}hello`);
});

test('chunks that are not valid end it', () => {
  const { receive } = start();
  expect(receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel')).toBe('more');
  expect(receive('lo, world')).toBe('invalid');
});

test('only the end of the connection ends an answer without a length', () => {
  const { relay, receive, written } = start();
  expect(receive('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')).toBe('more');
  expect(receive('data')).toBe('more');
  expect(relay).toMatchObject({ isEventStream: true, isReusable: false });
  expect(relay.finish()).toBe(true);
  expect(written()).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\n\r\n$/);
});

test('the end of the connection does not end one with a length', () => {
  const { relay, receive } = start();
  receive(`${HEAD}hel`);
  expect(relay.finish()).toBe(false);
});

test('while the edge drains, it is the last one', () => {
  const { relay, receive, written } = start({ draining: true });
  receive(`${HEAD}hello`);
  expect(relay.closes).toBe(true);
  expect(written()).toContain('\r\nConnection: close\r\n');
});
