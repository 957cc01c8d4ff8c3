import { Failure } from '@cless/model';
import { expect, test } from 'vitest';
import { FakeIncoming, FakeOutgoing } from '../exchange/fake-exchange.ts';
import type { Choice } from '../services/source.ts';
import { FakeContext } from './fake-context.ts';
import { RequestRecord } from './record.ts';
import { refuse } from './refuse.ts';

const WEB = new FakeContext({}).source.known('web');

function refused(
  error: Error,
  { complete = true, draining = false, whileAsleep }: Partial<FakeIncoming & FakeContext & Choice> = {},
) {
  const context = new FakeContext({});
  const incoming = new FakeIncoming({ complete });
  const outgoing = new FakeOutgoing();
  const record = new RequestRecord(context, incoming);
  const choice = WEB && { ...WEB.choose(incoming, '/', undefined), whileAsleep };
  refuse(incoming, outgoing, error, { record, choice, draining });
  return { outgoing, incoming, problems: context.meters.read().problems };
}

test('a failure is the problem of its code, which is counted', () => {
  const { outgoing, problems } = refused(new Failure('UPSTREAM_TIMEOUT', 'no'));
  expect(outgoing).toMatchObject({ status: 504, closes: false });
  expect(problems).toEqual([['upstream-timeout', 1]]);
});

test.each([
  ['what is left of its body is unread', new Error('x'), { complete: false }],
  ['the edge is closing', new Error('x'), { draining: true }],
  ['it is not certain where it ends', new Failure('BAD_REQUEST', 'x'), {}],
])('the connection ends when %s', (_, error, options) => {
  const { outgoing, incoming } = refused(error, options);
  expect([outgoing.closes, incoming.discarded]).toEqual([true, !incoming.complete]);
});

test('a service that sleeps may have an answer of its own, which is no problem', () => {
  const asleep = new Failure('ASLEEP', 'web sleeps');
  const whileAsleep = { status: 200, contentType: 'text/plain', body: 'zzz' };
  expect(refused(asleep, { whileAsleep })).toMatchObject({
    outgoing: { status: 200, body: 'zzz' },
    problems: [],
  });
  expect(refused(asleep, { whileAsleep: 'problem' }).outgoing.status).toBe(503);
  expect(refused(new Failure('QUEUE_FULL', 'x'), { whileAsleep }).outgoing.status).toBe(503);
});
