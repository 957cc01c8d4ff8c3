import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminServer } from '@cless/admin';
import { MemoryStore } from '@cless/store';
import { FakePlatform } from '@cless/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLESS } from './command.ts';

/*
 * The CLI as a user has it: its program, in a pipe and on a terminal, against a real admin API.
 */

let store: MemoryStore;
let platform: FakePlatform;
let admin: AdminServer;
let directory: string;

beforeEach(async () => {
  store = new MemoryStore();
  platform = new FakePlatform();
  directory = mkdtempSync(join(tmpdir(), 'cless-cli-'));
  admin = await AdminServer.start({
    store,
    platform,
    token: 'a-token-for-tests',
    openMetrics: false,
    listen: { host: '127.0.0.1', port: 0 },
  });
  writeFileSync(join(directory, 'admin-token'), 'a-token-for-tests\n');
  writeFileSync(join(directory, 'admin-url'), `http://127.0.0.1:${admin.address.port}\n`);
});

afterEach(async () => {
  await admin.close();
  rmSync(directory, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [...CLESS, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: directory, CLESS_STATE_DIR: directory, ...env },
    cwd: directory,
  });
}

/** In a pipe. */
async function cless(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
  input = '',
): Promise<Run> {
  const child = start(args, env);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** On a terminal, which `script` makes. */
async function onTerminal(command: string): Promise<string> {
  const child = spawn('script', ['-qec', `${process.execPath} ${CLESS.join(' ')} ${command}`, '/dev/null'], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: directory,
      CLESS_STATE_DIR: directory,
      TERM: 'xterm-256color',
    },
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  await once(child, 'close');
  return out;
}

const json = ({ out }: Run) => JSON.parse(out);
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are
const COLOUR = /\u001b\[\d+m/;

describe('deploy', () => {
  test('makes the service and a revision, tells its progress with times, and says what it is', async () => {
    const run = await cless([
      'deploy',
      'web',
      '--image',
      'web:1',
      '--host',
      'web.example',
      '-e',
      'A=b=c',
      '--memory',
      '256m',
    ]);
    expect(run).toMatchObject({ code: 0, out: 'web-00001 is ready\n' });
    expect(run.err).toMatch(/^ +\d+\.\d\d s {2}revision web-00001$/m);
    expect(run.err).toMatch(/^ +\d+\.\d\d s {2}ready after 12 ms$/m);
    expect(store.service('web')).toMatchObject({
      hosts: ['web.example'],
      traffic: { splits: [{ percent: 100 }] },
    });
    expect(store.revision('web', 'web-00001')?.spec).toMatchObject({
      env: { A: 'b=c' },
      memoryBytes: 256 * 1024 ** 2,
      port: 3000,
    });
  });

  test('all that can be said is heard', async () => {
    writeFileSync(join(directory, 'vars'), '# comment\nONE=1\nTWO="two words"\n');
    const { code, err } = await cless(
      [
        ...[
          'deploy',
          'web',
          '--image',
          'web:2',
          '--port',
          '9000',
          '--env-file',
          'vars',
          '--env',
          'HERE',
          '--secret',
          'KEY',
        ],
        ...[
          '--entrypoint',
          '/app',
          '--arg',
          'serve',
          '--arg=--fast',
          '--user',
          '1000:1000',
          '-v',
          'data:/data:ro',
        ],
        ...[
          '--network',
          'backend',
          '--cpus',
          '0.5',
          '--pids',
          '64',
          '--hardening',
          'restricted',
          '--relax',
          'root-user',
        ],
        ...[
          '--ready-path',
          '/ready',
          '--ready-timeout',
          '5s',
          '--pause-after',
          'never',
          '--stop-after',
          '1h',
        ],
        ...[
          '--response-timeout',
          '90s',
          '--stop-grace',
          '1s',
          '--sticky',
          '--revision-header',
          '--no-traffic',
          '--tag',
          'next',
        ],
      ],
      { HERE: 'from here', KEY: 'hidden' },
    );
    expect([code, err]).toEqual([0, expect.not.stringContaining('hidden')]);
    expect(store.service('web')).toMatchObject({
      sticky: true,
      revisionHeader: true,
      traffic: { splits: [], tags: { next: 'web-00001' } },
    });
    expect(store.revision('web', 'web-00001')).toMatchObject({
      secretNames: ['KEY'],
      spec: {
        port: 9000,
        env: { ONE: '1', TWO: 'two words', HERE: 'from here' },
        entrypoint: ['/app'],
        command: ['serve', '--fast'],
        user: '1000:1000',
        volumes: [{ source: 'data', target: '/data', readOnly: true }],
        networks: ['backend'],
        cpus: 0.5,
        pids: 64,
        hardening: 'restricted',
        relaxations: ['root-user'],
        readiness: { kind: 'http', path: '/ready' },
        readyTimeoutMs: 5_000,
        pauseAfterMs: 'never',
        stopAfterMs: 3_600_000,
        responseTimeoutMs: 90_000,
        stopGraceMs: 1_000,
      },
    });
    expect(store.secrets('web', 'web-00001')).toEqual({ KEY: 'hidden' });
  });

  test('a second one shows the difference, and keeps the hosts', async () => {
    await cless(['deploy', 'web', '--image', 'web:1', '--host', 'web.example', '--env', 'A=1']);
    const { err } = await cless(['deploy', 'web', '--image', 'web:2', '--traffic', '10']);
    expect(err).toContain('~ image: web:1 → web:2');
    expect(err).toContain('- env.A: 1');
    expect(store.service('web')).toMatchObject({
      hosts: ['web.example'],
      traffic: { splits: [{ revision: 'web-00002', percent: 10 }, { percent: 90 }] },
    });
  });

  test('one that fails says why, with the last log lines, and exits with 1', async () => {
    platform.failure = Object.assign(new Error('broken exited with code 3'), {
      lastLogLines: ['no database'],
    });
    const { code, out, err } = await cless(['deploy', 'web', '--image', 'broken:1']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(
      'error: web-00001 did not get ready, so it gets no traffic: broken exited with code 3\n  no database\n',
    );
    expect((await cless(['show', 'web'])).out).toMatch(
      /web-00001 failed: broken exited with code 3\n {2}no database/,
    );
  });

  test('pulls only when told to', async () => {
    platform.registry.set('new:1', { id: 'sha256:9', exposedPorts: [] });
    const without = await cless(['deploy', 'web', '--image', 'new:1']);
    expect(without).toMatchObject({
      code: 1,
      err: expect.stringContaining('--image: image new:1 is not on this host'),
    });
    const { code, err } = await cless(['deploy', 'web', '--image', 'new:1', '--pull']);
    expect([code, err]).toEqual([0, expect.stringContaining('layer 1: downloading')]);
  });
});

describe('traffic', () => {
  beforeEach(async () => {
    for (const image of ['web:1', 'web:2', 'web:1']) await cless(['deploy', 'web', '--image', image]);
  });

  test('split, tag, show, roll back', async () => {
    expect((await cless(['traffic', 'web'])).out).toBe('web-00003 100 %\n');
    const split = await cless(['traffic', 'web', 'latest=10', '2=90%', '--tag', 'next=3', '--json']);
    expect(json(split)).toEqual({
      splits: [
        { revision: 'web-00003', percent: 10 },
        { revision: 'web-00002', percent: 90 },
      ],
      tags: { next: 'web-00003' },
    });
    expect((await cless(['rollback', 'web'])).out).toBe('web-00002 100 %\nnext--web → web-00003\n');
    expect((await cless(['rollback', 'web'])).out).toMatch(/^web-00001 100 %/);
    expect(await cless(['rollback', 'web'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('no earlier revision'),
    });
    expect((await cless(['rollback', 'web', 'web-00003'])).code).toBe(0);
    expect((await cless(['traffic', 'web', '--untag', 'next'])).out).toBe('web-00003 100 %\n');
  });

  test('latest is the newest that was ready', async () => {
    platform.failure = new Error('no');
    expect((await cless(['deploy', 'web', '--image', 'broken:1'])).code).toBe(1);
    expect((await cless(['rollback', 'web', '1'])).code).toBe(0);
    expect((await cless(['traffic', 'web', 'latest=100'])).out).toBe('web-00003 100 %\n');
  });

  test.each([
    [['latest=10', '2=80'], 'the percentages sum up to 90; allowed is 100'],
    [['latest'], 'allowed is REVISION=PERCENT'],
    [['web-0003=100'], 'did you mean web-00003?'],
    [['9=100'], 'web has no revision 9'],
    [['--untag', 'none'], 'web has no tag none'],
    [['--tag', 'a--b=3'], 'two hyphens'],
  ])('%j is wrong', async (args, message) => {
    const { code, err } = await cless(['traffic', 'web', ...args]);
    expect(err).toContain(message);
    expect([2, 4]).toContain(code);
  });
});

describe('looking', () => {
  test('tables in a pipe have no colours, JSON is JSON', async () => {
    await cless(['deploy', 'web', '--image', 'web:1', '--host', 'web.example']);
    await cless(['deploy', 'shop', '--image', 'web:2']);
    const list = await cless(['ls']);
    expect(list.out).not.toMatch(COLOUR);
    expect(list.out.split('\n')).toEqual([
      'NAME  HOSTS        TRAFFIC           INSTANCES',
      'shop  shop.*       shop-00001 100 %  ready',
      'web   web.example  web-00001 100 %   ready',
      '',
    ]);
    expect(json(await cless(['ls', '--json'])).map(({ name }: { name: string }) => name)).toEqual([
      'shop',
      'web',
    ]);
    expect(json(await cless(['show', 'web', '--json']))).toMatchObject({
      name: 'web',
      revisions: [{ name: 'web-00001' }],
    });
    expect(json(await cless(['instances', '--json']))).toHaveLength(2);
    expect((await cless(['instances', 'web'])).out).toMatch(
      /^INSTANCE +SERVICE .*\n\S+ +web +web-00001 +ready +0 +0 s\n$/,
    );
    expect((await cless(['status'])).out).toMatch(
      /^cless 1\.2\.3, up for \d+ s\nruntime fake: connected\n2 services/,
    );
    expect(json(await cless(['status', '--json']))).toMatchObject({ services: 2, instances: { ready: 2 } });
  });

  test('on a terminal there are colours', async () => {
    expect(await onTerminal('deploy web --image web:1')).toMatch(COLOUR);
    const list = await onTerminal('ls');
    expect(list).toMatch(COLOUR);
    expect(list).toMatch(/web\s+web\.\*/);
  });

  test('logs of a service and of an instance', async () => {
    await cless(['deploy', 'web', '--image', 'web:1']);
    expect((await cless(['logs', 'web'])).out).toBe('hello\nfrom web-00001\n');
    expect((await cless(['logs', 'web-00001-0', '-n', '1'])).out).toBe('from web-00001\n');
    expect((await cless(['logs', 'none'])).code).toBe(4);
  });

  test('of a service by convention is told what there is, and why its last start failed', async () => {
    platform.lastStarts.set('golang', {
      service: 'golang',
      revision: `sha256:${'1'.repeat(64)}`,
      image: 'golang-docker',
      at: new Date().toISOString(),
      failure: {
        reason: 'not-ready',
        message: 'nothing listens on port 8080 in it; 127.0.0.1:3000 does',
        lastLogLines: ['starting', 'listening on 3000'],
      },
    });
    const shown = (await cless(['show', 'golang'])).out;
    expect(shown).toContain('by convention: image golang-docker');
    expect(shown).toContain(
      'nothing listens on port 8080 in it; 127.0.0.1:3000 does\n  starting\n  listening on 3000',
    );
    const words = await cless(['logs', 'golang']);
    expect(words).toMatchObject({ code: 0, out: 'starting\nlistening on 3000\n' });
    expect(words.err).toContain('its last start failed: nothing listens on port 8080');
    expect((await cless(['logs', 'golang', '-n', '1'])).out).toBe('listening on 3000\n');
    expect((await cless(['logs', 'golang', '-n', '0'])).out).toBe('');
    const events = start(['events', 'golang']);
    const [told] = await once(events.stderr.setEncoding('utf8'), 'data');
    expect(told).toContain('the last start of golang failed: nothing listens on port 8080');
    await expect.poll(() => platform.listeners).toBe(1);
    platform.publish({
      type: 'exited',
      service: 'golang',
      exitCode: 3,
      oomKilled: false,
      lastLogLines: ['bye'],
    });
    platform.publish({ type: 'exited', service: 'golang', exitCode: 137, oomKilled: true, lastLogLines: [] });
    let lines = '';
    for await (const text of events.stdout.setEncoding('utf8')) {
      lines += text;
      if (lines.includes('of memory\n')) break;
    }
    expect(lines).toMatch(/golang +exited +with code 3\n {4}bye\n.*golang +exited +out of memory\n/);
    events.kill('SIGINT');
    await once(events, 'close');

    platform.running.set('i1', {
      id: 'i1',
      service: 'golang',
      revision: 'sha256:1',
      state: 'paused',
      requests: 0,
      idleMs: 1,
      lines: [],
    });
    expect((await cless(['ls'])).out).toMatch(/^golang +golang\.\* +by convention +paused$/m);
    expect((await cless(['show', 'none'])).code).toBe(4);
  });

  test('logs and events go on until Ctrl-C', async () => {
    await cless(['deploy', 'web', '--image', 'web:1']);
    for (const [args, expected, trigger] of [
      [['logs', '-f', 'web'], 'and one more', () => {}],
      [['events', 'web', '--json'], '"type":"deployed"', () => cless(['deploy', 'web', '--image', 'web:2'])],
    ] as const) {
      const child = start(args);
      let out = '';
      const seen = new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text;
          if (out.includes(expected)) resolve();
        });
      });
      while (platform.listeners === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await trigger();
      await seen;
      child.kill('SIGINT');
      expect((await once(child, 'close'))[0]).toBe(0);
    }
    while (platform.listeners > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('who reads no further is no error', async () => {
    for (let i = 0; i < 50; i++)
      store.put({ name: `s${i}`, hosts: [], revisionHeader: false, sticky: false, wakeFilter: undefined });
    const child = start(['ls']);
    child.stdout.once('data', () => child.stdout.destroy());
    let err = '';
    child.stderr.on('data', (text) => (err += text));
    await once(child, 'close');
    expect(err).toBe('');
  });
});

describe('removal', () => {
  test('of a revision, of a service, of an instance', async () => {
    await cless(['deploy', 'web', '--image', 'web:1']);
    await cless(['deploy', 'web', '--image', 'web:2']);
    expect(await cless(['rm', 'web', 'web-00002'])).toMatchObject({
      code: 5,
      err: expect.stringContaining('gets traffic'),
    });
    expect((await cless(['rm', 'web', 'web-00001'])).out).toBe('web-00001 is removed\n');
    expect((await cless(['stop', 'web-00002'])).code).toBe(0);
    expect((await cless(['rm', 'web'])).code).toBe(0);
    expect(store.services()).toEqual([]);
    expect((await cless(['rm', 'web'])).code).toBe(4);
  });
});

describe('apply', () => {
  const FILE = `
services:
  web:
    hosts: [web.example]
    image: web:1
    env: { A: "1" }
    secrets: { KEY: "\${KEY}" }
  shop:
    image: web:2
    wakeFilter: { paths: [/health], answer: { body: asleep } }
`;
  const env = { KEY: 'hidden' };

  test('shows the difference first, does it, and then there is none', async () => {
    writeFileSync(join(directory, 'cless.yaml'), FILE);
    const dry = await cless(['apply', '-f', 'cless.yaml', '--dry-run'], env);
    expect(dry).toMatchObject({ code: 0, out: '2 services to be changed\n' });
    expect(dry.err).toContain('+ web\n');
    expect(dry.err).toContain('  + env.A: 1\n');
    expect(store.services()).toEqual([]);

    expect(await cless(['apply', '-f', 'cless.yaml'], env)).toMatchObject({
      code: 0,
      out: '2 services changed\n',
    });
    const before = store.services();
    const again = await cless(['apply', '-f', 'cless.yaml'], env);
    expect(again).toMatchObject({ code: 0, out: 'nothing to do\n', err: '= web\n= shop\n' });
    expect(store.services()).toEqual(before);
    expect(store.service('shop')?.wakeFilter).toMatchObject({
      paths: ['/health'],
      answer: { status: 200, body: 'asleep' },
    });

    const changed = await cless(['apply', '-f', '-'], { KEY: 'another' }, FILE.replace('A: "1"', 'B: "2"'));
    expect(changed.err).toContain('- env.A: 1\n');
    expect(changed.err).toContain('~ secrets.KEY: (secret) → (another secret)\n');
    expect(changed.err + changed.out).not.toMatch(/hidden|=.*another$/);
    expect(store.revisions('web')).toHaveLength(2);
    expect(store.revisions('shop')).toHaveLength(1);
  });

  test('removes what the file does not name only with --prune', async () => {
    await cless(['deploy', 'old', '--image', 'web:1']);
    await cless(['apply', '-f', '-'], env, FILE);
    expect(store.service('old')).toBeDefined();
    const { code, err } = await cless(['apply', '-f', '-', '--prune'], env, FILE);
    expect([code, err]).toEqual([0, expect.stringContaining('- old\n')]);
    expect(store.services().map(({ name }) => name)).toEqual(['shop', 'web']);
  });

  test('converges after a rollback and after a deploy without traffic, and then there is nothing to do', async () => {
    const file = (n: number) => `services: { web: { image: "web:1", env: { N: "${n}" } } }`;
    const apply = (n: number, ...more: string[]) => cless(['apply', '-f', '-', ...more], {}, file(n));
    const serving = () => store.service('web')?.traffic.splits;
    await apply(1);
    await apply(2);
    await cless(['rollback', 'web']);
    const dry = await apply(2, '--dry-run');
    expect(dry).toMatchObject({ out: '1 service to be changed\n' });
    expect(dry.err).toContain('~ traffic of web-00002: 0 % → 100 %');
    expect((await apply(2)).out).toBe('1 service changed\n');
    expect(serving()).toEqual([{ revision: 'web-00002', percent: 100 }]);
    expect(await apply(2)).toMatchObject({ out: 'nothing to do\n', err: '= web\n' });

    await cless(['deploy', 'web', '--image', 'web:1', '-e', 'N=3', '--no-traffic']);
    expect((await apply(3)).out).toBe('1 service changed\n');
    expect(serving()).toEqual([{ revision: 'web-00003', percent: 100 }]);
    expect((await apply(3)).out).toBe('nothing to do\n');
    expect(store.revisions('web')).toHaveLength(3);
  });

  test('volumes as for --volume; a Compose file is told from one of ours', async () => {
    const volumes = 'services: { web: { image: "web:1", volumes: ["data:/data", "/srv/x:/x:ro"] } }';
    expect((await cless(['apply', '-f', '-'], {}, volumes)).code).toBe(0);
    expect(store.revisions('web')[0]?.spec.volumes).toEqual([
      { source: 'data', target: '/data', readOnly: false },
      { source: '/srv/x', target: '/x', readOnly: true },
    ]);
    const compose =
      'services:\n  web:\n    image: web:1\n    depends_on: [db]\n    environment: [A=1]\n    volumes: ["data:/data"]\n  db:\n    image: postgres\n';
    writeFileSync(join(directory, 'compose.yaml'), compose);
    const { code, err } = await cless(['apply', '-f', 'compose.yaml']);
    expect([code, err]).toEqual([2, expect.stringContaining('compose.yaml is a Compose file')]);
    expect(err).toMatch(/depends_on, environment.*PROJECT_default/);
  });

  test('what is wrong is named with its line, all of it, and nothing is done', async () => {
    const { code, err } = await cless(
      ['apply', '-f', '-'],
      env,
      FILE.replace('image: web:2', 'imgae: web:2')
        .replace('A: "1"', 'A: 1')
        .replace('web.example', 'web.example:80'),
    );
    expect(code).toBe(2);
    expect(err).toMatch(/-:4: services\.web\.hosts\.0: .*port/);
    expect(err).toMatch(/-:6: services\.web\.env\.A: /);
    expect(err).toMatch(/-:9: services\.shop\.imgae: there is no such field; did you mean image\?/);
    expect(store.services()).toEqual([]);
    const unfinished = await cless(['apply', '-f', '-'], env, 'services:\n  web: [\n\n');
    expect(unfinished.err).toMatch(/^error: -:2:9: .*\]\n$/);
    expect((await cless(['apply', '-f', '-'], {}, FILE)).err).toContain('the environment has no KEY');
    expect((await cless(['apply', '-f', 'none.yaml'])).code).toBe(2);
  });
});

describe('wrong input', () => {
  test.each([
    [['dploy', 'web'], '(Did you mean deploy?)'],
    [['deploy', 'web', '--imag', 'x'], '(Did you mean --image?)'],
    [['deploy', 'web'], '--image is missing'],
    [['deploy', 'web', '--image', 'web:1', '--port', '99999'], 'whole number from 1 to 65535'],
    [['deploy', 'Web', '--image', 'web:1'], '#/service: allowed are lower-case letters'],
    [
      ['deploy', 'web', '--image', 'web:1', '--memory', 'much', '--env', 'PORT=1'],
      '--memory: allowed is an amount like 256MiB',
    ],
    [['deploy', 'web', '--image', 'web:1', '--env', 'NOT_SET'], 'NOT_SET has no value'],
    [['deploy', 'web', '--image', 'web:1', '--volume', 'data'], 'allowed is SOURCE:TARGET'],
    [['deploy', 'web', '--image', 'web:1', '--env-file', 'none'], 'none cannot be read'],
    [
      ['deploy', 'web', '--image', 'web:1', '--hardening', 'some'],
      '--hardening: allowed is baseline or restricted or off',
    ],
    [['apply'], '--file is missing'],
    [['ls', 'too', 'many'], 'too many arguments'],
    [['stop', ''], 'an argument is empty'],
    [['rm', 'web', ''], 'an argument is empty'],
    [['deploy', 'web', '--image', 'web:1', '--traffic', '10', '--no-traffic'], 'only one is allowed'],
    [['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await cless(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('the nearest service is named', async () => {
    await cless(['deploy', 'shop', '--image', 'web:1']);
    expect(await cless(['show', 'shpo'])).toMatchObject({
      code: 4,
      err: 'error: there is no service shpo; did you mean shop?\n',
    });
    expect((await cless(['rm', 'shpo'])).err).toContain('did you mean shop?');
  });
});

describe('finding the proxy', () => {
  test('flags before environment before what the proxy has left', async () => {
    const url = `http://127.0.0.1:${admin.address.port}`;
    expect(
      (await cless(['ls', '--admin', url, '--token', 'a-token-for-tests'], { CLESS_STATE_DIR: '/none' }))
        .code,
    ).toBe(0);
    expect(
      (
        await cless(['ls'], {
          CLESS_STATE_DIR: '/none',
          CLESS_ADMIN_URL: url,
          CLESS_ADMIN_TOKEN: 'a-token-for-tests',
        })
      ).code,
    ).toBe(0);
    expect((await cless(['ls', '--state-dir', directory], { CLESS_STATE_DIR: '/none' })).code).toBe(0);
  });

  test('none, another token, none that answers: each says so, with exit code 3', async () => {
    const none = await cless(['ls'], { CLESS_STATE_DIR: '/none' });
    expect(none).toMatchObject({
      code: 3,
      err: expect.stringContaining('no token of a proxy is in /none; is it running?'),
    });
    expect(await cless(['ls', '--token', 'wrong'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('bearer token'),
    });
    const gone = await cless(['ls', '--admin', 'http://127.0.0.1:1', '--token', 'x']);
    expect(gone).toMatchObject({ code: 3, err: expect.stringContaining('cannot be reached') });
    expect((await cless(['ls', '--admin', 'localhost:7070'])).err).toContain('allowed is a URL like');
  });
});

test('the token of this host goes to its own address, and to no other', async () => {
  const asked: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.end('<html>');
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  for (const [args, env] of [
    [['ls', '--admin', url], {}],
    [['ls', '--admin', url, '--state-dir', directory], {}],
    [['deploy', 'web', '--image', 'web:1'], { CLESS_ADMIN_URL: url }],
  ] as const)
    expect(await cless(args, env)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--token, or CLESS_ADMIN_TOKEN'),
    });
  expect(asked).toEqual([]);
  const html = await cless(['ls', '--admin', url, '--token', 'own']);
  expect(html).toMatchObject({ code: 3, err: expect.stringContaining('not as the admin API does') });
  expect(html.err).not.toMatch(/^\s+at /m);
  expect(new Set(asked)).toEqual(new Set(['Bearer own']));
  stranger.close();

  const own = `http://127.0.0.1:${admin.address.port}/`;
  expect((await cless(['ls', '--admin', own])).code).toBe(0);
});

describe('Ctrl-C', () => {
  /** Starts it, and interrupts it once the condition holds. */
  async function interrupted(args: readonly string[], when: () => boolean, input?: string): Promise<Run> {
    const child = start(args);
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    if (input !== undefined) child.stdin.end(input);
    const closed = once(child, 'close');
    await expect.poll(when, { timeout: 5_000 }).toBe(true);
    child.kill('SIGINT');
    const [code] = await closed;
    return { code, out, err };
  }
  const proving = () => platform.events.some(({ type }) => type === 'starting');

  test('ends a deploy at once, which goes on', async () => {
    const gate = Promise.withResolvers<void>();
    platform.gate = gate.promise;
    const deploy = await interrupted(['deploy', 'web', '--image', 'web:1'], proving);
    expect(deploy).toMatchObject({
      code: 130,
      out: '',
      err: expect.stringContaining('error: interrupted; the deploy of web goes on: cless show web\n'),
    });
    gate.resolve();
    await expect.poll(() => store.service('web')?.traffic.splits).toHaveLength(1);
  });

  test('ends an apply at once, and says what goes on', async () => {
    platform.gate = new Promise(() => {});
    const apply = await interrupted(['apply', '-f', '-'], proving, 'services: { web: { image: "web:1" } }');
    expect([apply.code, apply.err]).toEqual([130, expect.stringContaining('the deploy of web goes on')]);
  });

  test('gives a pull up', async () => {
    let pulls = 0;
    Object.assign(platform, {
      pull: (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          pulls++;
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const deploy = await interrupted(['deploy', 'web', '--image', 'x', '--pull'], () => pulls === 1);
    expect([deploy.code, deploy.err]).toEqual([130, expect.stringContaining('nothing was made')]);
    expect(store.revisions('web')).toEqual([]);
    // The next one has not to wait.
    expect((await cless(['deploy', 'web', '--image', 'web:1'])).code).toBe(0);
  });

  test('ends what waits for an answer', async () => {
    let asked = false;
    platform.instances = () => {
      asked = true;
      return new Promise(() => {});
    };
    expect(await interrupted(['ls'], () => asked)).toEqual({
      code: 130,
      out: '',
      err: 'error: interrupted\n',
    });
  });
});

describe('a proxy that dies', () => {
  test.each([
    [['logs', '-f', 'web'], 'broke off'],
    [['events'], 'broke off'],
    [['deploy', 'web', '--image', 'web:2'], 'the deploy of web may go on: cless show web'],
  ])('is told by %j, without a stack', async (args, message) => {
    await cless(['deploy', 'web', '--image', 'web:1']);
    platform.gate = new Promise(() => {});
    const listeners = platform.listeners;
    const relay = createTcpServer((client) => {
      const server = connect(admin.address.port, '127.0.0.1');
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) socket.on('error', () => {});
      broken.signal.addEventListener('abort', () => client.resetAndDestroy());
    }).listen(0, '127.0.0.1');
    const broken = new AbortController();
    await once(relay, 'listening');
    const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
    const running = cless([...args, '--admin', url, '--token', 'a-token-for-tests']);
    await expect.poll(() => platform.listeners, { timeout: 5_000 }).toBeGreaterThan(listeners);
    if (args[0] === 'deploy') await expect.poll(() => store.revisions('web')).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 200)); // until the head has arrived
    broken.abort();
    const { code, err } = await running;
    expect([code, err]).toEqual([3, expect.stringContaining(message)]);
    expect(err).not.toMatch(/^\s+at /m);
    relay.close();
  });
});

describe('help and completion', () => {
  test('each command has help with an example', async () => {
    const { out } = await cless(['--help']);
    const commands = [...out.matchAll(/^ {2}(\w+) (?:\[options\]|<)/gm)].map(([, name]) => name ?? '');
    expect(commands).toEqual(
      expect.arrayContaining([
        'deploy',
        'ls',
        'show',
        'traffic',
        'rollback',
        'logs',
        'events',
        'instances',
        'rm',
        'apply',
        'status',
        'completion',
      ]),
    );
    for (const command of commands)
      expect((await cless([command, '--help'])).out).toMatch(/Examples?:\n {2}\S/);
    expect((await cless(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
