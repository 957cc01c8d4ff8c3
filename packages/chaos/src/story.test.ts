import { seededRandom } from '@cless/testkit';
import { expect, test } from 'vitest';
import { type Chapter, tellStory } from './story.ts';

const faults = ['kill', 'pause', 'prune', 'freeze'];
/** The beginning of a story. */
function tell(seed: number, told = faults, chapters = 200): Chapter<string>[] {
  const begun: Chapter<string>[] = [];
  for (const chapter of tellStory(told, seededRandom(seed))) {
    if (begun.push(chapter) === chapters) break;
  }
  return begun;
}

test('the same seed tells the same story, another one another', () => {
  expect(tell(7)).toEqual(tell(7));
  expect(tell(8)).not.toEqual(tell(7));
});

test('each fault comes, none twice in a row', () => {
  const names = tell(7).map(({ fault }) => fault);
  expect(new Set(names)).toEqual(new Set(faults));
  expect(names.filter((name, i) => name === names[i - 1])).toEqual([]);
});

test('of one fault it is always that; of none there is no story', () => {
  expect(tell(1, ['kill'], 3)).toHaveLength(3);
  expect(tell(1, [])).toEqual([]);
});
