import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
beforeEach(async () => {
  host = await Host.start();
});
afterEach(() => host.close());

/** The output of `cless events` up to this last word. */
async function told(
  args: string[],
  lastWord: string,
  ...events: { readonly type: string; readonly [fact: string]: unknown }[]
) {
  const { said, code } = host.start('events', ...args);
  await expect.poll(() => host.platform.listeners).toBe(1);
  for (const event of events) host.platform.publish(event);
  await expect.poll(() => said.out).toContain(lastWord);
  await host.close();
  await code;
  return said;
}

test('a line for each, with what is known of it', async () => {
  const { out } = await told(
    [],
    'two',
    { type: 'ready', service: 'web', durationMs: 12.4 },
    { type: 'stopped', service: 'web', reason: 'idle' },
    { type: 'exited', service: 'web', exitCode: 3 },
    { type: 'exited', service: 'web', exitCode: 137, oomKilled: true },
    { type: 'start-failed', service: 'web', message: 'no such file', lastLogLines: ['one', 'two'] },
  );
  const lines = out.replaceAll(/^\d\d:\d\d:\d\d /gm, '').split('\n');
  expect(lines.map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).toEqual([
    'web | ready | 12 ms',
    'web | stopped | (idle)',
    'web | exited | with code 3',
    'web | exited | out of memory',
    'web | start-failed | no such file',
    'one',
    'two',
    '',
  ]);
});

test('of one service are its own, and first why its last start failed', async () => {
  host.platform.lastStarts.set('web', {
    service: 'web',
    revision: 'r',
    at: new Date().toISOString(),
    failure: { reason: 'START_FAILED', message: 'no such file', lastLogLines: [] },
  });
  const { out, err } = await told(
    ['web'],
    'ready',
    { type: 'ready', service: 'shop' },
    { type: 'ready', service: 'web' },
  );
  expect(err).toContain('the last start of web failed: no such file\n');
  expect(out).toMatch(/web +ready\n$/);
  expect(out).not.toContain('shop');
});

test('as JSON they are what the API says', async () => {
  const { out } = await told(['--json'], 'ready', { type: 'ready', service: 'web', durationMs: 12.4 });
  expect(JSON.parse(out)).toMatchObject({ type: 'ready', service: 'web', durationMs: 12.4 });
});
