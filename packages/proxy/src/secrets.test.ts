import { expect, test } from 'vitest';
import { conceal } from './secrets.ts';

test('the values of secrets are taken out, wherever they are', () => {
  expect(conceal('login root:hunter2! failed for hunter2!', ['hunter2!', 'other'])).toBe(
    'login root:[secret] failed for [secret]',
  );
  expect(conceal('nothing here', ['hunter2!'])).toBe('nothing here');
});

test('values so short that they are in every line are left', () => {
  expect(conceal('took 1 s', ['1'])).toBe('took 1 s');
});
