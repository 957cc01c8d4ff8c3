import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is kept on disk of a process, so that the next proxy finds it. */
export interface ProcessRecord {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  readonly spec: string;
  readonly port: number;
  /** Absent between writing the record and starting the process. */
  readonly pid?: number;
  readonly startTime?: string;
}

/** One small JSON file per process, replaced as a whole. */
export class Records {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  all(): ProcessRecord[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => this.get(name.slice(0, -'.json'.length)) ?? []);
  }

  get(id: string): ProcessRecord | undefined {
    try {
      return JSON.parse(readFileSync(this.#file(id, 'json'), 'utf8')) as ProcessRecord;
    } catch {
      return undefined;
    }
  }

  put(record: ProcessRecord): void {
    writeFileSync(this.#file(record.id, 'new'), JSON.stringify(record), { mode: 0o600 });
    renameSync(this.#file(record.id, 'new'), this.#file(record.id, 'json'));
  }

  delete(id: string): void {
    for (const kind of ['json', 'new', 'log'] as const) rmSync(this.#file(id, kind), { force: true });
  }

  logFile(id: string): string {
    return this.#file(id, 'log');
  }

  // Private

  #file(id: string, kind: 'json' | 'new' | 'log'): string {
    if (!/^[0-9a-f]+$/.test(id)) throw new TypeError(`${JSON.stringify(id)} is no process id of ours`);
    return join(this.#directory, `${id}.${kind}`);
  }
}
