import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGE, withSettings } from './settings.ts';

test('the settings in the README of the proxy are those that there are (else: npm run picture)', () => {
  const page = readFileSync(PAGE, 'utf8');
  expect(page).toBe(withSettings(page));
});
