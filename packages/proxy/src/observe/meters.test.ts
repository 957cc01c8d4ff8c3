import { expect, test } from 'vitest';
import { Meters, sum } from './meters.ts';

test('what several processes have counted is added up, with at most a thousand services apart', () => {
  const snapshots = ['a', 'b', 'c'].map((process) => {
    const meters = new Meters();
    meters.problem('backoff');
    meters.of('web').begin();
    meters.of('web').begin();
    meters.of('web').end(200);
    for (let i = 0; i < 600; i++) meters.of(`${process}${i}`).begin();
    return meters.read();
  });
  const { services, problems, residentBytes } = sum(snapshots);
  expect(services.find(([name]) => name === 'web')).toEqual(['web', 3, [0, 0, 3, 0, 0, 0]]);
  expect(services.find(([name]) => name === '_others')).toEqual(['_others', 801, [0, 0, 0, 0, 0, 0]]);
  expect(services).toHaveLength(1_001);
  expect(problems).toEqual([['backoff', 3]]);
  expect(residentBytes).toBeGreaterThan(snapshots[0]?.residentBytes ?? 0);
});
