import { pino } from 'pino';
import { expect, test } from 'vitest';
import { accessLog } from './event-log.ts';

const access = {
  requestId: 'r1',
  method: 'GET',
  host: 'web.example',
  path: '/reset?token=hunter22&mail=a@b.example',
  service: 'web',
  revision: 'web-00001',
  status: 200,
  durationMs: 1.25,
  waitedFor: undefined,
  error: undefined,
} as const;

function logged(options: { query?: boolean }, path: string = access.path): string {
  let text = '';
  const log = pino({}, { write: (line: string) => (text += line) });
  accessLog(log, options)?.({ ...access, path });
  return text;
}

test('the access log says that there was a query, and not what is in it, unless it is wanted', () => {
  expect(JSON.parse(logged({})).msg).toBe('GET /reset?… 200');
  expect(logged({})).not.toMatch(/hunter22|a@b/);
  expect(JSON.parse(logged({ query: true })).msg).toBe(`GET ${access.path} 200`);
  expect(JSON.parse(logged({}, '/plain')).msg).toBe('GET /plain 200');
});

test('where nobody wants to read it nothing is made', () => {
  expect(accessLog(pino({ level: 'warn' }, { write: () => {} }))).toBeUndefined();
});
