import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '@cless/model';

/** The directory with the state of this installation, private to its owner. Used by one proxy at a time. */
export class StateDirectory {
  /** Absolute. */
  readonly path: string;
  /** SQLite's lock on a file belongs to the kernel, so it ends with the process, however that ends. */
  readonly #lock: DatabaseSync;
  /** Identifies the locked file: another file of that name is another state directory. */
  readonly #inode: number;

  /** @throws with code `STATE_DIRECTORY`, if it cannot be written, others may write to it, or another proxy uses it */
  constructor(path: string) {
    this.path = resolve(path);
    this.#make();
    const file = join(this.path, 'lock');
    let lock: DatabaseSync | undefined;
    try {
      lock = new DatabaseSync(file);
      lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
      this.#inode = statSync(file).ino;
    } catch (error) {
      lock?.close();
      if (!isBusy(error)) throw this.#unusable(error);
      throw new Failure(
        'STATE_DIRECTORY',
        `another proxy uses the state directory ${this.path}; CLESS_STATE_DIR names another`,
        { cause: error },
      );
    }
    this.#lock = lock;
  }

  /** Is it still there? It may have been removed or replaced. */
  get exists(): boolean {
    try {
      return statSync(join(this.path, 'lock')).ino === this.#inode;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'ENOENT' && code !== 'ENOTDIR'; // other errors only mean that it could not be checked
    }
  }

  /** The id of this installation, created at the first start. @throws with code `STATE_DIRECTORY`, if it cannot be read */
  owner(): string {
    const file = join(this.path, 'owner');
    let owner: string;
    try {
      owner = readFileSync(file, 'utf8').trim();
    } catch (error) {
      // With a new id, running containers would belong to somebody else for good.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw this.#unusable(error);
      return this.#makeOwner(file);
    }
    if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(owner)) return owner;
    throw new Failure(
      'STATE_DIRECTORY',
      `${file} holds no id: restore it (containers have it as their label cless.owner), or remove it, and a new one is ` +
        'made: what runs of the old one is then left alone',
    );
  }

  /** Writes down the URL of the admin API for the CLI; undefined if there is none. */
  writeAdminUrl(url: string | undefined): void {
    const file = join(this.path, 'admin-url');
    if (url === undefined) rmSync(file, { force: true });
    else writeFileSync(file, `${url}\n`, { mode: 0o600 });
  }

  close(): void {
    this.#lock.close();
  }

  // Private

  #make(): void {
    let mode: number;
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      ({ mode } = statSync(this.path));
    } catch (error) {
      throw this.#unusable(error);
    }
    // An existing directory keeps its mode, since others may use it too.
    if ((mode & 0o022) === 0) return;
    throw new Failure(
      'STATE_DIRECTORY',
      `others than its owner may write to the state directory ${this.path} (mode ${(mode & 0o7777).toString(8)}): ` +
        `chmod go-w it if it is for cLess alone, else CLESS_STATE_DIR names another`,
    );
  }

  /** Atomic, also if power is lost. */
  #makeOwner(file: string): string {
    const owner = randomBytes(6).toString('hex');
    try {
      const fd = openSync(`${file}.new`, 'w', 0o600);
      try {
        writeSync(fd, `${owner}\n`);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(`${file}.new`, file);
      const directory = openSync(this.path, 'r');
      try {
        fsyncSync(directory);
      } finally {
        closeSync(directory);
      }
    } catch (error) {
      throw this.#unusable(error);
    }
    return owner;
  }

  #unusable(error: unknown): Failure {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === undefined || code === 'ERR_SQLITE_ERROR' ? message : code;
    return new Failure(
      'STATE_DIRECTORY',
      `the state directory ${this.path} cannot be used (${reason}); CLESS_STATE_DIR names another`,
      { cause: error },
    );
  }
}

/** https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return (Number((error as { errcode?: unknown }).errcode) & 0xff) === 5;
}
