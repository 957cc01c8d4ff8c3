import { randomBytes } from 'node:crypto';
import { type Endpoint, type InstanceSpec, messageOf, type RunningInstance } from '@cless/model';
import type { Containers } from '../container/containers.ts';
import type { Starter } from '../container/start.ts';
import { describeExit } from '../engine/exit.ts';
import type { Images } from '../engine/images.ts';
import { imageNotFound, startFailed } from '../failures.ts';
import { type Ready, untilConnected } from './connected.ts';
import { ownMaker } from './maker.ts';
import type { Reaper } from './reaper.ts';

/** The options of a run that differ from the defaults. */
export interface RunOptions extends Partial<Omit<InstanceSpec, 'image' | 'port'>> {
  /** An image on the host, by id or reference. */
  readonly image: string;
  /**
   * The port the container listens on; passed to it as `PORT`. Default: the port that its image exposes, if it is
   * one.
   */
  readonly port?: number;
  /**
   * Resolves when the container may be used, for example `waitUntilReady` of @cless/health. Default: as soon as its
   * port accepts a connection.
   */
  readonly ready?: Ready;
  /** How long it may take to get ready, in milliseconds. Default 30,000. */
  readonly readyTimeoutMs?: number;
  /** Aborts the start; what was created for it is removed. */
  readonly signal?: AbortSignal;
}

/** A container that runs until it is disposed of. */
export interface Run extends AsyncDisposable {
  /** The container's id. */
  readonly id: string;
  readonly endpoint: Endpoint;
  /** The last lines it wrote to stdout and stderr, oldest first. Default: 20 lines. */
  logs(options?: { readonly lines?: number }): Promise<string[]>;
  /** Stops and removes it: SIGTERM, after the grace period (default 10,000 ms) SIGKILL. Further calls have no effect. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

interface Parts {
  readonly images: Images;
  readonly containers: Containers;
  readonly starter: Starter;
  readonly reaper: Reaper;
}

const READY_TIMEOUT_MS = 30_000;
const GRACE_MS = 10_000;
const LAST_LOG_LINES = 20;

/** Runs containers that belong to this process. If it is killed, the next run removes them. */
export class Runner {
  readonly #parts: Parts;
  /** Removes what killed processes have left; once, in the background. */
  #reaped: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the container is ready.
   *
   * @throws with code `START_FAILED`, also if the container exits before it is ready or is not ready in time; otherwise as
   * {@link Starter.start}
   */
  async run({
    ready = untilConnected,
    readyTimeoutMs = READY_TIMEOUT_MS,
    ...options
  }: RunOptions): Promise<Run> {
    const { starter, containers, reaper } = this.#parts;
    this.#reaped ??= reaper.reap().catch(() => {}); // if the engine does not answer, the start reports it
    const { signal } = options;
    const spec = await this.#spec(options);
    const started = await starter.start(spec, { ...(signal && { signal }), maker: ownMaker() });
    const { id, endpoint } = started;
    try {
      await this.#ready(started, spec, ready, readyTimeoutMs, signal);
    } catch (error) {
      await containers.remove(id).catch(() => {}); // a later run finds it by its label
      throw error;
    }
    const stop: Run['stop'] = ({ graceMs = GRACE_MS } = {}) => containers.stop(id, graceMs);
    return {
      id,
      endpoint,
      stop,
      logs: ({ lines = LAST_LOG_LINES } = {}) => containers.logs(id, lines),
      [Symbol.asyncDispose]: () => stop(),
    };
  }

  /** Resolves when what killed processes have left has been removed. */
  async settled(): Promise<void> {
    await this.#reaped;
  }

  // Private

  async #spec({
    signal: _,
    port,
    ...options
  }: Omit<RunOptions, 'ready' | 'readyTimeoutMs'>): Promise<InstanceSpec> {
    const { image } = options;
    return {
      service: nameOf(image),
      revision: randomBytes(4).toString('hex'),
      ...options,
      port: port ?? (await this.#exposedPort(image)),
    };
  }

  async #exposedPort(image: string): Promise<number> {
    const found = await this.#parts.images.find(image);
    if (found === undefined) throw imageNotFound(image);
    return onlyPort(image, found.exposedPorts);
  }

  /** Waits for whatever is first: it is ready, it exits, the timeout, or the signal. */
  async #ready(
    { id, endpoint }: RunningInstance,
    { image }: InstanceSpec,
    ready: Ready,
    timeoutMs: number,
    given: AbortSignal | undefined,
  ): Promise<void> {
    const { containers } = this.#parts;
    const over = new AbortController();
    const signal = given === undefined ? over.signal : AbortSignal.any([over.signal, given]);
    const becomesReady = async () => {
      try {
        await ready(endpoint, { timeoutMs, signal });
      } catch (cause) {
        signal.throwIfAborted();
        const lastLogLines = await containers.lastWords(id);
        throw startFailed(image, messageOf(cause), { cause, lastLogLines });
      }
    };
    const exits = async () => {
      const exit = await containers.ended(id, signal);
      const lastLogLines = await containers.lastWords(id);
      throw startFailed(image, describeExit(exit), { ...exit, lastLogLines });
    };
    try {
      await Promise.race([exits(), becomesReady()]);
    } finally {
      over.abort();
    }
  }
}

/** The port that an image exposes. @throws if that is none or several */
export function onlyPort(image: string, exposed: readonly number[]): number {
  const [port, ...others] = exposed;
  if (port !== undefined && others.length === 0) return port;
  const what = port === undefined ? 'no port' : `the ports ${exposed.join(', ')}`;
  throw startFailed(image, `it exposes ${what}; say where it listens: { port: … }`);
}

/** The name of an image without registry and tag: `ghcr.io/acme/web:1` is `web`. */
export function nameOf(image: string): string {
  return image.replace(/[:@][^/]*$/, '').replace(/^.*\//, '');
}
