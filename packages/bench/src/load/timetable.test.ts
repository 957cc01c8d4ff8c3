import { describe, expect, it } from 'vitest';
import { Timetable } from './timetable.ts';

describe('Timetable', () => {
  /** Ten requests, one each 100 ms, the first at 1,000. */
  const ten = () => new Timetable(1_000, 10, 1);

  it('gives out each request once, when it is due', () => {
    const timetable = ten();
    expect(timetable.take(999)).toBeUndefined();
    expect(timetable.take(1_000)).toBe(0);
    expect(timetable.take(1_000)).toBeUndefined();
    expect(timetable.take(1_250)).toBe(1);
    expect(timetable.take(1_250)).toBe(2);
    expect(timetable.take(1_250)).toBeUndefined();
    for (let i = 3; i < 10; i++) expect(timetable.take(9_999)).toBe(i);
    expect(timetable.take(9_999)).toBeUndefined();
  });

  it('counts from the time a request was due, though it was sent later', () => {
    const timetable = ten();
    for (let i = 0; i < 10; i++) {
      timetable.take(3_000);
      timetable.answered(i, 3_000);
    }
    expect(timetable.isAnswered).toBe(true);
    expect(timetable.sum(5_000)).toMatchObject({ p50: 1_600, p99: 2_000, kept: 0 });
  });

  it('counts what was never answered, as long as it has waited', () => {
    const timetable = ten();
    for (let i = 0; i < 10; i++)
      if (timetable.take(1_000 + i * 100) !== 4) timetable.answered(i, 1_000 + i * 100);
    expect(timetable.isAnswered).toBe(false);
    expect(timetable.sum(3_000)).toMatchObject({ p50: 0, p99: 1_600, kept: 0.9 });
  });

  it('leaves out what was due during the warm-up', () => {
    const timetable = ten();
    for (let i = 0; i < 10; i++) {
      timetable.take(1_900);
      timetable.answered(i, 1_900);
    }
    expect(timetable.sum(2_000, 0.5)).toMatchObject({ p999: 400, kept: 1 });
  });

  it('knows how late the load itself was: only where it did not wait for answers', () => {
    const timetable = ten();
    timetable.takeIdle(1_003);
    timetable.take(1_190);
    expect(timetable.sum(2_000).lateP99).toBe(3);
  });
});
