import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp, noEngine, ProxyProgram, stateDirectory } from '@cless/testkit';
import { expect, test } from 'vitest';

const GREETINGS = {
  golang: 'Hello from Go!',
  python: 'Hello from Python!',
  java: 'Hello from Java!',
  nodejs: 'Hello from Node.js!',
  rust: 'Hello from Rust!',
};

test.skipIf(noEngine !== undefined)('each language greets, and shows the path', async () => {
  const state = stateDirectory();
  const owner = `test-languages-${process.pid}`;
  const proxy = await ProxyProgram.fromSources(join(import.meta.dirname, '../../packages/proxy')).start({
    CLESS_OWNER: owner,
    CLESS_STATE_DIR: state.path,
    CLESS_PORT_RANGE: '18400-18410',
  });
  try {
    await Promise.all(
      Object.entries(GREETINGS).map(async ([language, greeting]) => {
        const answer = await proxy.fetch(`${language}.cless.cloud`, '/some/path');
        expect([answer.status, answer.text]).toEqual([200, `${greeting} You asked for /some/path\n`]);
      }),
    );
    // All of them stop on SIGTERM, so none has to be killed after the grace period of 10 s.
    expect(await proxy.stop()).toBe(0);
    for (const { durationMs } of proxy.logged('stopped (shutdown)')) expect(durationMs).toBeLessThan(9_000);
    expect(proxy.logged('stopped (shutdown)')).toHaveLength(5);
  } finally {
    await proxy.stop();
    await cleanUp(owner);
    state.remove();
  }
});

test('hosts.sh prints, adds once and removes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cless-hosts-'));
  const file = join(directory, 'hosts');
  writeFileSync(file, '127.0.0.1 localhost\n');
  const hosts = (...args: string[]) =>
    execFileSync('bash', [join(import.meta.dirname, 'hosts.sh'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, HOSTS_FILE: file },
    });
  const lines = hosts();
  expect(lines).toContain('127.0.0.1 golang.cless.cloud');
  hosts('--add');
  hosts('--add');
  expect(readFileSync(file, 'utf8')).toBe(`127.0.0.1 localhost\n${lines}`);
  hosts('--remove');
  expect(readFileSync(file, 'utf8')).toBe('127.0.0.1 localhost\n');
  rmSync(directory, { recursive: true });
});
