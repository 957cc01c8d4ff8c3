import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noEngine } from '@cless/testkit';
import { expect, test } from 'vitest';
import { ask } from './ask.ts';

/*
 * The demo's own part of `npm run demo`: the lines it prints work when pasted.
 */

const PORT = 18_480;

async function demo(
  env: Record<string, string>,
  host: string,
): Promise<{ output: string; answer: string; code: number | null }> {
  const state = mkdtempSync(join(tmpdir(), 'cless-demo-test-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'demo.ts')], {
    env: { ...process.env, CLESS_LISTEN: `127.0.0.1:${PORT}`, CLESS_STATE_DIR: join(state, 'state'), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  try {
    await expect.poll(() => output, { timeout: 60_000 }).toContain('listening');
    const answer = await ask(PORT, host);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    return { output, answer, code };
  } finally {
    child.kill('SIGKILL');
    rmSync(state, { recursive: true, force: true });
  }
}

test.skipIf(noEngine !== undefined)('with an engine: the samples as containers', async () => {
  const { output, answer, code } = await demo({}, 'golang.cless.cloud');
  expect(output).toContain(`curl -H 'Host: golang.cless.cloud' http://localhost:${PORT}/`);
  expect(answer).toContain('Hello from Go!');
  expect(code).toBe(0);
});

test('where there can be none: the Node.js sample as a child process, and it says so', async () => {
  // As a user who can neither reach nor start an engine.
  const { output, answer, code } = await demo(
    { DOCKER_HOST: 'unix:///no/such.sock', DEMO_WITHOUT_ENGINE: '1' },
    'nodejs.cless.cloud',
  );
  expect(output).toContain('as a child process instead (CLESS_RUNTIME=process)');
  expect(answer).toContain('Hello from Node.js!');
  expect(code).toBe(0);
});
