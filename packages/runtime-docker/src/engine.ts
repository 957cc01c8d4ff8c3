import Docker from 'dockerode';
import { engineAddress } from './engine-address.ts';
import { EngineRefusedError, EngineUnreachableError, RuntimeError } from './errors.ts';

/** When the socket of a call is given back that was given up long before, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
/** How long the engine may take for an answer unless a call says otherwise, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;

interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The connection to a Docker Engine: dockerode, but every call ends. docker-modem has no time limit and waits
 * for ever for an answer that breaks off.
 */
export class Engine {
  readonly docker: Docker;
  /** For answers that have no end, and may be silent for hours. */
  readonly streaming: Docker;
  readonly address: string;

  constructor(address: string = engineAddress()) {
    this.address = address;
    this.docker = connect(address, { timeout: FORGET_AFTER_MS });
    this.streaming = connect(address, {});
  }

  /**
   * Runs one call of the engine's API.
   *
   * @throws {EngineUnreachableError} no connection, no answer in time, or nonsense
   * @throws {EngineRefusedError} any answer of 400 or above
   * @throws the signal's reason
   */
  async call<T>(
    operation: string,
    run: (signal: AbortSignal) => Promise<T>,
    { timeoutMs = ANSWER_TIMEOUT_MS, signal }: CallOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const limit = new AbortController();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = (reason: unknown) => {
      reject(reason);
      limit.abort(reason);
    };
    const cancel = () => abort(signal?.reason);
    signal?.addEventListener('abort', cancel, { once: true });
    const timer = setTimeout(
      () => abort(new EngineUnreachableError(this.address, operation, `no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const answer = run(limit.signal);
      answer.catch(() => {}); // the loser of the race
      return await Promise.race([answer, aborted]);
    } catch (error) {
      throw this.#translate(operation, error, signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** An answer that is not what Docker's API says. */
  nonsense(operation: string): EngineUnreachableError {
    return new EngineUnreachableError(this.address, operation, 'the answer is not of the Docker Engine API');
  }

  // Private

  #translate(operation: string, error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted && error === signal.reason) return error;
    if (error instanceof RuntimeError) return error;
    if (hasStatus(error)) return new EngineRefusedError(operation, error.statusCode, messageOf(error), error);
    const reason =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    return new EngineUnreachableError(this.address, operation, reason, error);
  }
}

function connect(address: string, options: { readonly timeout?: number }): Docker {
  if (address.startsWith('unix://')) {
    return new Docker({
      socketPath: address.slice('unix://'.length),
      // A connection each: one kept alive would be stale after the engine's restart, just when a POST uses it. Not by
      // an agent, nor are calls given a signal: docker-modem prints its options for a debug log that nobody reads,
      // and with such objects among them that costs milliseconds a call.
      headers: { Connection: 'close' },
      ...options,
    });
  }
  // docker-modem knows TLS and ssh, but takes such an address from its environment only.
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = address;
  try {
    return new Docker(options);
  } finally {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  }
}

function hasStatus(error: unknown): error is Error & { statusCode: number; json?: { message?: string } } {
  return error instanceof Error && typeof (error as { statusCode?: unknown }).statusCode === 'number';
}

function messageOf(error: Error & { json?: { message?: string } }): string {
  const message = error.json?.message;
  return typeof message === 'string' ? message : error.message.trim();
}
