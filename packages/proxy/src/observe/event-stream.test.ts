import { expect, test } from 'vitest';
import { EventStream, type PublishedEvent, publicFacts } from './event-stream.ts';

const numbers = (events: PublishedEvent[]) => events.map(({ n }) => n);

test('who listens is told from then on, and no more when it has stopped', () => {
  const stream = new EventStream();
  stream.publish({ type: 'x', n: 1 });
  const heard: PublishedEvent[] = [];
  const stop = stream.subscribe((event) => heard.push(event));
  stream.publish({ type: 'x', n: 2 });
  stop();
  stream.publish({ type: 'x', n: 3 });
  expect(numbers(heard)).toEqual([2]);
});

test('who was away is told what came since, as far as it is kept', () => {
  const stream = new EventStream();
  const ids: string[] = [];
  stream.subscribe(({ id }) => ids.push(id));
  for (let n = 0; n < 1_500; n++) stream.publish({ type: 'x', n });
  const since = (after: string) => {
    const heard: PublishedEvent[] = [];
    stream.subscribe((event) => heard.push(event), after)();
    return numbers(heard);
  };
  expect(since(ids[1_496] ?? '')).toEqual([1_497, 1_498, 1_499]);
  expect(since(ids[1_499] ?? '')).toEqual([]);
  expect(since(ids[3] ?? '')).toHaveLength(1_000);
  expect(since('another-run-12')).toHaveLength(1_000);
  expect(since('nonsense')).toHaveLength(1_000);
});

test('of an error it is told why, not what it is made of', () => {
  const error = Object.assign(new Error('it exited with code 3'), {
    code: 'START_FAILED',
    exitCode: 3,
    cause: { env: 'secret' },
  });
  const about = { service: 'web', revision: 'web-00001', instance: 'i1' };
  expect(publicFacts({ type: 'start-failed', error, lastLogLines: ['a'], ...about })).toEqual({
    type: 'start-failed',
    ...about,
    lastLogLines: ['a'],
    reason: 'start-failed',
    message: 'it exited with code 3',
    exitCode: 3,
  });
});
