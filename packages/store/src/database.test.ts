import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { databaseError, openDatabase } from './database.ts';
import { MIGRATIONS } from './migrations.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-database-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a new one has the schema of today, and opens again', () => {
  const path = join(directory, 'new.db');
  openDatabase(path).close();
  const old = new DatabaseSync(path);
  expect(old.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length });
  old.close();
  const again = openDatabase(path);
  expect(again.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  again.close();
});

test('one that is in memory only needs no file', () => {
  const database = openDatabase(':memory:');
  expect(database.prepare('SELECT count(*) AS count FROM services').get()).toEqual({ count: 0 });
  database.close();
});

test('while somebody writes it can be opened, and a change is refused at once', () => {
  const path = join(directory, 'busy.db');
  openDatabase(path).close();
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const ours = openDatabase(path);
  let error: unknown;
  try {
    ours.exec('BEGIN IMMEDIATE');
  } catch (thrown) {
    error = databaseError(path, thrown);
  }
  expect(error).toMatchObject({ code: 'DATABASE_BUSY', message: expect.stringContaining(path) });
  ours.close();
  other.close();
});

test('a migration that fails has changed nothing', () => {
  const path = join(directory, 'half.db');
  openDatabase(path).close();
  const old = new DatabaseSync(path);
  // Runs the last step again in a migrated database, where its result exists already.
  old.exec('DROP TABLE revisions; PRAGMA user_version = 1');
  old.close();
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATABASE_FAILED' }));
  const after = new DatabaseSync(path);
  expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
  after.close();
});

test('an empty file is no new database', () => {
  const path = join(directory, 'empty.db');
  writeFileSync(path, '');
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'DATABASE_DAMAGED' }));
});

/** As node:sqlite throws them; extended codes have more bytes (https://www.sqlite.org/rescode.html). */
test.each([
  [5, 'DATABASE_BUSY'],
  [517, 'DATABASE_BUSY'],
  [6, 'DATABASE_BUSY'],
  [11, 'DATABASE_DAMAGED'],
  [26, 'DATABASE_DAMAGED'],
  [13, 'DATABASE_FULL'],
  [3, 'DATABASE_UNWRITABLE'],
  [8, 'DATABASE_UNWRITABLE'],
  [10, 'DATABASE_UNWRITABLE'],
  [14, 'DATABASE_UNWRITABLE'],
  [19, 'DATABASE_FAILED'],
])('SQLite’s %i is %s', (errcode, code) => {
  const cause = Object.assign(new Error('from SQLite'), { errcode });
  expect(databaseError('/a.db', cause)).toMatchObject({ code, cause });
});

test('what is no error of SQLite’s is left as it is', () => {
  const error = new TypeError('a bug');
  expect(databaseError('/a.db', error)).toBe(error);
  expect(databaseError('/a.db', 'thrown')).toBe('thrown');
});
