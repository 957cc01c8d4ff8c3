import type { Endpoint } from './endpoint.ts';
import type { Check, InstanceSpec } from './revision.ts';

/** An instance as the runtime has it. */
export interface RuntimeInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** Equal to {@link Runtime.specHash} of the spec that it was started from. */
  readonly spec: string;
  /** `created`: it is there, and was not started (yet). */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  readonly endpoint: Endpoint | undefined;
  readonly exit: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** Events are hints: after `connected`, list what is really there. */
export type RuntimeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error: Error }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode: number; readonly oomKilled: boolean }
  /** A process of the instance was killed because its memory was used up; the instance may live on. */
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'removed'; readonly id: string }
  | { readonly type: 'images-changed' };

/**
 * The driver that starts, pauses, resumes, stops, inspects, lists and watches instances.
 *
 * Its errors have a `code`: `ENGINE_UNREACHABLE`, `ENGINE_REFUSED`, `IMAGE_NOT_FOUND`, `NETWORK_NOT_FOUND`,
 * `NO_ADDRESS_POOL`, `NO_FREE_PORT`, `START_FAILED`, `INSTANCE_NOT_FOUND`. Every call ends, also when what is behind it does not answer.
 */
export interface Runtime {
  readonly name: string;
  readonly capabilities: { readonly pause: boolean };
  prepare(): Promise<void>;
  /** All images that can be started by a name: name → id. */
  listImages(): Promise<ReadonlyMap<string, string>>;
  image(reference: string): Promise<
    | {
        readonly id: string;
        readonly exposedPorts: readonly number[];
        /** What it declares as `VOLUME`. */
        readonly volumes?: readonly string[];
        readonly labels?: Readonly<Record<string, string>>;
      }
    | undefined
  >;
  specHash(spec: InstanceSpec): string;
  /**
   * @param onCreated called when there is something that has an id, before it runs; again, with another id, where the
   * runtime tries again with a new one and removes the one before
   * @param signal gives the start up; what was made for it is removed, if need be after this has rejected
   */
  start(
    spec: InstanceSpec,
    options?: { onCreated?: (id: string) => void; signal?: AbortSignal },
  ): Promise<RuntimeInstance>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Stops and removes; one that is not there is fine. */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  inspect(id: string): Promise<RuntimeInstance | undefined>;
  list(): Promise<RuntimeInstance[]>;
  /** Where something listens in the instance, as it sees it itself; nothing where that cannot be told. */
  listening?(id: string): Promise<readonly Endpoint[] | undefined>;
  logs(id: string, options?: { lines?: number }): Promise<string[]>;
  /** The last lines, and those that follow, until the instance ends or the signal. */
  followLogs(id: string, options: { lines?: number; signal: AbortSignal }): AsyncIterable<string>;
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  /** Gives back what belongs to no instance. */
  close(): Promise<void>;
}

/**
 * Decides when an instance may get its first request: resolves when it is ready; rejects with code `NOT_READY` and the
 * number of `attempts` after the timeout, or with the signal's reason.
 */
export type ReadinessProbe = (
  endpoint: Endpoint,
  options: { check: Check; timeoutMs: number; signal: AbortSignal },
) => Promise<{ readonly attempts: number; readonly durationMs: number }>;
