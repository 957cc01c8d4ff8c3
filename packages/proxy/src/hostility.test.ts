import { connect } from 'node:net';
import {
  FORWARDERS,
  type FrontUnderTest,
  hostileAnswers,
  mutate,
  RawUpstream,
  seededRandom,
  sendRaw,
  smugglingCorpus,
  startFront,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/*
 * Instances and clients that mean harm, or are broken: whatever they send, every exchange ends by its deadline, the
 * proxy lives, and its sockets are given back. `FUZZ_RUNS` makes the fuzzing longer, `FUZZ_SEED` another one.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET /alive HTTP/1.1\r\nHost: raw.test\r\n\r\n';
const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 400);
const FUZZ_SEED = Number(process.env.FUZZ_SEED ?? 20261124);

test('there are at least 100 hostile answers', () => {
  expect(new Set(hostileAnswers).size).toBeGreaterThanOrEqual(100);
});

describe.each(Object.entries(FORWARDERS))('hostility, over %s', (_, forwarder) => {
  let upstream: RawUpstream;
  let front: FrontUnderTest;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    front = await startFront(forwarder, { raw: upstream.endpoint }, { responseTimeoutMs: 1_000 });
  });

  afterAll(async () => {
    await front.close();
    upstream.close();
  });

  async function expectAliveAndClean(): Promise<void> {
    upstream.forget();
    upstream.always(OK);
    for (let i = 0; i < 3; i++) {
      const { text } = await sendRaw(front.port, GET, { enough: (so) => so.endsWith('ok') });
      expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    }
    await expect
      .poll(() => upstream.connections.filter(({ socket }) => !socket.destroyed).length)
      .toBeLessThanOrEqual(2);
    const open = () => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length;
    await expect.poll(open, { timeout: 8_000 }).toBeLessThanOrEqual(4);
  }

  async function inParallel<T>(
    items: readonly T[],
    width: number,
    run: (item: T, index: number) => Promise<void>,
  ): Promise<void> {
    let next = 0;
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (let i = next++; i < items.length; i = next++) await run(items[i] as T, i);
      }),
    );
  }

  test('no answer of an instance crashes or hangs the proxy', { timeout: 60_000 }, async () => {
    upstream.script = (connection) => {
      const index = Number(/^GET \/(\d+) /.exec(connection.received)?.[1] ?? -1);
      const answer = hostileAnswers[index];
      if (answer === undefined || connection.answered > 0) return;
      connection.answer(answer);
      if (index % 2 === 0) setTimeout(() => connection.socket.end(), 50);
    };
    await inParallel(hostileAnswers, 20, async (answer, i) => {
      const { text, closed } = await sendRaw(
        front.port,
        `GET /${i} HTTP/1.1\r\nHost: raw.test\r\nConnection: close\r\n\r\n`,
        {
          timeoutMs: 6_000,
          // An answer that is begun and not finished has no deadline of its own: the instance may go on.
          enough: (so) => /^HTTP\/1\.1 (?!1\d\d)\d{3}/m.test(so) && !so.startsWith('HTTP/1.1 502'),
        },
      );
      expect([JSON.stringify(answer.slice(0, 60)), closed || text !== '']).toEqual([
        JSON.stringify(answer.slice(0, 60)),
        true,
      ]);
    });
    await expectAliveAndClean();
  });

  test('mutated requests', { timeout: 300_000 }, async () => {
    upstream.script = (connection) => {
      if (connection.received.includes('\r\n\r\n') && connection.answered === 0) connection.answer(OK);
    };
    const random = seededRandom(FUZZ_SEED);
    const seeds = [GET, ...smugglingCorpus.map(({ bytes }) => bytes)];
    const inputs = Array.from({ length: FUZZ_RUNS }, () =>
      mutate(seeds[Math.floor(random() * seeds.length)] ?? GET, random),
    );
    await inParallel(inputs, 40, async (input) => {
      await sendRaw(front.port, input, { timeoutMs: 150 });
    });
    await expectAliveAndClean();
  });

  test('mutated answers', { timeout: 300_000 }, async () => {
    const random = seededRandom(FUZZ_SEED + 1);
    upstream.script = (connection) => {
      if (connection.answered > 0) return;
      connection.answer(mutate(hostileAnswers[Math.floor(random() * hostileAnswers.length)] ?? OK, random));
      setTimeout(() => connection.socket.destroy(), 100);
    };
    await inParallel(Array.from({ length: FUZZ_RUNS }), 40, async () => {
      const { closed } = await sendRaw(front.port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), {
        timeoutMs: 5_000,
      });
      expect(closed).toBe(true);
    });
    await expectAliveAndClean();
  });

  test('a thousand slow clients, byte by byte, do not keep others waiting', { timeout: 60_000 }, async () => {
    upstream.always(OK);
    const slow = Array.from({ length: 1_000 }, () => {
      const socket = connect(front.port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    let sent = 0;
    const timer = setInterval(() => {
      const byte = GET.charAt(sent++ % 20);
      for (const socket of slow) socket.write(byte);
    }, 100);
    try {
      for (let i = 0; i < 50; i++) {
        const { text } = await sendRaw(front.port, GET, { enough: (so) => so.endsWith('ok') });
        expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
      }
    } finally {
      clearInterval(timer);
      for (const socket of slow) socket.destroy();
    }
    await expectAliveAndClean();
  });

  test('floods of headers are refused by count and by size', async () => {
    upstream.always(OK);
    const many = Array.from({ length: 300 }, (_, i) => `X-${i}: 1\r\n`).join('');
    for (const headers of [many, `X-A: ${'a'.repeat(30_000)}\r\n`]) {
      const { text } = await sendRaw(front.port, `GET / HTTP/1.1\r\nHost: raw.test\r\n${headers}\r\n`, {
        enough: (so) => so.includes('headers-too-large'),
      });
      expect(text).toMatch(/^HTTP\/1\.1 431 /);
    }
    const { text } = await sendRaw(
      front.port,
      `GET /${'a'.repeat(30_000)} HTTP/1.1\r\nHost: raw.test\r\n\r\n`,
      { enough: (so) => so.includes('target-too-long') },
    );
    expect(text).toMatch(/^HTTP\/1\.1 414 /);
    await expectAliveAndClean();
  });

  test('a flood of half-open upgrades and of unknown hosts leaves nothing', { timeout: 60_000 }, async () => {
    upstream.script = () => {};
    const upgrade =
      'GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n';
    await inParallel(
      Array.from({ length: 300 }),
      100,
      async () => void (await sendRaw(front.port, upgrade, { timeoutMs: 50 })),
    );
    const unknown = Array.from({ length: 500 }, (_, i) => i);
    await inParallel(unknown, 50, async (i) => {
      const { text } = await sendRaw(front.port, `GET / HTTP/1.1\r\nHost: unknown${i}.test\r\n\r\n`, {
        enough: (so) => so.includes('service-not-found'),
      });
      expect(text).toMatch(/^HTTP\/1\.1 404 /);
    });
    await expectAliveAndClean();
  });
});
