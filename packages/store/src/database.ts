import { chmodSync, existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Code, Failure, messageOf } from '@cless/model';
import { MIGRATIONS } from './migrations.ts';

type DatabaseCode = Extract<Code, `DATABASE_${string}`>;

/** "cLes", in the file's header (https://www.sqlite.org/fileformat2.html, `application_id`). */
const APPLICATION_ID = 0x634c_6573;
/** How long opening may wait for another program, in milliseconds. */
const OPENING_TIMEOUT_MS = 5_000;
/**
 * How long any later statement may wait, in milliseconds. It blocks the event loop, so callers that can wait longer
 * try again.
 */
const BUSY_TIMEOUT_MS = 10;

/**
 * Opens the database, or creates it. Checks it before writing anything: a database that is damaged, of a newer
 * version or not ours is left as it is.
 *
 * @throws with a code `DATABASE_…`
 */
export function openDatabase(path: string): DatabaseSync {
  // SQLite would take a file truncated to zero for a new database, and all services would be gone without an error.
  if (statSync(path, { throwIfNoEntry: false })?.size === 0)
    throw left(path, 'DATABASE_DAMAGED', 'is empty: restore a copy of it, or remove it to begin anew');
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { timeout: OPENING_TIMEOUT_MS, enableForeignKeyConstraints: true });
  } catch (error) {
    throw databaseError(path, error);
  }
  try {
    examine(path, database);
    // FULL: what was acknowledged survives a loss of power.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    migrate(database);
    for (const suffix of ['', '-wal', '-shm']) {
      if (path !== ':memory:' && existsSync(path + suffix)) chmodSync(path + suffix, 0o600); // it contains secrets
    }
    return database;
  } catch (error) {
    database.close();
    throw databaseError(path, error);
  }
}

function examine(path: string, database: DatabaseSync): void {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count;
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0 || tables !== 0)) {
    throw left(path, 'DATABASE_FOREIGN', 'is not one of cLess');
  }
  if (version > MIGRATIONS.length) {
    throw left(
      path,
      'DATABASE_NEWER',
      `was written by a newer cLess (schema ${version}; this one knows ${MIGRATIONS.length}): update cLess`,
    );
  }
  const check = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (check !== 'ok') throw left(path, 'DATABASE_DAMAGED', `is damaged (${check}): restore a copy of it`);
}

function migrate(database: DatabaseSync): void {
  const isCurrent = () => pragma(database, 'user_version') === MIGRATIONS.length;
  if (isCurrent()) {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    checkWritable(database);
    return;
  }
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(pragma(database, 'user_version'))) database.exec(step);
    database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`,
    );
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
}

/**
 * If somebody else holds the write lock, the database is writable, so it will be for us later; reading needs no lock.
 */
function checkWritable(database: DatabaseSync): void {
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
  } catch (error) {
    if (resultCode(error) !== SQLITE_BUSY) throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** SQLite's result code (https://www.sqlite.org/rescode.html), the first byte of an extended one. */
function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}

const SQLITE_BUSY = 5;

/** The database cannot be opened, read or written. */
function left(path: string, code: DatabaseCode, what: string, cause?: unknown): Failure {
  return new Failure(code, `the database ${path} ${what}; it was left as it is`, { cause });
}

/** What is in the database is not what was written. */
export function damaged(path: string, cause: unknown): Failure {
  return left(path, 'DATABASE_DAMAGED', `is damaged (${messageOf(cause)}): restore a copy of it`, cause);
}

/** Translates an error of SQLite. Any other error is returned as it is. */
export function databaseError(path: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const because = (code: DatabaseCode, what: string) => left(path, code, `${what} (${error.message})`, error);
  switch (resultCode(error)) {
    case undefined:
      return error;
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return damaged(path, error);
    case SQLITE_BUSY:
    case 6: // SQLITE_LOCKED
      return because('DATABASE_BUSY', 'is being written by another program');
    case 13: // SQLITE_FULL
      return because('DATABASE_FULL', 'cannot be written, since the disk is full: make room');
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
      return because('DATABASE_UNWRITABLE', 'cannot be written');
    default:
      return because('DATABASE_FAILED', 'could not be used');
  }
}
