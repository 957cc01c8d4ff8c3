import { Failure, hasCode } from '@cless/model';
import Docker from 'dockerode';
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

  /** @throws with code `ENGINE_ADDRESS`, if the engine is not on this host */
  constructor(address: string = engineAddress()) {
    if (!address.startsWith('unix://')) {
      throw new Failure(
        'ENGINE_ADDRESS',
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
   * @throws with code `ENGINE_UNREACHABLE`, if there is no connection, no answer in time, or not one of a Docker Engine
   * @throws with code `ENGINE_REFUSED` for any status of 400 or above, and 304
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
  nonsense(operation: string, what = 'the answer is not of the Docker Engine API'): Failure {
    return this.#unreachable(operation, what);
  }

  /** The error for a stream that broke off. */
  brokeOff(operation: string, cause: unknown): Failure {
    return this.#unreachable(operation, 'the answer broke off', cause);
  }

  // Private

  #client(signal: AbortSignal): Docker {
    const options = { modem: new Transport(this.#socketPath, signal), Promise };
    return new Docker(options);
  }

  #unreachable(operation: string, reason: string, cause?: unknown): Failure {
    const text = `the Docker Engine at ${this.address} cannot be reached (${operation}: ${reason}); is it running?`;
    return new Failure('ENGINE_UNREACHABLE', text, { cause });
  }

  #translate(operation: string, error: unknown): unknown {
    if (hasCode(error, 'ENGINE_UNREACHABLE', 'ENGINE_REFUSED')) return error;
    if (error instanceof StatusError) {
      const { statusCode, message } = error;
      const text = `${operation}: the Docker Engine answered ${statusCode}: ${message}`;
      return statusCode >= 400 || statusCode === 304
        ? new Failure('ENGINE_REFUSED', text, { status: statusCode })
        : this.#unreachable(operation, `an answer of ${statusCode} is not of the Docker Engine API`);
    }
    const reason =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    return this.#unreachable(operation, reason, error);
  }
}
