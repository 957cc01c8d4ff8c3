import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followFile, lastLines } from './log-tail.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cless-log-'));
  file = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('the last lines, an unfinished one among them, and none when none are wanted', async () => {
  writeFileSync(file, 'one\ntwo\r\n\nthree\nfour');
  expect(await lastLines(file, 2)).toEqual(['three', 'four']);
  expect(await lastLines(file, 100)).toEqual(['one', 'two', 'three', 'four']);
  expect(await lastLines(file, 0)).toEqual([]);
});

test('a line that is written in two parts around the beginning is one', async () => {
  writeFileSync(file, 'one\ntw');
  let isEnded = false;
  const following = followFile(file, {
    count: 10,
    ended: () => isEnded,
    signal: new AbortController().signal,
  });
  expect((await following.next()).value).toBe('one');
  appendFileSync(file, 'o\nthree');
  isEnded = true;
  const lines: string[] = [];
  for await (const line of following) lines.push(line);
  expect(lines).toEqual(['two', 'three']);
});

test('each line comes once, whenever it was written', async () => {
  for (let round = 0; round < 8; round++) {
    writeFileSync(file, '0\n');
    let isEnded = false;
    const lines: string[] = [];
    const following = (async () => {
      const signal = new AbortController().signal;
      for await (const line of followFile(file, { count: 1_000, ended: () => isEnded, signal }))
        lines.push(line);
    })();
    for (let i = 1; i <= 20; i++) {
      for (let turns = 0; turns < round % 4; turns++) await turn();
      appendFileSync(file, `${i}\n`);
    }
    isEnded = true;
    await following;
    expect(lines).toEqual(Array.from({ length: 21 }, (_, i) => String(i)));
  }
});
