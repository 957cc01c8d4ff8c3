import type { Revision } from '@cless/model';
import { seededRandom } from '@cless/testkit';
import { describe, expect, test } from 'vitest';
import { TrafficSplit, type TrafficSplitOptions } from './traffic-split.ts';

const revision = (id: string): Revision => ({
  service: 'web',
  id,
  spec: { service: 'web', revision: id, image: id, port: 8080 },
  readiness: { check: { kind: 'http' }, timeoutMs: 1 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 0,
});
const [one, two, three] = [revision('web-00001'), revision('web-00002'), revision('web-00003')];

const request = (headers: Record<string, string> = {}) => ({ header: (name: string) => headers[name] });

function split(options: Partial<TrafficSplitOptions> = {}): TrafficSplit {
  return new TrafficSplit({
    service: 'web',
    splits: [{ revision: one, percent: 100 }],
    tags: new Map([['next', three]]),
    byHeader: undefined,
    sticky: false,
    wakeFilter: undefined,
    ...options,
  });
}

const canary = [
  { revision: two, percent: 10 },
  { revision: one, percent: 90 },
];

describe('which revision', () => {
  test('10,000 requests over a 90/10 split come out within what chance allows', () => {
    const random = seededRandom(2026);
    const traffic = split({ splits: canary, random });
    let twos = 0;
    for (let i = 0; i < 10_000; i++)
      if (traffic.choose(request(), '/', undefined).revision === two) twos += 1;
    // Binomial: the standard deviation is √(10,000 · 0.1 · 0.9) = 30; five of them.
    expect(Math.abs(twos - 1_000)).toBeLessThan(150);
  });

  test('the borders of chance', () => {
    expect(split({ splits: canary, random: () => 0 }).choose(request(), '/', undefined).revision).toBe(two);
    expect(split({ splits: canary, random: () => 0.0999 }).choose(request(), '/', undefined).revision).toBe(
      two,
    );
    expect(split({ splits: canary, random: () => 0.1 }).choose(request(), '/', undefined).revision).toBe(one);
    expect(
      split({ splits: canary, random: () => 1 - Number.EPSILON }).choose(request(), '/', undefined).revision,
    ).toBe(one);
  });

  test('a tag is asked for by the host', () => {
    expect(split().choose(request(), '/', 'next').revision).toBe(three);
    expect(() => split().choose(request(), '/', 'none')).toThrow(
      expect.objectContaining({ code: 'REVISION_NOT_FOUND' }),
    );
  });

  test('a header counts only where it is switched on', () => {
    const headers = { 'x-cless-revision': 'web-00003' };
    expect(split().choose(request(headers), '/', undefined).revision).toBe(one);
    const byHeader = (name: string) => (name === 'web-00003' ? three : undefined);
    expect(split({ byHeader }).choose(request(headers), '/', undefined).revision).toBe(three);
    expect(split({ byHeader }).choose(request(), '/', undefined).revision).toBe(one);
    expect(() =>
      split({ byHeader }).choose(request({ 'x-cless-revision': 'web-9' }), '/', undefined),
    ).toThrow(expect.objectContaining({ code: 'REVISION_NOT_FOUND' }));
  });

  test('without traffic there is no service', () => {
    expect(() => split({ splits: [] }).choose(request(), '/', undefined)).toThrow(
      expect.objectContaining({ code: 'SERVICE_NOT_FOUND' }),
    );
    expect(split({ splits: [] }).choose(request(), '/', 'next').revision).toBe(three);
  });
});

describe('sticky clients', () => {
  const traffic = split({ splits: canary, sticky: true, random: () => 0.5 });
  const back = { cookie: 'theme=dark; cless-revision=web-00002; x=y' };

  test('get a cookie, and stay', () => {
    expect(traffic.choose(request(), '/', undefined).cookie).toBe(
      'cless-revision=web-00001; Path=/; HttpOnly; SameSite=Lax',
    );
    expect(traffic.choose(request(back), '/', undefined).revision).toBe(two);
    expect(traffic.choose(request(back), '/', undefined).cookie).toBeUndefined();
  });

  test('move on when their revision gets no traffic any more', () => {
    const gone = { cookie: 'cless-revision=web-00003' };
    expect(traffic.choose(request(gone), '/', undefined).revision).toBe(one);
    expect(traffic.choose(request(gone), '/', undefined).cookie).toMatch('web-00001');
  });

  test('get none where there is nothing to choose, or nobody wants it', () => {
    expect(split({ sticky: true }).choose(request(), '/', undefined).cookie).toBeUndefined();
    expect(split({ splits: canary }).choose(request(), '/', undefined).cookie).toBeUndefined();
    expect(split({ splits: canary }).choose(request(back), '/', undefined).cookie).toBeUndefined();
    expect(traffic.choose(request(), '/', 'next').cookie).toBeUndefined(); // by a tag
  });
});

describe('requests that do not wake', () => {
  const answer = { status: 200, contentType: 'text/plain', body: 'ok' };
  const wakeFilter = { paths: ['/health', '/wp-*'], userAgents: ['UptimeRobot', 'bot/2.0 (+'], answer };

  test.each([
    ['/health', '', true],
    ['/health?deep=1', '', true],
    ['/healthy', '', false],
    ['/wp-login.php', '', true],
    ['/', 'Mozilla/5.0 (compatible; uptimerobot/2.0)', true],
    ['/', 'Some Bot/2.0 (+http://x)', true],
    ['/', 'Mozilla/5.0', false],
    ['/', undefined, false],
  ])('%s by %s', (path, userAgent, filtered) => {
    const headers: Record<string, string> = userAgent === undefined ? {} : { 'user-agent': userAgent };
    expect(split({ wakeFilter }).choose(request(headers), path, undefined).whileAsleep).toEqual(
      filtered ? answer : undefined,
    );
    expect(
      split({ wakeFilter: { ...wakeFilter, answer: undefined } }).choose(request(headers), path, undefined)
        .whileAsleep,
    ).toBe(filtered ? 'problem' : undefined);
    expect(split().choose(request(headers), path, undefined).whileAsleep).toBeUndefined();
  });
});
