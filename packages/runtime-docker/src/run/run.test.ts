import { expect, test } from 'vitest';
import { nameOf, onlyPort } from './run.ts';

test('a port that the image does not tell has to be given', () => {
  expect(onlyPort('web', [3000])).toBe(3000);
  expect(() => onlyPort('web', [])).toThrow('it exposes no port; say where it listens');
  expect(() => onlyPort('web', [80, 443])).toThrow('it exposes the ports 80, 443; say where it listens');
});

test.each([
  ['web', 'web'],
  ['ghcr.io/acme/web:1', 'web'],
  ['localhost:5000/web', 'web'],
  ['localhost:5000/acme/web@sha256:0123', 'web'],
  ['sha256:0123', 'sha256'],
])('what is run of %s is called %s', (image, name) => {
  expect(nameOf(image)).toBe(name);
});
