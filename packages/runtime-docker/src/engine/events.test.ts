import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeEvent } from '@cless/model';
import { expect, test } from 'vitest';
import { Engine } from './engine.ts';
import { watchEvents } from './events.ts';

const event = (Action: string, ID: string, more: object = {}) =>
  `${JSON.stringify({ Type: 'container', Action, Actor: { ID, Attributes: { owner: 'me', ...more } } })}\n`;

test('what an engine says is told as it is, and what is no event is not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cless-events-'));
  const socket = join(directory, 'docker.sock');
  const server = createServer((_, response) => {
    response.write(
      '<html>\n\nnull\n[]\n{"Type":"container"}\n{"Type":"container","Actor":null,"timeNano":"x"}\n{"half',
    );
    response.write('":1}\n');
    response.write(event('oom', 'a') + event('die', 'a', { exitCode: '137' }));
    // A child process of it was killed, long ago.
    response.write(event('oom', 'b') + event('die', 'b', { exitCode: '0' }));
    response.write(event('die', 'c', { exitCode: '1' }) + event('destroy', 'c'));
    response.write(event('die', 'd', { exitCode: '1', owner: 'another' }));
    response.end('{"Type":"image","Action":"tag","Actor":{"ID":"sha256:1"}}\n');
  }).listen(socket);
  await once(server, 'listening');
  const stop = new AbortController();
  const events: RuntimeEvent[] = [];
  const isOurs = ({ owner }: Readonly<Record<string, string>>) => owner === 'me';
  for await (const one of watchEvents(new Engine(`unix://${socket}`), isOurs, stop.signal)) {
    events.push(one);
    if (one.type === 'disconnected') stop.abort();
  }
  expect(events).toEqual([
    { type: 'connected' },
    { type: 'oom', id: 'a' },
    { type: 'exited', id: 'a', exitCode: 137, oomKilled: true },
    { type: 'oom', id: 'b' },
    { type: 'exited', id: 'b', exitCode: 0, oomKilled: false },
    { type: 'exited', id: 'c', exitCode: 1, oomKilled: false },
    { type: 'removed', id: 'c' },
    { type: 'images-changed' },
    { type: 'disconnected', error: expect.any(Error) },
  ]);
  server.close();
  rmSync(directory, { recursive: true });
});
