import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask } from './ask.ts';

/*
 * `npm run dev`: an edit of a package that the proxy imports starts it again, and what is printed works before and after.
 */

const ROOT = join(import.meta.dirname, '..');
const EDITED = join(ROOT, 'packages/router/src/host.ts');

test('an edit of any package starts the proxy again, which then answers as before', async () => {
  const state = mkdtempSync(join(tmpdir(), 'cless-dev-test-'));
  const { CLESS_LISTEN: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'scripts/dev.ts')], {
    env: { ...env, CLESS_RUNTIME: 'process', CLESS_STATE_DIR: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const starts = () => output.split('listening on ').length - 1;
  const { atime, mtime } = statSync(EDITED);
  try {
    await expect.poll(starts, { timeout: 30_000 }).toBe(1);
    const [, host = '', port] = /curl -H 'Host: (\S+)' http:\/\/localhost:(\d+)/.exec(output) ?? [];
    expect(await ask(Number(port), host)).toContain('Hello from Node.js!');
    utimesSync(EDITED, new Date(), new Date());
    await expect.poll(starts, { timeout: 30_000 }).toBe(2);
    expect(await ask(Number(port), host)).toContain('Hello from Node.js!');
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(output.match(/"msg":"bye"/g)).toHaveLength(2);
  } finally {
    child.kill('SIGTERM');
    utimesSync(EDITED, atime, mtime);
    rmSync(state, { recursive: true, force: true });
  }
});
