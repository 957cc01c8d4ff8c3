import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSettings } from './read.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(content: unknown): string {
  const path = join(directory, 'settings.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('where a setting comes from', () => {
  test('the defaults are those of the contract', () => {
    expect(readSettings([], {})).toMatchObject({
      listen: { host: '0.0.0.0', port: 80 },
      runtime: 'docker',
      'image-suffix': '-docker',
      convention: 'on',
      domain: '',
      'port-range': { from: 8000, to: 9000 },
      'ready-timeout': 30_000,
      'pause-after': 60_000,
      'stop-after': 900_000,
      'max-pending': 1000,
      'max-instances': 'none',
      'drain-timeout': 30_000,
      'on-exit': 'stop',
      forwarder: 'undici',
      workers: 1,
      'log-level': 'info',
    });
  });

  test('flag before environment before file', () => {
    const config = file({ 'pause-after': '1s', 'stop-after': '2s', 'max-starts': 3 });
    const settings = readSettings(['--pause-after', '5s', `--config=${config}`], {
      CLESS_PAUSE_AFTER: '4s',
      CLESS_STOP_AFTER: '6s',
    });
    expect(settings).toMatchObject({ 'pause-after': 5_000, 'stop-after': 6_000, 'max-starts': 3 });
    expect(readSettings([], { CLESS_CONFIG: config })['pause-after']).toBe(1_000);
  });

  test('what is set to nothing is not set; what is not ours is not looked at', () => {
    expect(readSettings([], { CLESS_PAUSE_AFTER: '', PATH: '/bin' })['pause-after']).toBe(60_000);
  });

  test('its flags give another process the same, whatever became of file and environment', () => {
    const config = file({ 'stop-after': '2s', domain: 'example' });
    const env = { CLESS_CONFIG: config, CLESS_PAUSE_AFTER: '4s', CLESS_TRUST_PROXY: '127.0.0.1,10.0.0.0/8' };
    const settings = readSettings(['--max-starts=7'], env);
    file('{ broken');
    const { given: _, ...again } = readSettings(settings.flags, { CLESS_PAUSE_AFTER: '9s' });
    expect(settings).toMatchObject(again);
  });
});

describe('what a setting may be', () => {
  test.each([
    ['CLESS_LISTEN', '127.0.0.1:0', 'listen', { host: '127.0.0.1', port: 0 }],
    ['CLESS_WORKERS', '4', 'workers', 4],
    ['CLESS_WORKERS', 'auto', 'workers', availableParallelism()],
    ['CLESS_LISTEN', '[::]:8080', 'listen', { host: '::', port: 8080 }],
    ['CLESS_HOST_PATHS', '/srv/data/, /srv/../media', 'host-paths', ['/srv/data', '/media']],
    ['CLESS_HOST_PATHS', 'none', 'host-paths', []],
    ['CLESS_ADMIN_LISTEN', 'off', 'admin-listen', 'off'],
    ['CLESS_ADMIN_HOSTS', 'Admin.example, other', 'admin-hosts', ['admin.example', 'other']],
    ['CLESS_LISTEN', ':8080', 'listen', { host: '0.0.0.0', port: 8080 }],
    ['CLESS_PAUSE_AFTER', '250ms', 'pause-after', 250],
    ['CLESS_PAUSE_AFTER', 'never', 'pause-after', 'never'],
    ['CLESS_PAUSE_AFTER', '0s', 'pause-after', 0],
    ['CLESS_STOP_AFTER', '1.5h', 'stop-after', 5_400_000],
    ['CLESS_PORT_RANGE', '8000-8000', 'port-range', { from: 8000, to: 8000 }],
    ['CLESS_MAX_INSTANCES', '30', 'max-instances', 30],
    ['CLESS_IMAGE_SUFFIX', '-app:prod', 'image-suffix', '-app:prod'],
  ] as const)('%s=%s', (name, value, key, parsed) => {
    expect(readSettings([], { [name]: value })[key]).toEqual(parsed);
  });

  test.each([
    ['CLESS_LISTEN', '80', 'HOST:PORT'],
    ['CLESS_LISTEN', '0.0.0.0:99999', 'HOST:PORT'],
    ['CLESS_PAUSE_AFTER', '60', 'a duration like 250ms, 30s or 5m, or never'],
    ['CLESS_PAUSE_AFTER', '-1s', 'a duration'],
    ['CLESS_READY_TIMEOUT', 'never', 'a duration like 250ms, 30s or 5m'],
    ['CLESS_PORT_RANGE', '9000-8000', 'FROM-TO'],
    ['CLESS_PORT_RANGE', '80-90', 'FROM-TO'],
    ['CLESS_MAX_PENDING', '0', 'a whole number from 1'],
    ['CLESS_MAX_STARTS', 'many', 'a whole number from 1'],
    ['CLESS_WORKERS', '0', 'a whole number from 1, or auto'],
    ['CLESS_WORKERS', 'all', 'a whole number from 1, or auto'],
    ['CLESS_RUNTIME', 'podman', 'docker or process'],
    ['CLESS_ON_EXIT', 'yes', 'stop or keep'],
    ['CLESS_FORWARDER', 'nginx', 'undici or http-proxy-3'],
    ['CLESS_TRUST_PROXY', '10.0.0.0/99', 'addresses or networks'],
    ['CLESS_OWNER', 'a b', 'up to 63 letters'],
    ['CLESS_IMAGE_SUFFIX', '-Docker', 'what may follow'],
  ])('%s=%s is an error that names it and what is allowed', (name, value, allowed) => {
    expect(() => readSettings([], { [name]: value })).toThrow(
      expect.objectContaining({
        code: 'INVALID_SETTING',
        message: expect.stringContaining(
          `${name}: ${JSON.stringify(value)} is not allowed; allowed is ${allowed}`,
        ),
      }),
    );
  });

  test('an unknown one is an error that names the nearest', () => {
    expect(() => readSettings([], { CLESS_PAUSE_AFTR: '1s' })).toThrow(
      'CLESS_PAUSE_AFTR: there is no such setting; did you mean CLESS_PAUSE_AFTER?',
    );
    expect(() => readSettings([], { CLESS_WORKER: '4' })).toThrow('did you mean CLESS_WORKERS?');
    expect(() => readSettings(['--lisen', ':80'], {})).toThrow(
      '--lisen: there is no such setting; did you mean --listen?',
    );
    expect(() => readSettings(['--config', file({ 'pause-afer': '1s' })], {})).toThrow(
      'did you mean pause-after?',
    );
    expect(() => readSettings(['--constructor', 'x'], {})).toThrow('there is no such setting');
    expect(() => readSettings(['--entirely-other', 'x'], {})).toThrow(/allowed are --listen, /);
  });

  test.each([
    [['listen'], 'listen: not a flag'],
    [['--listen'], '--listen: the value is missing'],
    [['--config', '/no/such/file'], 'the settings file /no/such/file: ENOENT'],
  ])('%j is refused', (args, message) => {
    expect(() => readSettings(args, {})).toThrow(message);
  });

  test.each([
    ['{', 'the settings file'],
    ['[]', 'allowed is an object'],
    [{ listen: {} }, 'allowed is a string or a number'],
  ])('a file that says %j is refused', (content, message) => {
    expect(() => readSettings(['--config', file(content)], {})).toThrow(message);
  });
});
