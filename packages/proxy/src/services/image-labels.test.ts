import { expect, test } from 'vitest';
import { type ImageDefaults, readImageLabels } from './image-labels.ts';

test.each<[string, string, ImageDefaults]>([
  ['port', '80', { port: 80 }],
  ['ready', '/healthz?x=1', { check: { kind: 'http', path: '/healthz?x=1' } }],
  ['ready', 'tcp', { check: { kind: 'tcp' } }],
  ['pause-after', '5m', { pauseAfterMs: 300_000 }],
  ['pause-after', 'never', { pauseAfterMs: 'never' }],
  ['stop-after', '1h', { stopAfterMs: 3_600_000 }],
])('cless.%s=%s counts', (name, value, defaults) => {
  expect(readImageLabels({ [`cless.${name}`]: value, 'org.example': 'x' })).toEqual({
    defaults,
    ignored: [],
  });
});

test.each([
  ['port', '0', '1 to 65535'],
  ['port', '65536', '1 to 65535'],
  ['port', '8e1', '1 to 65535'],
  ['ready', 'health', '/path and tcp'],
  ['ready', '/a b', '/path and tcp'],
  ['pause-after', 'soon', 'a duration'],
  ['stop-after', '', 'a duration'],
  ['host', 'evil.example', 'only cless.port'],
  ['owner', 'somebody', 'only cless.port'],
])('cless.%s=%j is ignored, and told', (name, value, why) => {
  const { defaults, ignored } = readImageLabels({ [`cless.${name}`]: value });
  expect([defaults, ignored]).toEqual([{}, [expect.stringContaining(why)]]);
  expect(ignored[0]).toContain(`cless.${name}`);
});
