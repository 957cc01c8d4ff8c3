import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Revision } from '@cless/model';
import { beforeEach, describe, expect, test } from 'vitest';
import { TrustedProxies } from '../headers/trusted-proxies.ts';
import { FakeContext } from '../request/fake-context.ts';
import type { ServedService } from '../services/source.ts';
import { TrafficSplit } from '../services/traffic-split.ts';
import { RequestHead } from './bytes/request-head.ts';
import { ClientRoute } from './client-route.ts';
import type { LaneContext } from './parts.ts';

const PEER = { remoteAddress: '192.0.2.7' };
let context: FakeContext;

beforeEach(() => {
  context = new FakeContext({});
});

/** The head of a request for `web.test`, unless it says another host. */
function head(lines = '', line = 'GET /a', host = 'web.test'): RequestHead {
  const read = new RequestHead(20);
  read.read(Buffer.from(`${line} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`, 'latin1'), 0);
  return read;
}

function routeOf(differences: Partial<LaneContext> = {}): ClientRoute {
  return new ClientRoute(PEER, { ...context, ...differences });
}

test('a request is leased to a ready instance of its service, and is told where it came from', () => {
  const leased = routeOf().lease(head());
  expect(leased).toMatchObject({
    service: 'web',
    tag: undefined,
    trusted: false,
    choice: { revision: { id: '1' } },
  });
  expect(leased?.origin.split('\r\n')).toEqual([
    'Via: 1.1 cless',
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Host: web.test',
    'X-Forwarded-Port: 80',
    'X-Forwarded-Proto: http',
    'Forwarded: for=192.0.2.7;host="web.test";proto=http',
    '',
  ]);
  expect(context.open).toBe(1);
});

test('without a ready instance there is no lease, but it is known for which revision one is awaited', () => {
  context.start = Promise.resolve();
  const route = routeOf();
  expect(route.lease(head())).toBeUndefined();
  expect(route.choice).toMatchObject({ revision: { id: '1' } });
});

test.each([
  ['an invalid host', head('', undefined, 'a..b')],
  ['a host of nobody', head('', undefined, '192.0.2.1')],
  ['a request that has gone round in a circle', head(`${'Via: 1.1 cless\r\n'.repeat(9)}Via: 1.1 cless\r\n`)],
])('%s is left to the full way, which says what is wrong', (_, request) => {
  const route = routeOf();
  const leased = route.lease(request);
  expect([leased, context.open]).toEqual([undefined, 0]);
});

describe('what was looked up', () => {
  let lookedUp: number;
  let changes: number;
  let service: string;
  let route: ClientRoute;

  beforeEach(() => {
    lookedUp = changes = 0;
    service = 'web';
    const router = {
      get changes() {
        return changes;
      },
      route: () => {
        lookedUp += 1;
        return { service };
      },
    };
    route = routeOf({ router });
  });

  test('is kept for the next request of the connection', () => {
    const [one, other] = [route.lease(head()), route.lease(head())];
    expect([lookedUp, one?.meter === other?.meter, one?.origin]).toEqual([1, true, other?.origin]);
  });

  test('is not kept for another host, nor in other letters', () => {
    route.lease(head());
    expect(route.lease(head('', undefined, 'WEB.test'))?.origin).toContain('X-Forwarded-Host: WEB.test');
    expect(lookedUp).toBe(2);
  });

  test('is not kept when a host changes hands', () => {
    expect(route.lease(head())?.service).toBe('web');
    service = 'shop';
    changes += 1;
    const leased = route.lease(head());
    expect([leased?.service, leased?.meter === context.meters.of('shop')]).toEqual(['shop', true]);
  });
});

test('what came through another proxy says so', () => {
  const route = routeOf();
  expect(route.lease(head('Via: 1.0 one\r\n'))?.origin).toContain('Via: 1.0 one, 1.1 cless\r\n');
  expect(route.lease(head())?.origin).toContain('Via: 1.1 cless\r\n');
});

