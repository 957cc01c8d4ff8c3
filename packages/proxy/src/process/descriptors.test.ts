import { FakeClock } from '@cless/testkit';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { watchDescriptors } from './descriptors.ts';

test('that none are left is told once, again while it lasts, and when there are some', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  let code: string | undefined;
  watchDescriptors({
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) }),
    clock,
    probe: () => {
      if (code !== undefined) throw Object.assign(new Error(code), { code });
    },
  });
  await clock.advance(10_000);
  code = 'EACCES'; // says nothing
  await clock.advance(10_000);
  expect(lines).toEqual([]);
  code = 'EMFILE';
  await clock.advance(30_000);
  expect(lines).toEqual([expect.stringContaining('no file descriptors are left')]);
  await clock.advance(60_000);
  expect(lines).toHaveLength(2);
  code = undefined;
  await clock.advance(10_000);
  expect(lines.slice(2)).toEqual(['file descriptors are free again']);
});
