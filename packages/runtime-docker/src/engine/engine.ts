import Docker from 'dockerode';
import { EngineAddressError, EngineRefusedError, EngineUnreachableError, RuntimeError } from '../errors.ts';
import { engineAddress } from './address.ts';
import { Limit } from './limit.ts';
import { StatusError, Transport } from './transport.ts';

/** How long the engine may take to answer by default, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;
/** The longest that a timer can run, in milliseconds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * - `quick`: the engine answers at once if it is healthy. The default
 * - `image`: the same, but clients decide how many there are, by the services they ask for
 * - `slow`: the engine waits for a process
 */
type Lane = 'quick' | 'image' | 'slow';

interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly lane?: Lane;
}

/** The connection to a Docker Engine: dockerode, with a timeout for every call and a limit on concurrent calls. */
export class Engine {
  readonly address: string;
  readonly #socketPath: string;
  /** Separate limits, so that no kind waits for another. */
  readonly #lanes: Readonly<Record<Lane, Limit>> = {
    quick: new Limit(32),
    image: new Limit(4),
    slow: new Limit(128),
  };

  /** @throws {EngineAddressError} if the engine is not on this host */
  constructor(address: string = engineAddress()) {
    if (!address.startsWith('unix://')) {
      throw new EngineAddressError(
        `the Docker Engine at ${address}: containers are published on the loopback address of the engine's host, which ` +
          'cannot be reached from another; allowed is unix:///PATH',
      );
    }
    this.address = address;
    this.#socketPath = address.slice('unix://'.length);
  }

  /**
   * Makes one call of the engine's API, by `run` with the given client.
   *
   * @param timeoutMs for the whole answer, or for its head if it is a stream
   * @throws {EngineUnreachableError} if there is no connection, no answer in time, or not one of a Docker Engine
   * @throws {EngineRefusedError} for any status of 400 or above, and 304
   * @throws the signal's reason
   */
  async call<T>(
    operation: string,
    run: (docker: Docker) => Promise<T>,
    { timeoutMs = ANSWER_TIMEOUT_MS, signal, lane = 'quick' }: CallOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    const limit = new AbortController();
    const cancel = () => limit.abort(signal?.reason);
    signal?.addEventListener('abort', cancel, { once: true });
    const timer = setTimeout(
      () => limit.abort(this.#unreachable(operation, `no answer within ${timeoutMs} ms`)),
      Math.min(timeoutMs, LONGEST_TIMEOUT_MS),
    );
    try {
      return await this.#lanes[lane].run(() => run(this.#client(limit.signal)), limit.signal);
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : this.#translate(operation, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** The error for an answer that is not of Docker's API. */
  nonsense(operation: string, what = 'the answer is not of the Docker Engine API'): EngineUnreachableError {
    return this.#unreachable(operation, what);
  }

  /** The error for a stream that broke off. */
  brokeOff(operation: string, cause: unknown): EngineUnreachableError {
    return this.#unreachable(operation, 'the answer broke off', cause);
  }

  // Private

  #client(signal: AbortSignal): Docker {
    const options = { modem: new Transport(this.#socketPath, signal), Promise };
    return new Docker(options);
  }

  #unreachable(operation: string, reason: string, cause?: unknown): EngineUnreachableError {
    return new EngineUnreachableError(this.address, operation, reason, cause);
  }

  #translate(operation: string, error: unknown): unknown {
    if (error instanceof RuntimeError) return error;
    if (error instanceof StatusError) {
      const { statusCode, message } = error;
      return statusCode >= 400 || statusCode === 304
        ? new EngineRefusedError(operation, statusCode, message)
        : this.#unreachable(operation, `an answer of ${statusCode} is not of the Docker Engine API`);
    }
    const reason =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    return this.#unreachable(operation, reason, error);
  }
}