describe('what a client says of its origin', () => {
  const said = 'X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n';

  test('is believed if it is trusted, of each request', () => {
    const route = routeOf({ trustedProxies: new TrustedProxies(['192.0.2.0/24']) });
    const leased = route.lease(head(said));
    expect(leased?.trusted).toBe(true);
    expect(leased?.origin).toContain(
      'X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\nX-Forwarded-Host: shop.test\r\n',
    );
    expect(leased?.origin).toContain('X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n');
    expect(route.lease(head())?.origin).toContain('X-Forwarded-For: 192.0.2.7\r\n');
  });

  test('is not believed otherwise', () => {
    expect(routeOf().lease(head(said))?.origin).toContain('X-Forwarded-For: 192.0.2.7\r\n');
  });
});

describe('of several revisions', () => {
  const revision = (id: string): Revision => ({ ...sole.revision, id });
  const sole = { revision: new FakeContext({}).source.known('web')?.revisions[0] as Revision };
  const [one, two, next] = ['one', 'two', 'next'].map(revision) as [Revision, Revision, Revision];
  let point = 0;

  const split = (differences: Partial<ConstructorParameters<typeof TrafficSplit>[0]> = {}): ServedService =>
    new TrafficSplit({
      service: 'web',
      splits: [
        { revision: one, percent: 50 },
        { revision: two, percent: 50 },
      ],
      tags: new Map([['next', next]]),
      byHeader: (name) => (name === 'two' ? two : undefined),
      sticky: true,
      wakeFilter: undefined,
      random: () => point,
      ...differences,
    });
  const of = (served: ServedService) => routeOf({ source: { ...context.source, known: () => served } });

  test('one is drawn, and the client gets a cookie for it', () => {
    point = 0.7;
    expect(of(split()).lease(head())?.choice).toMatchObject({
      revision: { id: 'two' },
      cookie: expect.stringMatching(/^cless-revision=two;/),
    });
  });

  test('the one of the cookie is kept', () => {
    point = 0.7;
    const leased = of(split()).lease(head('Cookie: a=b\r\nCookie: cless-revision=one\r\n'));
    expect(leased?.choice).toMatchObject({ revision: { id: 'one' }, cookie: undefined });
  });

  test('the one of the tag in the host is taken', () => {
    context.router.set('web', { hosts: [], tags: ['next'] });
    const leased = of(split()).lease(head('', undefined, 'next--web.test'));
    expect([leased?.tag, leased?.choice.revision.id]).toEqual(['next', 'next']);
  });

  test('one can be asked for by name; for an unknown name the full way has the answer', () => {
    const route = of(split());
    expect(route.lease(head('X-Cless-Revision: two\r\n'))?.choice.revision.id).toBe('two');
    expect(route.lease(head('X-Cless-Revision: three\r\n'))).toBeUndefined();
    expect(context.open).toBe(1);
  });

  test('what must not wake a service does not keep it awake either', () => {
    const kept: (boolean | undefined)[] = [];
    const activator = {
      ...context.activator,
      tryLease: (asked: Revision, keepsAwake?: boolean) => {
        kept.push(keepsAwake);
        return context.activator.tryLease(asked, keepsAwake);
      },
    };
    const served = split({ wakeFilter: { paths: ['/healthz'], userAgents: ['uptime'], answer: undefined } });
    const route = routeOf({ activator, source: { ...context.source, known: () => served } });
    route.lease(head('', 'GET /healthz?a=b'));
    route.lease(head('User-Agent: Uptime-Kuma\r\n'));
    route.lease(head());
    expect(kept).toEqual([false, false, true]);
  });
});

test('of the head of its last request an idle connection keeps nothing', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const fill = 15_000;
  const lease = (bytes: number) => {
    const route = routeOf();
    route.lease(head(`X-Fill: ${'x'.repeat(bytes)}\r\n`, 'GET /a', 'web-with-a-long-name.test'));
    return route;
  };
  lease(0);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const routes = Array.from({ length: 200 }, () => lease(fill));
  collectGarbage();
  expect((process.memoryUsage().heapUsed - before) / routes.length).toBeLessThan(fill / 2);
});
