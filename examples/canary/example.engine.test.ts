import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanUp, noEngine, ProxyProgram, stateDirectory } from '@cless/testkit';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const HERE = import.meta.dirname;

test.skipIf(noEngine !== undefined)('the README, line by line', async () => {
  const state = stateDirectory();
  const owner = `test-canary-${process.pid}`;
  const proxy = await ProxyProgram.fromSources(join(HERE, '../../packages/proxy')).start({
    CLESS_OWNER: owner,
    CLESS_STATE_DIR: state.path,
    CLESS_PORT_RANGE: '18420-18430',
  });
  try {
    const [commands = ''] =
      readFileSync(join(HERE, 'README.md'), 'utf8').match(/(?<=```sh\n)npx[\s\S]*?(?=```)/) ?? [];
    const lines = commands.trim().split('\n');
    expect(lines).toHaveLength(8);
    for (const line of lines) {
      await run('bash', ['-c', line], { cwd: HERE, env: { ...process.env, CLESS_STATE_DIR: state.path } });
      if (!line.includes('--tag next')) continue;
      expect((await proxy.fetch('next--hello.example')).text).toMatch(/^Hello from Node\.js!/);
      expect((await proxy.fetch('hello.example')).status).toBe(200);
    }
    expect((await proxy.fetch('hello.example')).text).toMatch(/^Hello from Go!/);
    expect((await proxy.fetch('next--hello.example')).status).toBe(404);
  } finally {
    await proxy.stop();
    await cleanUp(owner);
    state.remove();
  }
});
