import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { WorkerProcess } from './link.ts';
import { workerOf } from './process-port.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-port-'));
const script = join(directory, 'worker.mjs');
writeFileSync(
  script,
  `process.on('message', (message) => { process.send(message); if ('cancel' in message) process.exit(message.cancel); });`,
);
afterAll(() => rmSync(directory, { recursive: true }));

const closed = (worker: WorkerProcess) => new Promise<void>((resolve) => worker.onClosed(resolve));

test('messages go both ways; all that it said comes before its end, and how it ended is known', async () => {
  const worker = workerOf(fork(script));
  const came: unknown[] = [];
  worker.onMessage((message) => came.push(message));
  worker.send({ answer: 1, result: 'x' });
  worker.send({ cancel: 7 });
  await closed(worker);
  expect(came).toEqual([{ answer: 1, result: 'x' }, { cancel: 7 }]);
  expect(worker.ended).toEqual({ exitCode: 7, signal: null });
  worker.send({ cancel: 8 }); // to nobody
  worker.kill();
});

test('one that is killed', async () => {
  const worker = workerOf(fork(script));
  worker.kill();
  await closed(worker);
  expect(worker.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
});

test('a process that cannot be made has ended, and says why', async () => {
  const worker = workerOf(fork(script, { execPath: join(directory, 'no-node') }));
  worker.send({ cancel: 1 });
  await closed(worker);
  expect(worker.ended.error).toMatchObject({ code: 'ENOENT' });
  expect(worker.pid).toBeUndefined();
});
