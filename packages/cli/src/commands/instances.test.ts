import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
const ids = ['a', 'b'].map((letter) => letter.repeat(20));

beforeEach(async () => {
  host = await Host.start();
  for (const [i, id] of ids.entries()) {
    host.platform.running.set(id, {
      id,
      service: 'web',
      revision: i === 0 ? 'web-00001' : `sha256:${'c'.repeat(64)}`,
      state: 'ready',
      requests: i,
      idleMs: i === 0 ? 5_000 : undefined,
      lines: ['one', 'two'],
    });
  }
});
afterEach(() => host.close());

describe('instances', () => {
  test('lists them with short ids', async () => {
    const { out } = await host.cless('instances', 'web');
    expect(out.trimEnd().split('\n').slice(1)).toEqual([
      expect.stringMatching(/^a{12} +web +web-00001 +ready +0 +5 s$/),
      expect.stringMatching(/^b{12} +web +c{12} +ready +1$/),
    ]);
    expect(JSON.parse((await host.cless('instances', '--json')).out)).toHaveLength(2);
  });

  test('stop takes the beginning of an id', async () => {
    expect(await host.cless('stop', 'aaaaaaaaaaaa')).toMatchObject({
      code: 0,
      out: 'aaaaaaaaaaaa stops as soon as it is not in use\n',
    });
    expect([...host.platform.running.keys()]).toEqual([ids[1]]);
    expect((await host.cless('stop', 'zzz')).code).toBe(4);
  });
});

describe('logs', () => {
  test('of several instances say whose they are, of one they do not', async () => {
    expect((await host.cless('logs', 'web', '-n', '1')).out).toBe('aaaaaaaaaaaa two\nbbbbbbbbbbbb two\n');
    expect((await host.cless('logs', 'aaaa')).out).toBe('one\ntwo\n');
    const { out } = await host.cless('logs', 'aaaa', '-n', '1', '--json');
    expect(JSON.parse(out)).toEqual({ instance: ids[0], line: 'two' });
  });

  test('of what does not run are those of its last start', async () => {
    host.platform.running.clear();
    host.platform.lastStarts.set('golang', {
      service: 'golang',
      revision: 'r',
      at: new Date().toISOString(),
      failure: { reason: 'START_FAILED', message: 'no such file', lastLogLines: ['one', 'two'] },
    });
    expect(await host.cless('logs', 'golang', '-n', '1')).toEqual({
      code: 0,
      out: 'two\n',
      err: 'nothing of golang runs just now; its last start failed: no such file\n',
    });
    expect((await host.cless('logs', 'golang', '-n', '0')).out).toBe('');
  });

  test('that break off while they are followed are a failure, and told', async () => {
    host.platform.failure = new Error('the engine is gone');
    const { code, out, err } = await host.cless('logs', '-f', 'aaaa');
    expect({ code, out }).toEqual({ code: 3, out: 'one\ntwo\nand one more\n' });
    expect(err).toContain('the log broke off: the engine is gone');
  });

  test('of nobody are none', async () => {
    expect(await host.cless('logs', 'nobody')).toMatchObject({
      code: 4,
      err: expect.stringContaining('there is neither a service nor an instance nobody'),
    });
  });
});
