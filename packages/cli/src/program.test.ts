import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../test/in-process.ts';
import { createProgram } from './program.ts';

let host: Host;
beforeEach(async () => {
  host = await Host.start();
});
afterEach(() => host.close());

test.each(createProgram('1.2.3').commands.filter((one) => one.name() !== '__complete'))(
  'each command has its help: %o',
  async (command) => {
    const { code, out } = await host.cless(command.name(), '--help');
    expect([code, out]).toEqual([0, expect.stringMatching(/^Usage: cless \w+ /)]);
  },
);

test('its version and its help are no errors', async () => {
  expect(await host.cless('--version')).toMatchObject({ code: 0, out: '1.2.3\n' });
  expect((await host.cless('--help')).out).toContain('Exit codes:');
});

describe('exit codes', () => {
  test('2: what cannot be understood, with a hint', async () => {
    expect((await host.cless('deplyo')).code).toBe(2);
    const { code, err } = await host.cless('ls', '--jsn');
    expect(code).toBe(2);
    expect(err).toContain('(cless ls --help says more)');
    expect((await host.cless('show', '')).code).toBe(2);
  });

  test('3: nobody answers, or the token is another one', async () => {
    expect((await host.cless('ls', '--token', 'another')).code).toBe(3);
    expect((await host.cless('ls', '--admin', 'http://127.0.0.1:1', '--token', 'x')).code).toBe(3);
  });

  test('4: there is no such thing; the nearest is named', async () => {
    await host.deploy('web');
    expect(await host.cless('show', 'wen')).toMatchObject({
      code: 4,
      err: 'error: there is no service wen; did you mean web?\n',
    });
    expect((await host.cless('show', 'something-else')).err).toBe(
      'error: there is no service something-else\n',
    );
  });

  test('5: somebody else has it', async () => {
    await host.deploy('web', 'web:1', '--host', 'web.example');
    expect(await host.deploy('shop', 'web:1', '--host', 'web.example')).toMatchObject({
      code: 5,
      err: expect.stringContaining('web'),
    });
  });
});

test('what the API refuses is told by the flag that says it', async () => {
  const { err } = await host.deploy('web', 'web:1', '--host', 'not a host', '--memory', '1KiB');
  expect(err).toMatch(/--memory: /);
  expect((await host.deploy('web', 'web:1', '--host', 'not a host')).err).toMatch(/--host/);
});
