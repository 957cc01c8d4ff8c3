import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { typeOf } from '@cless/model';
import {
  cleanUp,
  docker,
  dockerLines,
  noEngine,
  type ProxyProcess,
  sampleImage,
  stateDirectory,
} from '@cless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { requestsOf } from './admin.ts';
import { PROXY } from './proxy.ts';

const owner = `test-proxy-${process.pid}`;
const suffix = `-${owner}`;
const images: string[] = [];
const state = stateDirectory();
let proxy: ProxyProcess;

const settings = {
  CLESS_OWNER: owner,
  CLESS_IMAGE_SUFFIX: suffix,
  CLESS_STATE_DIR: state.path,
  CLESS_PORT_RANGE: '19000-19100',
  CLESS_STOP_GRACE: '2s',
};

async function service(name: string, environment: Record<string, string> = {}): Promise<string> {
  images.push(await sampleImage(name + suffix, environment));
  return `${name}.cless.cloud`;
}

const containersOf = (name: string) =>
  dockerLines(
    'ps',
    '-aq',
    '--filter',
    `label=cless.owner=${owner}`,
    '--filter',
    `label=cless.service=${name}`,
  );
const allContainers = () => dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);

describe.skipIf(noEngine !== undefined)(
  `a request starts its container${noEngine === undefined ? '' : ` (skipped: ${noEngine})`}`,
  () => {
    let hello: string;

    beforeAll(async () => {
      hello = await service('hello');
    });

    afterEach(async () => {
      await proxy.stop();
      expect(await allContainers()).toEqual([]);
      expect(await dockerLines('network', 'ls', '-q', '--filter', `label=cless.owner=${owner}`)).toEqual([]);
    });

    afterAll(async () => {
      await cleanUp(owner, images);
      state.remove();
    });

    test('cold, then warm', async () => {
      proxy = await PROXY.start(settings);
      const cold = await proxy.fetch(hello, '/hi');
      expect(cold).toMatchObject({ status: 200, text: 'hello from hello at /hi\n' });
      expect(cold.headers['server-timing']).toMatch(/^cless-cold;dur=\d/);
      expect(cold.headers['x-request-id']).toMatch(/./);
      const warm = await proxy.fetch(hello, '/hi');
      expect(warm.status).toBe(200);
      expect(warm.headers['server-timing']).toBeUndefined();
      expect(warm.headers['x-instance']).toBe(cold.headers['x-instance']);
      expect(await containersOf('hello')).toHaveLength(1);

      for (const stage of ['created', 'started', 'ready']) {
        expect(proxy.logged(`hello ${stage}`)).toMatchObject([
          { service: 'hello', durationMs: expect.any(Number) },
        ]);
      }
      const accesses = proxy.logged('GET /hi 200');
      expect(accesses).toMatchObject([
        { host: hello, service: 'hello', status: 200, cold: true, durationMs: expect.any(Number) },
        { host: hello, service: 'hello', status: 200, cold: false },
      ]);
    });

    test('200 requests at once for a cold service: one container, 200 good answers', async () => {
      proxy = await PROXY.start(settings);
      const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => proxy.fetch(hello, `/${i}`)));
      expect(answers.map(({ status, text }) => ({ status, text }))).toEqual(
        answers.map((_, i) => ({ status: 200, text: `hello from hello at /${i}\n` })),
      );
      expect(new Set(answers.map(({ headers }) => headers['x-instance'])).size).toBe(1);
      expect(proxy.logged('hello created')).toHaveLength(1);
    });

    test('ten services at once', async () => {
      const names = Array.from({ length: 10 }, (_, i) => `many${i}`);
      await Promise.all(names.map((name) => service(name)));
      proxy = await PROXY.start(settings);
      const answers = await Promise.all(names.map((name) => proxy.fetch(`${name}.cless.cloud`)));
      expect(answers.map(({ text }) => text)).toEqual(names.map((name) => `hello from ${name} at /\n`));
      expect(await allContainers()).toHaveLength(10);
    });

    test('unknown and malformed hosts are answered, and nothing hangs', async () => {
      proxy = await PROXY.start(settings);
      const unknown = await Promise.all(Array.from({ length: 20 }, () => proxy.fetch('unknown.cless.cloud')));
      for (const answer of unknown) {
        expect(answer.status).toBe(404);
        expect(answer.headers['content-type']).toBe('application/problem+json');
        expect(answer.json()).toMatchObject({
          type: typeOf('service-not-found'),
          status: 404,
          service: 'unknown',
        });
      }
      for (const host of ['127.0.0.1', '[::1]', 'localhost'])
        expect((await proxy.fetch(host)).status).toBe(404);
      for (const host of [
        'a_b.example',
        '-a.example',
        'a..b',
        'a b',
        'x'.repeat(64),
        'a.example:port',
        '[::1',
        '1.2.3',
      ]) {
        const answer = await proxy.fetch(host);
        expect([host, answer.status, answer.json().type]).toEqual([host, 400, typeOf('invalid-host')]);
      }
      expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*#invalid-host"/);
      expect(await raw(`GET / HTTP/1.1\r\nHost: ${hello}\r\nHost: ${hello}\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 400 [\s\S]*#invalid-host"/,
      );
      expect(await proxy.fetch(hello)).toMatchObject({ status: 200 });
    });

    test('a browser gets a page', async () => {
      proxy = await PROXY.start(settings);
      const answer = await proxy.fetch('unknown.cless.cloud', '/', {
        headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
      });
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(answer.text).toContain('no service answers to unknown.cless.cloud');
    });

    test('one that exits at once: 502 for all that wait, at once, and the log says why', async () => {
      const host = await service('quitter', { EXIT_CODE: '3' });
      proxy = await PROXY.start(settings);
      const answers = await Promise.all(Array.from({ length: 5 }, () => proxy.fetch(host)));
      for (const answer of answers) {
        expect(answer.status).toBe(502);
        expect(answer.json()).toMatchObject({
          type: typeOf('start-failed'),
          service: 'quitter',
          detail: expect.stringContaining('code 3'),
        });
        expect(answer.text).not.toContain('database');
      }
      await expect
        .poll(() => proxy.logged('start failed'), { timeout: 10_000 })
        .toMatchObject([
          {
            service: 'quitter',
            exitCode: 3,
            lastLogLines: ['first I looked around', 'then I gave up: no database'],
          },
        ]);
      await expect.poll(() => containersOf('quitter')).toEqual([]);
      const next = await proxy.fetch(host);
      expect(next.json().type).toBe(typeOf('backoff'));
      expect(Number(next.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    });

    test('one that never listens: 504 after the ready timeout, and it is removed', async () => {
      const host = await service('silent', { NEVER_LISTEN: '1' });
      proxy = await PROXY.start({ ...settings, CLESS_READY_TIMEOUT: '1s' });
      const answer = await proxy.fetch(host);
      expect(answer.status).toBe(504);
      expect(answer.json()).toMatchObject({ type: typeOf('not-ready'), service: 'silent' });
      await expect.poll(() => containersOf('silent'), { timeout: 10_000 }).toEqual([]);
    });

    test('one that answers 503 for a while, and one that takes 5 s, are waited for', async () => {
      const hosts = await Promise.all([
        service('warming', { UNREADY_MS: '700' }),
        service('slow', { START_DELAY_MS: '5000' }),
      ]);
      proxy = await PROXY.start(settings);
      for (const answer of await Promise.all(hosts.map((host) => proxy.fetch(host))))
        expect(answer.status).toBe(200);
    });

    test('a first client that goes away does not cancel the start', async () => {
      proxy = await PROXY.start(settings);
      const first = new AbortController();
      const gone = proxy.fetch(hello, '/', { signal: first.signal });
      gone.catch(() => {});
      await expect.poll(() => proxy.logged('hello created')).toHaveLength(1);
      const second = proxy.fetch(hello);
      first.abort();
      await expect(gone).rejects.toThrow();
      expect(await second).toMatchObject({ status: 200 });
      expect(proxy.logged('hello created')).toHaveLength(1);
    });

    test('a start is finished even if its only client has left', async () => {
      proxy = await PROXY.start(settings);
      const only = new AbortController();
      proxy.fetch(hello, '/', { signal: only.signal }).catch(() => {});
      await expect.poll(() => proxy.logged('hello created')).toHaveLength(1);
      only.abort();
      await expect.poll(() => proxy.logged('hello ready'), { timeout: 10_000 }).toHaveLength(1);
      expect((await proxy.fetch(hello)).headers['server-timing']).toBeUndefined();
    });

    test('a port range of one port that is taken: 503 no-free-port, and it recovers', async () => {
      const taken = createServer().listen(19200, '127.0.0.1');
      await once(taken, 'listening');
      proxy = await PROXY.start({ ...settings, CLESS_PORT_RANGE: '19200-19200' });
      const answer = await proxy.fetch(hello);
      expect(answer.status).toBe(503);
      expect(answer.json().type).toBe(typeOf('no-free-port'));
      expect(answer.headers['retry-after']).toBeDefined();
      await new Promise((resolve) => taken.close(resolve));
      expect(await proxy.fetch(hello)).toMatchObject({ status: 200 });
    });

    test('server-sent events come one by one, and an abort reaches the instance', async () => {
      proxy = await PROXY.start(settings);
      await proxy.fetch(hello);
      const socket = connect(proxy.port, '127.0.0.1');
      socket.write(`GET /events?count=1000&every=20 HTTP/1.1\r\nHost: ${hello}\r\n\r\n`);
      let seen = '';
      socket.on('data', (chunk) => (seen += chunk));
      await expect.poll(() => seen, { interval: 5 }).toContain('data: 2');
      expect(seen).not.toContain('data: 900');
      socket.destroy();
      const [id = ''] = await containersOf('hello');
      await expect.poll(() => docker('logs', id)).toContain('events ended');
    });

    test('a WebSocket starts its container and echoes through it', async () => {
      proxy = await PROXY.start(settings);
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, { headers: { host: hello } });
      socket.on('open', () => socket.send('over there'));
      const [message] = (await once(socket, 'message')) as [Buffer];
      expect(message.toString()).toBe('over there');
      socket.close();
      await once(socket, 'close');
      const unknown = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, {
        headers: { host: 'unknown.cless.cloud' },
      });
      const [error] = (await once(unknown, 'error')) as [Error];
      expect(error.message).toContain('404');
    });

    test('an answer that breaks off reaches the client broken, never short', async () => {
      proxy = await PROXY.start(settings);
      await proxy.fetch(hello);
      await expect(proxy.fetch(hello, '/break')).rejects.toThrow();
    });

    test('SIGTERM: what is open is finished, nothing new is taken, the containers go, exit 0', async () => {
      proxy = await PROXY.start(settings);
      await proxy.fetch(hello);
      const open = proxy.fetch(hello, '/slow?ms=1000');
      const [id = ''] = await containersOf('hello');
      await expect.poll(() => docker('logs', id)).toContain('slow began');
      const exit = proxy.stop('SIGTERM');
      await expect
        .poll(() =>
          proxy.fetch(hello).then(
            () => 'answered',
            () => 'refused',
          ),
        )
        .toBe('refused');
      expect(await open).toMatchObject({ status: 200, text: 'at last\n' });
      expect(await exit).toBe(0);
    });

    test('the drain timeout ends what does not end', async () => {
      proxy = await PROXY.start({ ...settings, CLESS_DRAIN_TIMEOUT: '200ms' });
      await proxy.fetch(hello);
      const open = proxy.fetch(hello, '/slow?ms=60000');
      open.catch(() => {});
      await expect.poll(() => requestsOf('hello', state.path)).toBe(1);
      expect(await proxy.stop('SIGINT')).toBe(0);
      await expect(open).rejects.toThrow();
    });

    test('a second signal exits now', async () => {
      proxy = await PROXY.start(settings);
      await proxy.fetch(hello);
      proxy.fetch(hello, '/slow?ms=60000').catch(() => {});
      await expect.poll(() => requestsOf('hello', state.path)).toBe(1);
      proxy.signal('SIGTERM');
      await sleep(400);
      expect(await proxy.stop('SIGTERM')).toBe(130);
      // The next proxy removes what it left behind.
      proxy = await PROXY.start(settings);
    });
  },
);

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(proxy.port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (chunk) => (answer += chunk)).on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
