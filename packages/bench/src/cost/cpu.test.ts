import { describe, expect, it } from 'vitest';
import { ticksIn } from './cpu.ts';

describe('ticksIn', () => {
  const rest = 'S 1 2 2 0 -1 4194560 100 0 0 0 250 125 0 0 20 0 1 0 1000 0';

  it('adds user and system time', () => {
    expect(ticksIn(`42 (nginx) ${rest}`)).toBe(375);
  });

  it('is not misled by what a process calls itself', () => {
    expect(ticksIn(`42 (a) 1 2) R 9 9) ${rest}`)).toBe(375);
  });
});
