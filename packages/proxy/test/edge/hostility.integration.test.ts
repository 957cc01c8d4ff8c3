import { connect } from 'node:net';
import {
  cutAnswers,
  type EdgeUnderTest,
  fuzzRuns,
  fuzzSeed,
  hostileAnswers,
  mutate,
  type RawAnswer,
  RawUpstream,
  seededRandom,
  sendRaw,
  smugglingCorpus,
} from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * Instances and clients that mean harm, or are broken: whatever they send, every exchange ends by its deadline, the
 * proxy lives, and its sockets are given back. `FUZZ_RUNS` makes the fuzzing longer, `FUZZ_SEED` another one.
 */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET /alive HTTP/1.1\r\nHost: raw.test\r\n\r\n';
const FUZZ_RUNS = fuzzRuns(400);
const FUZZ_SEED = fuzzSeed(20261124);

test('there are at least 100 hostile answers', () => {
  expect(new Set(hostileAnswers).size).toBeGreaterThanOrEqual(100);
});

describe.each(WAYS)('hostility, over %s', (forwarder) => {
  let upstream: RawUpstream;
  let edge: EdgeUnderTest;

  beforeAll(async () => {
    upstream = await RawUpstream.listen();
    edge = await startEdge(forwarder, { raw: upstream.endpoint }, { responseTimeoutMs: 1_000 });
  });

  afterAll(async () => {
    await edge.close();
    upstream.close();
  });

  async function expectAliveAndClean(): Promise<void> {
    upstream.forget();
    upstream.always(OK);
    for (let i = 0; i < 3; i++) {
      const { text } = await sendRaw(edge.port, GET, { enough: (so) => so.endsWith('ok') });
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

  /** How the instance is asked. */
  const WAYS = ['HTTP/1.1', 'HTTP/1.0', 'an upgrade'] as const;
  const ask = (path: string | number, way: (typeof WAYS)[number]) =>
    way === 'an upgrade'
      ? `GET /${path} HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n`
      : `GET /${path} ${way}\r\nHost: raw.test\r\nConnection: close\r\n\r\n`;

  test.each(WAYS)(
    'no answer of an instance to %s crashes or hangs the proxy',
    { timeout: 60_000 },
    async (way) => {
      upstream.forget();
      upstream.script = (connection) => {
        const index = Number(/^GET \/(\d+) /.exec(connection.received)?.[1] ?? -1);
        const answer = hostileAnswers[index];
        if (answer === undefined || connection.answered > 0) return;
        connection.answer(answer);
        if (index % 2 === 0) setTimeout(() => connection.socket.end(), 50);
      };
      await inParallel(hostileAnswers, 20, async (answer, i) => {
        const { text, closed } = await sendRaw(edge.port, ask(i, way), {
          timeoutMs: 6_000,
          // An answer that is begun and not finished has no deadline of its own: the instance may go on.
          enough: (so) => /^HTTP\/1\.1 (?!1\d\d)\d{3}/m.test(so) && !so.startsWith('HTTP/1.1 502'),
        });
        expect([JSON.stringify(answer.slice(0, 60)), closed || text !== '']).toEqual([
          JSON.stringify(answer.slice(0, 60)),
          true,
        ]);
      });
      await expectAliveAndClean();
    },
  );

  /** The body that a client takes for the whole one. */
  function wholeBody({ text, closed, reset }: RawAnswer): string | undefined | null {
    const answer = text.replace(/^(?:HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)*/, '');
    const end = answer.indexOf('\r\n\r\n');
    if (answer.startsWith('HTTP/1.1 502 ')) return null;
    if (!answer.startsWith('HTTP/1.1 200 ') || end === -1) return undefined;
    const [head, rest] = [answer.slice(0, end), answer.slice(end + 4)];
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined) return rest.length === Number(length) ? rest : undefined;
    if (!/^transfer-encoding: chunked/im.test(head)) return closed && !reset ? rest : undefined;
    if (!/(?:^|\r\n)0\r\n(?:X-Sum: 1\r\n)?\r\n$/.test(rest)) return undefined;
    return [...rest.matchAll(/[1-9a-f][0-9a-f]*\r\n(\d+)\r\n/g)].map(([, chunk]) => chunk).join('');
  }

  test.each(WAYS)(
    'an answer to %s that is cut at any byte, ended or reset, is whole for the client only where it is',
    { timeout: 120_000 },
    async (way) => {
      upstream.forget();
      upstream.script = (connection) => {
        const index = Number(/^GET \/(\d+) /.exec(connection.received)?.[1] ?? -1);
        const answer = cutAnswers[index];
        if (answer === undefined || connection.answered > 0) return;
        connection.answer(answer.bytes);
        setTimeout(() => {
          if (answer.ending === 'end') connection.socket.end();
          else connection.socket.resetAndDestroy();
        }, 5);
      };
      await inParallel(cutAnswers, 20, async ({ bytes, ending, body }, i) => {
        const answer = await sendRaw(edge.port, ask(i, way));
        expect([bytes, ending, answer.closed, wholeBody(answer)]).toEqual([bytes, ending, true, body]);
      });
      await expectAliveAndClean();
    },
  );

  test.each(['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'])(
    'a flood of %j has an end, and keeps nobody else waiting',
    { timeout: 60_000 },
    async (interim) => {
      let poured = 0;
      upstream.script = (connection) => {
        if (!connection.received.startsWith('GET /flood ')) return connection.answer(OK);
        const flood = interim.repeat(1_000);
        const pour = () => {
          do poured += flood.length;
          while (connection.socket.write(flood));
        };
        connection.socket.on('drain', pour);
        pour();
      };
      // It does not read, so that forwarded bytes would pile up.
      const floods = Array.from({ length: 10 }, () => {
        const socket = connect(edge.port, '127.0.0.1').on('error', () => {});
        socket.pause();
        socket.write('GET /flood HTTP/1.1\r\nHost: raw.test\r\n\r\n');
        return socket;
      });
      await expect.poll(() => poured).toBeGreaterThan(10 * interim.length * 1_000);
      for (let i = 0; i < 10; i++) {
        const { text } = await sendRaw(edge.port, GET, { enough: (so) => so.endsWith('ok') });
        expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
      }
      const flooding = () =>
        upstream.connections.filter(({ received }) => received.startsWith('GET /flood '));
      await expect
        .poll(() => flooding().every(({ socket }) => socket.destroyed), { timeout: 20_000 })
        .toBe(true);
      for (const socket of floods) socket.destroy();
      await expectAliveAndClean();
    },
  );

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
      await sendRaw(edge.port, input, { timeoutMs: 150 });
    });
    await expectAliveAndClean();
  });

  test.each(WAYS)('mutated answers to %s', { timeout: 300_000 }, async (way) => {
    const random = seededRandom(FUZZ_SEED + 1);
    upstream.script = (connection) => {
      if (connection.answered > 0) return;
      connection.answer(mutate(hostileAnswers[Math.floor(random() * hostileAnswers.length)] ?? OK, random));
      setTimeout(() => connection.socket.destroy(), 100);
    };
    await inParallel(Array.from({ length: FUZZ_RUNS }), 40, async () => {
      const { closed } = await sendRaw(edge.port, ask('mutated', way), { timeoutMs: 5_000 });
      expect(closed).toBe(true);
    });
    await expectAliveAndClean();
  });

  test('a thousand slow clients, byte by byte, do not keep others waiting', { timeout: 60_000 }, async () => {
    upstream.always(OK);
    const slow = Array.from({ length: 1_000 }, () => {
      const socket = connect(edge.port, '127.0.0.1');
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
        const { text } = await sendRaw(edge.port, GET, { enough: (so) => so.endsWith('ok') });
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
      const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: raw.test\r\n${headers}\r\n`, {
        enough: (so) => so.includes('headers-too-large'),
      });
      expect(text).toMatch(/^HTTP\/1\.1 431 /);
    }
    const { text } = await sendRaw(
      edge.port,
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
      async () => void (await sendRaw(edge.port, upgrade, { timeoutMs: 50 })),
    );
    const unknown = Array.from({ length: 500 }, (_, i) => i);
    await inParallel(unknown, 50, async (i) => {
      const { text } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: unknown${i}.test\r\n\r\n`, {
        enough: (so) => so.includes('service-not-found'),
      });
      expect(text).toMatch(/^HTTP\/1\.1 404 /);
    });
    await expectAliveAndClean();
  });
});
