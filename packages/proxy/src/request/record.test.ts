import { beforeEach, describe, expect, test } from 'vitest';
import { FakeIncoming } from '../exchange/fake-exchange.ts';
import { FakeContext } from './fake-context.ts';
import { readHead } from './head.ts';
import { isRequestId, RequestRecord } from './record.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
let context: FakeContext;

beforeEach(() => {
  context = new FakeContext({});
});

function recordOf(rawHeaders: readonly string[] = ['Host', 'web.test']): RequestRecord {
  const incoming = new FakeIncoming({ rawHeaders, target: '/a?b' });
  const record = new RequestRecord(context, incoming);
  record.read(readHead(incoming, context.limits));
  return record;
}

const choice = () => context.source.known('web')?.choose({ header: () => undefined }, '/', undefined);

describe('the id of a request', () => {
  test.each(['a', 'my-id_1.2:3+4/5=', 'x'.repeat(128)])('is the one that the client gave: %s', (id) => {
    expect(isRequestId(id)).toBe(true);
    expect(recordOf(['Host', 'web.test', 'X-Request-Id', id]).requestId).toBe(id);
  });

  test.each(['', 'a b', 'a, b', 'a"', 'x'.repeat(129)])('is a new one in place of %j', (id) => {
    expect(isRequestId(id)).toBe(false);
    const { requestId } = recordOf(['Host', 'web.test', 'X-Request-Id', id]);
    expect(requestId).toMatch(UUID);
  });

  test('stays the same', () => {
    const record = recordOf();
    expect(record.requestId).toBe(record.requestId);
  });
});

test('an answer says the id, how its instance was waited for, and the cookie', () => {
  const record = recordOf();
  const chosen = choice();
  if (chosen !== undefined) record.chose('web', { ...chosen, cookie: 'a=b' });
  record.waited = { kind: 'cold', durationMs: 12.345 };
  expect(record.answerHeaders()).toEqual([
    'X-Request-Id',
    record.requestId,
    'Server-Timing',
    'cless-cold;dur=12.3',
    'Set-Cookie',
    'a=b',
  ]);
});

test('a service is counted once, however often it is chosen, until the end', () => {
  const record = recordOf();
  const chosen = choice();
  for (let i = 0; i < 2; i++) if (chosen !== undefined) record.chose('web', chosen);
  expect(context.meters.read().services).toEqual([['web', 1, [0, 0, 0, 0, 0, 0]]]);
  record.end(204, undefined);
  expect(context.meters.read().services).toEqual([['web', 0, [0, 0, 1, 0, 0, 0]]]);
});

test('the access log has what is known, also of what was never chosen', () => {
  const record = recordOf();
  record.end(404, undefined);
  expect(context.accesses).toMatchObject([
    { method: 'GET', host: 'web.test', path: '/a?b', service: undefined, revision: undefined, status: 404 },
  ]);
  expect(context.meters.read().services).toEqual([]);
});

test('a problem is counted by its type', () => {
  const problem = recordOf().problem(new Error('surprise'));
  expect([problem.status, context.meters.read().problems.length]).toEqual([500, 1]);
});
