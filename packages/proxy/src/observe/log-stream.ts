import { writeSync } from 'node:fs';

export interface LogStreamOptions {
  /** The file descriptor to write to: a file, a terminal, or a non-blocking pipe or socket. */
  readonly fd: number;
  /** Called when writing works again, with the number of lost lines. */
  readonly onRecovered: (lost: number) => void;
  /** How much may wait for a slow reader, in bytes. Default 1 MiB. */
  readonly maxWaitingBytes?: number;
}

const MAX_WAITING_BYTES = 1024 * 1024;
/** How long to wait before writing to a slow reader again, in milliseconds. */
const RETRY_MS = 20;
/** How long an exit waits for a slow reader, in milliseconds. */
const LAST_FLUSH_MS = 500;

/**
 * Writes log lines. A line that cannot be written is dropped and counted: a full disk, or a reader that is gone or
 * does not read, never causes an exception, blocks, or takes unlimited memory.
 *
 * Writes synchronously, so that nothing is lost at exit, and without a stream, which would make a request half as
 * expensive again.
 */
export class LogStream {
  readonly #options: LogStreamOptions;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Has a line been written only in part? */
  #midLine = false;
  /** Did the last attempt fail? */
  #failing = false;
  #dropped = 0;
  /** Lines lost since the last one written. */
  #untold = 0;

  constructor(options: LogStreamOptions) {
    this.#options = options;
  }

  /** How many lines have been lost in total. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes a line, which must end with a line feed. */
  write(line: string): void {
    this.#put(Buffer.from(this.#midLine ? `\n${line}` : line));
    this.#tell();
  }

  /** Waits a short time for a slow reader, blocking the process. For use at its end. */
  flushSync(timeoutMs = LAST_FLUSH_MS): void {
    const deadline = performance.now() + timeoutMs;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      this.#flush();
      if (this.#waiting.length === 0 || performance.now() >= deadline) return;
      Atomics.wait(sleeper, 0, 0, RETRY_MS);
    }
  }

  // Private

  #attempt(line: Buffer): void {
    let rest = line;
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#options.fd, rest));
      this.#midLine = false;
      this.#failing = false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#wait(rest);
        return;
      }
      if (rest.length < line.length) this.#midLine = true;
      this.#failing = true;
      this.#drop();
    }
  }

  #wait(line: Buffer): void {
    const { maxWaitingBytes = MAX_WAITING_BYTES } = this.#options;
    // The first entry is always accepted, since it may be the rest of a line.
    if (this.#waiting.length > 0 && this.#waitingBytes + line.length > maxWaitingBytes) {
      this.#drop();
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#retry ??= setTimeout(() => this.#flush(), RETRY_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const lines = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    // Once a line has to wait, all later ones do.
    for (const line of lines) this.#put(line);
    this.#tell();
  }

  #put(line: Buffer): void {
    if (this.#waiting.length > 0) this.#wait(line);
    else this.#attempt(line);
  }

  #drop(): void {
    this.#dropped += 1;
    this.#untold += 1;
  }

  /** Reports how many lines are missing, once a whole line has been written again. */
  #tell(): void {
    if (this.#untold === 0 || this.#waiting.length > 0 || this.#failing) return;
    const lost = this.#untold;
    this.#untold = 0;
    this.#options.onRecovered(lost);
    if (this.#untold > 0) this.#untold += lost; // the report itself could not be written
  }
}
