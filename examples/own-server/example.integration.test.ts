import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('hosts that are services are answered by them, all others by the server', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(child.stdout, 'data');
    const port = Number(/listening on (\d+)/.exec(String(line))?.[1]);
    const ask = async (host: string) => {
      const request = get({ port, host: '127.0.0.1', headers: { host }, agent: false });
      const [answer] = await once(request, 'response');
      return text(answer);
    };
    expect(await ask('shop.example')).toBe('this is the shop');
    expect(await ask('www.Blog.example:80')).toBe('this is the blog');
    for (const host of ['evilshop.example', 'example', 'a_b'])
      expect(await ask(host)).toBe('this is the server itself');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
});
