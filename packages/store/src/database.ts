import { chmodSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DatabaseError } from './errors.ts';
import { MIGRATIONS } from './migrations.ts';

/** "cLes", in the file's header (https://www.sqlite.org/fileformat2.html, `application_id`). */
const APPLICATION_ID = 0x634c_6573;

/**
 * Opens the database, or makes it. It is looked at before anything is written: one that is damaged, of a newer version
 * or somebody else's is left as it is.
 *
 * @throws {DatabaseError}
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  } catch (error) {
    throw translate(path, error);
  }
  try {
    examine(path, database);
    // FULL: what was acknowledged is on disk, also after a loss of power.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    migrate(database);
    for (const suffix of ['', '-wal', '-shm']) {
      if (path !== ':memory:' && existsSync(path + suffix)) chmodSync(path + suffix, 0o600); // there are secrets in it
    }
    return database;
  } catch (error) {
    database.close();
    throw translate(path, error);
  }
}

function examine(path: string, database: DatabaseSync): void {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count;
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0 || tables !== 0)) {
    throw new DatabaseError(path, 'foreign', 'is not one of cLess');
  }
  if (version > MIGRATIONS.length) {
    throw new DatabaseError(
      path,
      'newer',
      `was written by a newer cLess (schema ${version}; this one knows ${MIGRATIONS.length}): update cLess`,
    );
  }
  const check = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (check !== 'ok') throw new DatabaseError(path, 'damaged', `is damaged (${check}): restore a copy of it`);
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(pragma(database, 'user_version'))) database.exec(step);
    database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`,
    );
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** SQLite's result codes (https://www.sqlite.org/rescode.html), the first byte of an extended one. */
function translate(path: string, error: unknown): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  const code = Number((error as { errcode?: number }).errcode) & 0xff;
  switch (code) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new DatabaseError(path, 'damaged', `is damaged (${error.message}): restore a copy of it`, error);
    case 3: // SQLITE_PERM
    case 5: // SQLITE_BUSY
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 13: // SQLITE_FULL
    case 14: // SQLITE_CANTOPEN
      return new DatabaseError(path, 'unwritable', `cannot be written (${error.message})`, error);
    default:
      return error;
  }
}
