import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DockerRuntime } from '../runtime.ts';

/*
 * Engines that misbehave: every call ends, with an error that has a code.
 */

const directory = mkdtempSync(join(tmpdir(), 'cless-fake-engine-'));
const socket = join(directory, 'docker.sock');
let answer: RequestListener = (_, response) => response.end();
let server: Server;
let runtime: DockerRuntime;

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response)).listen(socket);
  await once(server, 'listening');
  runtime = new DockerRuntime({
    owner: 'test',
    engine: `unix://${socket}`,
    ports: { from: 19900, to: 19910 },
  });
});

afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

const spec = { service: 'web', revision: 'r1', image: 'x', port: 8080 };
const calls: Record<string, () => Promise<unknown>> = {
  image: () => runtime.image('x'),
  list: () => runtime.list(),
  inspect: () => runtime.inspect('x'),
  start: () => runtime.start(spec),
  pause: () => runtime.pause('x'),
  resume: () => runtime.resume('x'),
  stop: () => runtime.stop('x'),
  kill: () => runtime.stop('x', { graceMs: 0 }),
  logs: () => runtime.logs('x'),
  'followed logs': () => first(runtime.followLogs('x', { signal: new AbortController().signal })),
  prepare: () => runtime.prepare(),
  pull: () => runtime.pull('x'),
};
/** Calls for which any 2xx is enough, and logs, whose bytes are up to the container. */
const lenient = new Set(['pull', 'pause', 'resume', 'stop', 'kill', 'logs', 'followed logs']);

async function first(lines: AsyncIterable<string>): Promise<void> {
  for await (const _ of lines) return;
}

const answers: [string, RequestListener][] = [
  ['text', (_, response) => response.end('hello')],
  ['an empty object', (_, response) => response.setHeader('Content-Type', 'application/json').end('{}')],
  ['nothing', (_, response) => response.end()],
  ['a page', (_, response) => response.end('<html>')],
];

/** A call that has ended in any way holds no connection. */
async function openConnections(wanted: number): Promise<void> {
  const count = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, open) => (error ? reject(error) : resolve(open))),
    );
  vi.useRealTimers();
  await expect.poll(count, { interval: 5 }).toBe(wanted);
}

describe.each(Object.keys(calls))('%s', (name) => {
  const call = () => calls[name]?.();

  test.each<[string, RequestListener]>([
    ...(lenient.has(name) ? [] : answers),
    ['a redirect', (_, response) => response.writeHead(301, { Location: '/images/a/b/json' }).end()],
    [
      'a redirect to a host',
      (_, response) => response.writeHead(307, { Location: 'http://images/json' }).end(),
    ],
    [
      'another protocol',
      ({ socket }) =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
    ['garbage', ({ socket }) => socket.end('\0garbage\r\n\r\n')],
    ['a head that breaks off', ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-')],
    ['a page of an error', (_, response) => response.writeHead(502).end('<html>Bad gateway</html>')],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('{', () => response.destroy());
      },
    ],
    ['a broken connection', (request) => request.socket.destroy()],
  ])('of one that answers with %s ends', async (_, listener) => {
    answer = listener;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = expect(call()).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENGINE_|START_FAILED|PULL_FAILED)/),
    });
    const timer = setInterval(() => vi.advanceTimersByTime(30_000), 50);
    await outcome.finally(() => clearInterval(timer));
    await openConnections(0);
  });

  test('of one that never answers is ENGINE_UNREACHABLE after 30 s', async () => {
    answer = () => {};
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = expect(call()).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining('no answer within'),
    });
    const timer = setInterval(() => vi.advanceTimersByTime(30_000), 50);
    await outcome.finally(() => clearInterval(timer));
    await openConnections(0);
  });
});

test('a full disk is START_FAILED with the engine’s own words', async () => {
  answer = (request, response) => {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (request.url?.startsWith('/images')) json(200, { Id: 'sha256:1' });
    else if (request.url?.startsWith('/networks')) json(200, [{ Id: 'n', Name: 'cless-test' }]);
    else if (request.url?.startsWith('/containers/create'))
      json(500, { message: 'mkdir /var/lib/docker/overlay2/x: no space left on device' });
    else json(404, { message: 'no such container' });
  };
  await expect(runtime.start(spec)).rejects.toMatchObject({
    code: 'START_FAILED',
    reason: expect.stringContaining('no space left'),
  });
});

