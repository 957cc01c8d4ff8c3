import { expect, test } from 'vitest';
import { type Container, findLeftovers, type Snapshot } from './invariants.ts';

const web: Container = { id: 'a1', service: 'web', revision: '1', state: 'running' };
const calm: Snapshot = {
  containers: [web],
  networks: ['cless-me'],
  volumes: [],
  leases: 0,
  openFiles: 40,
};

test('nothing is wrong with what is as before, nor with less', () => {
  expect(findLeftovers(calm, calm, new Map([['web', 'a1']]))).toEqual([]);
  expect(findLeftovers(calm, { ...calm, containers: [], networks: [], openFiles: 20 })).toEqual([]);
});

test('two revisions of one service may run at once', () => {
  const containers = [web, { ...web, id: 'b2', revision: '2', state: 'paused' }];
  expect(findLeftovers(calm, { ...calm, containers })).toEqual([]);
});

test.each<[string, Partial<Snapshot>]>([
  ['2 instances of web 1', { containers: [web, { ...web, id: 'b2', state: 'paused' }] }],
  ['container a1 of web is exited', { containers: [{ ...web, state: 'exited' }] }],
  ['container a1 of web is created', { containers: [{ ...web, state: 'created' }] }],
  ['the instance of web is another one', { containers: [{ ...web, id: 'b2' }] }],
  ['network cless-other was left', { networks: ['cless-me', 'cless-other'] }],
  ['two networks of one name: cless-me,cless-me', { networks: ['cless-me', 'cless-me'] }],
  ['volume data was left', { volumes: ['data'] }],
  ['1 leases are held', { leases: 1 }],
  ['90 open files, 40 before', { openFiles: 90 }],
])('%s', (violation, change) => {
  expect(findLeftovers(calm, { ...calm, ...change }, new Map([['web', 'a1']]))).toEqual([violation]);
});
