import { writeSync } from 'node:fs';

export interface LogStreamOptions {
  /** Where to write: a file, a terminal, or the end of a pipe or socket that does not block. */
  readonly fd: number;
  /** Called when writing works again, with the number of lines that were lost. */
  readonly onRecovered: (lost: number) => void;
  /** How much may wait for a reader that is slow, in bytes. Default 1 MiB. */
  readonly maxWaitingBytes?: number;
}

const MAX_WAITING_BYTES = 1024 * 1024;
/** How long a reader is given before it is asked again, in milliseconds. */
const RETRY_MS = 20;
/** How long an exit waits for a slow reader, in milliseconds. */
const LAST_FLUSH_MS = 500;

/**
 * Where log lines go. A line that cannot be written is dropped and counted: a full disk, a reader that is gone or does not
 * read never throws, never blocks, and takes no more memory than it is given.
 *
 * Written synchronously, so that an exit loses nothing, and without a stream, which would cost half as much again a request.
 */
export class LogStream {
  readonly #options: LogStreamOptions;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Has only the beginning of a line been written? */
  #midLine = false;
  /** Did the last attempt fail? */
  #failing = false;
  #dropped = 0;
  /** Lines that were lost since the last one that was not. */
  #untold = 0;

  constructor(options: LogStreamOptions) {
    this.#options = options;
  }

  /** How many lines have been lost. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes a line, which ends with a line feed. */
  write(line: string): void {
    this.#put(Buffer.from(this.#midLine ? `\n${line}` : line));
    this.#tell();
  }

  /** Waits for a slow reader, but not long. For the end of the process, where nothing else can be waited for. */
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
    // The first is taken in any case: it may be the rest of a line.
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
    // From the first on that has to wait (again), all do.
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

  /** Says how many lines are missing, once a whole one has been written again. */
  #tell(): void {
    if (this.#untold === 0 || this.#waiting.length > 0 || this.#failing) return;
    const lost = this.#untold;
    this.#untold = 0;
    this.#options.onRecovered(lost);
    if (this.#untold > 0) this.#untold += lost; // that could not be said
  }
}
