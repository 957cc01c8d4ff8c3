import { expect, test } from 'vitest';
import { type ImageLabels, readImageLabels } from './labels.ts';

test.each<[string, string, ImageLabels['said']]>([
  ['port', '80', { port: 80 }],
  ['ready', '/healthz?x=1', { readiness: { path: '/healthz?x=1' } }],
  ['ready', 'tcp', { readiness: { kind: 'tcp' } }],
  ['pause-after', '5m', { idle: { pauseAfter: '5m' } }],
  ['pause-after', 'never', { idle: { pauseAfter: 'never' } }],
  ['stop-after', '1h', { idle: { stopAfter: '1h' } }],
])('cless.%s=%s counts', (name, value, said) => {
  expect(readImageLabels({ [`cless.${name}`]: value, 'org.example': 'x' })).toEqual({ said, ignored: [] });
});

test.each([
  ['port', '0', 'allowed are 1 to 65535'],
  ['port', '65536', 'allowed are 1 to 65535'],
  ['port', '8e1', 'allowed are 1 to 65535'],
  ['ready', 'health', 'allowed are /path and tcp'],
  ['ready', 'http', 'allowed are /path and tcp'],
  ['ready', '/a b', 'allowed are /path and tcp'],
  ['pause-after', 'soon', 'allowed is a duration like 30s, or never'],
  ['stop-after', '', 'allowed is a duration like 30s, or never'],
  ['host', 'evil.example', 'only cless.port, cless.ready, cless.pause-after and cless.stop-after count'],
  ['owner', 'somebody', 'only cless.port'],
])('cless.%s=%j is ignored, and told', (name, value, why) => {
  const { said, ignored } = readImageLabels({ [`cless.${name}`]: value });
  expect([said, ignored]).toEqual([{}, [expect.stringContaining(why)]]);
  expect(ignored[0]).toContain(`cless.${name}`);
});

test('what several labels say of one group stands side by side', () => {
  expect(readImageLabels({ 'cless.pause-after': '5m', 'cless.stop-after': 'never' }).said).toEqual({
    idle: { pauseAfter: '5m', stopAfter: 'never' },
  });
});
