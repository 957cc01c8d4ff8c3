import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the proxy starts, asks and stops instances of a runtime that it does not know', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    await expect.poll(() => output).toContain('listening on');
    const port = Number(/listening on (\d+)/.exec(output)?.[1]);
    const ask = (host: string) =>
      new Promise<string>((resolve, reject) => {
        get({ port, host: '127.0.0.1', headers: { host }, agent: false }, (answer) => {
          answer.setEncoding('utf8').once('data', resolve);
        }).on('error', reject);
      });
    expect(await ask('hello.example')).toBe('hello from this very process\n');
    expect(await ask('other.example')).toContain('service-not-found');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output).toContain('0 left');
  } finally {
    child.kill('SIGKILL');
  }
});
