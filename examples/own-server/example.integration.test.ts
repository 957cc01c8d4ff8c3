import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const backends: Server[] = [];
afterAll(() => {
  for (const backend of backends) backend.close();
});

async function backend(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(`this is the ${name}`)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  backends.push(server);
  return (server.address() as AddressInfo).port;
}

test('tells two services apart by hostname', async () => {
  const ports = { shop: await backend('shop'), blog: await backend('blog') };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), JSON.stringify(ports)]);
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(line.toString().trim().split(' ').at(-1));
    const ask = (host: string) =>
      new Promise<string>((resolve, reject) => {
        get({ port, host: '127.0.0.1', headers: { host }, agent: false }, (answer) => {
          answer.setEncoding('utf8').once('data', resolve);
        }).on('error', reject);
      });
    expect(await ask('shop.example')).toBe('this is the shop');
    expect(await ask('www.Blog.example:80')).toBe('this is the blog');
    expect(await ask('evilshop.example')).toBe('no such service\n');
    expect(await ask('a_b')).toBe('no such service\n');
  } finally {
    child.kill();
  }
});
