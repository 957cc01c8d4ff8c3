import { expect, test } from 'vitest';
import { FakeIncoming } from '../exchange/fake-exchange.ts';
import { RequestBody } from './body.ts';

function begun(limit = 100) {
  const incoming = new FakeIncoming({ complete: false });
  const body = new RequestBody(incoming, limit);
  body.read();
  const { reader } = incoming;
  if (reader === undefined) throw new Error('nobody reads');
  return { incoming, body, reader };
}

test('nothing is taken of it before somebody reads', () => {
  const incoming = new FakeIncoming();
  const body = new RequestBody(incoming, 100);
  expect([body.started, incoming.reader]).toEqual([false, undefined]);
  body.destroy();
  expect(incoming.discarded).toBe(false); // another one can still be made of it
});

test('what comes is passed on, to its end', async () => {
  const { body, reader } = begun();
  reader.onData(Buffer.from('ab'));
  reader.onData(Buffer.from('cd'));
  reader.onEnd();
  expect(Buffer.concat(await body.toArray()).toString()).toBe('abcd');
});

test('the client waits while nobody reads, and not longer', () => {
  const { incoming, body, reader } = begun(1 << 20);
  reader.onData(Buffer.alloc(body.readableHighWaterMark));
  expect(incoming.paused).toBe(true);
  body.read();
  expect(incoming.paused).toBe(false);
});

test('more than may be ends it', async () => {
  const { incoming, body, reader } = begun(3);
  const failed = new Promise((resolve) => body.once('error', resolve));
  reader.onData(Buffer.from('abcd'));
  expect(await failed).toMatchObject({ code: 'BODY_TOO_LARGE' });
  expect(incoming.discarded).toBe(true);
});

test('a client that leaves ends it as a failure', async () => {
  const { body, reader } = begun();
  const failed = new Promise((resolve) => body.once('error', resolve));
  reader.onBroken();
  expect(await failed).toMatchObject({ message: 'the client left' });
});