test('what an engine that was too slow made after all is removed when it is known', async () => {
  const asked: string[] = [];
  answer = (request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (request.url?.startsWith('/images')) json(200, { Id: 'sha256:1' });
    else if (request.url?.startsWith('/networks')) json(200, [{ Id: 'n', Name: 'cless-test' }]);
    else if (request.url?.startsWith('/containers/create')) json(201, { Id: 'abc' });
    else if (request.url?.endsWith('/start')) request.socket.destroy();
    else json(204, undefined);
  };
  await expect(runtime.start(spec)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' });
  expect(asked.at(-1)).toBe('DELETE /containers/abc');
});

describe('calls are bounded in number', () => {
  let open = 0;
  let most = 0;
  let release = Promise.withResolvers<void>();

  function hold(wanted: RegExp): void {
    [open, most, release] = [0, 0, Promise.withResolvers<void>()];
    answer = async (request, response) => {
      if (wanted.test(request.url ?? '')) {
        open += 1;
        most = Math.max(most, open);
        await release.promise;
        open -= 1;
      }
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"no such thing"}');
    };
  }

  test.each<[string, number, () => Promise<unknown>]>([
    ['inspections', 32, () => runtime.inspect('x')],
    ['looks at images', 4, () => runtime.image('x')],
    ['removals', 32, () => runtime.stop('x', { graceMs: 0 })],
  ])('500 %s, %i at once', async (_, atOnce, call) => {
    hold(/./);
    const all = Promise.all(Array.from({ length: 500 }, call));
    await expect.poll(() => open).toBe(atOnce);
    release.resolve();
    await all;
    expect(most).toBe(atOnce);
  });

  test('what is asked for by strangers holds up nothing else', async () => {
    hold(/images/);
    const looks = Promise.all(Array.from({ length: 500 }, () => runtime.image('x')));
    await expect.poll(() => open).toBe(4);
    expect(await runtime.inspect('x')).toBeUndefined();
    await runtime.stop('x');
    release.resolve();
    await looks;
  });
});

describe('an engine that does not finish what it has begun', () => {
  const requests: string[] = [];
  const created = Promise.withResolvers<void>();

  /** Containers can be created but do not start, and their removal is always in progress. */
  function stuck(mayCreate: Promise<void>, id = 'abc'): void {
    requests.length = 0;
    answer = async (request, response) => {
      requests.push(`${request.method} ${request.url?.split('?')[0]}`);
      const json = (status: number, body: unknown) =>
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      if (request.url?.startsWith('/networks')) json(200, [{ Id: 'n', Name: 'cless-test' }]);
      else if (request.url?.startsWith('/images')) json(200, { Id: 'sha256:1', Config: {} });
      else if (request.url?.startsWith('/containers/create')) {
        await mayCreate;
        json(201, { Id: id });
      } else if (request.method === 'DELETE')
        json(409, { message: 'removal of container abc is already in progress' });
      else json(500, { message: 'it will not start' });
    };
  }

  test('a removal that never ends is given up after 10 s', async () => {
    stuck(created.promise);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const outcome = expect(runtime.stop('abc', { graceMs: 0 })).rejects.toMatchObject({
      code: 'ENGINE_REFUSED',
      message: expect.stringContaining('already in progress'),
    });
    const timer = setInterval(() => vi.advanceTimersByTime(500), 5);
    await outcome.finally(() => clearInterval(timer));
    expect(requests.length).toBeGreaterThan(5);
  });

  test('a start that has failed waits for it no longer than 2 s', async () => {
    stuck(Promise.resolve());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const beganMs = performance.now();
    const outcome = expect(runtime.start(spec)).rejects.toMatchObject({ code: 'START_FAILED' });
    const timer = setInterval(() => vi.advanceTimersByTime(100), 5);
    await outcome.finally(() => clearInterval(timer));
    expect(performance.now() - beganMs).toBeLessThan(9_000);
  });

  test('a start is given up while the container is made, which is removed when it is there', async () => {
    stuck(created.promise, 'late');
    const abort = new AbortController();
    const reason = new Error('shutting down');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = expect(runtime.start(spec, { signal: abort.signal })).rejects.toBe(reason);
    await vi.waitFor(() => expect(requests).toContain('POST /containers/create'));
    abort.abort(reason);
    const timer = setInterval(() => vi.advanceTimersByTime(500), 5);
    await outcome.finally(() => clearInterval(timer));
    expect(requests).not.toContain('DELETE /containers/late');
    created.resolve();
    await vi.waitFor(() => expect(requests).toContain('DELETE /containers/late'));
  });
});

test.each(['tcp://10.0.0.1:2376', 'ssh://host', 'npipe:////./pipe/docker_engine'])(
  'an engine at %s is refused: its containers could not be reached',
  (engine) => {
    expect(() => new DockerRuntime({ owner: 'test', engine })).toThrow(`the Docker Engine at ${engine}`);
  },
);
