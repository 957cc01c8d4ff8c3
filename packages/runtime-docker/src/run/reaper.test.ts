import { expect, test } from 'vitest';
import { isOrphan } from './reaper.ts';

const booted = 1_000_000;

test('who made it decides', () => {
  for (const State of ['running', 'exited']) {
    for (const Created of [booted - 1, booted + 1]) {
      expect(isOrphan({ State, Created }, 'dead', booted)).toBe(true);
      expect(isOrphan({ State, Created }, 'alive', booted)).toBe(false);
    }
  }
});

test('of a maker that cannot be seen only what is from before this boot goes, and does not run', () => {
  expect(isOrphan({ State: 'exited', Created: booted - 1 }, 'unknown', booted)).toBe(true);
  expect(isOrphan({ State: 'created', Created: booted - 1 }, 'unknown', booted)).toBe(true);
  for (const State of ['running', 'paused', 'restarting', 'removing'])
    expect(isOrphan({ State, Created: booted - 1 }, 'unknown', booted)).toBe(false);
  expect(isOrphan({ State: 'exited', Created: booted + 1 }, 'unknown', booted)).toBe(false);
});
