import { describe, expect, it } from 'vitest';
import { straceCounts } from './strace-counts.ts';

describe('straceCounts', () => {
  it('reads the calls of each name, with and without errors', () => {
    const summary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.02    0.093120           4     20010           write
 30.11    0.046000           2     20021         7 read
  8.87    0.013500          10      1320           epoll_pwait
------ ----------- ----------- --------- --------- ----------------
100.00    0.152620           3     41351         7 total
`;
    expect([...straceCounts(summary)]).toEqual([
      ['write', 20_010],
      ['read', 20_021],
      ['epoll_pwait', 1_320],
    ]);
  });

  it('finds none where no call was made', () => {
    expect(straceCounts('').size).toBe(0);
  });
});
