import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Records } from './records.ts';

let directory: string;
let records: Records;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'cless-records-')), 'processes');
  records = new Records(directory);
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

const record = { id: 'a1', service: 'web', revision: 'r', spec: 's', port: 80, pid: 7, startTime: '9' };

test('what one has put the next one finds, for the eyes of their owner only', () => {
  records.put(record);
  records.put({ ...record, id: 'b2' });
  const next = new Records(directory);
  expect(next.get('a1')).toEqual(record);
  expect(next.all().map(({ id }) => id)).toEqual(['a1', 'b2']);
  expect(readdirSync(directory).sort()).toEqual(['a1.json', 'b2.json']);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, 'a1.json')).mode & 0o777).toBe(0o600);
});

test('the last one counts', () => {
  records.put(record);
  records.put({ ...record, port: 81 });
  expect(records.all()).toEqual([{ ...record, port: 81 }]);
});

test('what is deleted is gone, with its log', () => {
  records.put(record);
  writeFileSync(records.logFile('a1'), 'hello\n');
  records.delete('a1');
  records.delete('a1');
  expect([records.get('a1'), records.all(), readdirSync(directory)]).toEqual([undefined, [], []]);
});

test('one that somebody else has removed is gone here, too', () => {
  records.put(record);
  rmSync(join(directory, 'a1.json'));
  expect(records.get('a1')).toBeUndefined();
  rmSync(directory, { recursive: true });
  expect(records.get('a1')).toBeUndefined();
});

test('while the folder is gone, what was put is known by heart', () => {
  records.put(record);
  rmSync(directory, { recursive: true });
  expect(records.all()).toEqual([record]);
  records.put({ ...record, id: 'b2' });
  expect(records.all().map(({ id }) => id)).toEqual(['a1', 'b2']);
});

test('what was never put is not there, and no other file is one', () => {
  mkdirSync(join(directory, 'folder'));
  writeFileSync(join(directory, 'c3.new'), 'half');
  expect(records.get('c3')).toBeUndefined();
  expect(records.all()).toEqual([]);
});

test.each(['../a1', 'A1', '', 'a/b'])('%j is no id of ours', (id) => {
  expect(() => records.logFile(id)).toThrow(TypeError);
});
