import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The state directory cannot be used. */
export class StateDirectoryError extends Error {
  override readonly name = 'StateDirectoryError';
  readonly code = 'STATE_DIRECTORY';
}

/** What this installation keeps on disk, for its owner's eyes only. One proxy at a time has it. */
export class StateDirectory {
  readonly path: string;
  /** SQLite's lock on a file is the system's: it ends with the process, however that ends. */
  readonly #lock: DatabaseSync;

  /** @throws {StateDirectoryError} if it cannot be written, or another proxy has it */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    } catch (error) {
      throw new StateDirectoryError(
        `the state directory ${path} cannot be used (${reason(error)}); CLESS_STATE_DIR names another`,
        {
          cause: error,
        },
      );
    }
    this.#lock = new DatabaseSync(join(path, 'lock'));
    try {
      this.#lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    } catch (error) {
      this.#lock.close();
      throw new StateDirectoryError(
        `another proxy uses the state directory ${path}; CLESS_STATE_DIR names another`,
        { cause: error },
      );
    }
  }

  /** The id of this installation; made at the first start. */
  owner(): string {
    const file = join(this.path, 'owner');
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      const owner = randomBytes(6).toString('hex');
      writeFileSync(file, `${owner}\n`, { mode: 0o600 });
      return owner;
    }
  }

  /** Where the admin API is, for the CLI; nothing if it is nowhere. */
  writeAdminUrl(url: string | undefined): void {
    const file = join(this.path, 'admin-url');
    if (url === undefined) rmSync(file, { force: true });
    else writeFileSync(file, `${url}\n`, { mode: 0o600 });
  }

  close(): void {
    this.#lock.close();
  }
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
