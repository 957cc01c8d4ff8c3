import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is stored about a process on disk, so that the next proxy finds it. */
export interface ProcessRecord {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  readonly spec: string;
  readonly port: number;
  /** Undefined between writing the record and starting the process. */
  readonly pid?: number;
  readonly startTime?: string;
}

/**
 * One small JSON file per process, replaced as a whole. The next proxy finds processes by these files. While they
 * cannot be read, because their folder was removed or no file descriptors are left, the records in memory are used.
 */
export class Records {
  readonly #directory: string;
  readonly #put = new Map<string, ProcessRecord>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  all(): ProcessRecord[] {
    return this.#ids().flatMap((id) => this.get(id) ?? []);
  }

  get(id: string): ProcessRecord | undefined {
    try {
      return JSON.parse(readFileSync(this.#file(id, 'json'), 'utf8')) as ProcessRecord;
    } catch (error) {
      // Somebody else has removed it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync(this.#directory))
        this.#put.delete(id);
      return this.#put.get(id);
    }
  }

  put(record: ProcessRecord): void {
    this.#put.set(record.id, record);
    try {
      writeFileSync(this.#file(record.id, 'new'), JSON.stringify(record), { mode: 0o600 });
      renameSync(this.#file(record.id, 'new'), this.#file(record.id, 'json'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // the folder is gone, so no other proxy will look there
    }
  }

  delete(id: string): void {
    this.#put.delete(id);
    for (const kind of ['json', 'new', 'log'] as const) rmSync(this.#file(id, kind), { force: true });
  }

  logFile(id: string): string {
    return this.#file(id, 'log');
  }

  // Private

  #ids(): string[] {
    try {
      return readdirSync(this.#directory)
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, -'.json'.length));
    } catch {
      return [...this.#put.keys()];
    }
  }

  #file(id: string, kind: 'json' | 'new' | 'log'): string {
    if (!/^[0-9a-f]+$/.test(id)) throw new TypeError(`${JSON.stringify(id)} is no process id of ours`);
    return join(this.#directory, `${id}.${kind}`);
  }
}
