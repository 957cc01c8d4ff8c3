import { type Clock, conceal } from '@cless/model';
import { type Logger, stdSerializers } from 'pino';

/** The exit code after an unexpected error: EX_SOFTWARE of sysexits.h. */
const CRASH_EXIT_CODE = 70;

export interface LastResortOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly exit: (code: number) => void;
  /** How long open requests may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Handles an uncaught error. The process may be in any state, so it finishes open requests within a timeout and
 * exits; whoever started it starts another one.
 */
export class LastResort {
  readonly #options: LastResortOptions;
  #isEnding = false;
  /** Finishes open requests; set as soon as there may be any. */
  finish: () => Promise<unknown> = async () => {};
  /** Values that must not appear in the log. */
  secrets: () => readonly string[] = () => [];

  constructor(options: LastResortOptions) {
    this.#options = options;
  }

  /** Call with what was thrown. A second error ends the process at once. */
  handle(error: unknown): void {
    const { log, clock, exit, timeoutMs } = this.#options;
    const end = () => exit(CRASH_EXIT_CODE);
    const isSecond = this.#isEnding;
    this.#isEnding = true;
    try {
      const next = isSecond ? 'ending now' : 'finishing what is open, then ending';
      log.fatal({ err: this.#describe(error) }, `unexpected error; ${next}`);
      if (isSecond) {
        end();
        return;
      }
      clock.after(timeoutMs, end);
      this.finish().then(end, end);
    } catch {
      end();
    }
  }

  // Private

  #describe(error: unknown): Record<string, unknown> {
    const secrets = this.secrets();
    if (!(error instanceof Error)) return { message: conceal(String(error), secrets) };
    const { type, message, stack, code } = stdSerializers.err(error);
    return { type, code, message: conceal(message, secrets), stack: conceal(stack, secrets) };
  }
}
