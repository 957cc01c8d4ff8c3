import type { Endpoint } from '@cless/model';

/** An instance as listed by the runtime. */
export interface RuntimeInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** Equal to {@link Runtime.specHash} of the spec it was started from. */
  readonly spec: string;
  /** `created`: it exists but has not been started. */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** Where it answers; undefined while it has no address. */
  readonly endpoint: Endpoint | undefined;
  /** How it ended, if the runtime knows. */
  readonly exit?: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** Something that happened. Only a hint: after `connected`, list what really runs. */
export type RuntimeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error: Error }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode: number; readonly oomKilled: boolean }
  /** A process of the instance was killed because memory ran out. The instance may live on. */
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'removed'; readonly id: string }
  /** What revisions are made from has changed. */
  | { readonly type: 'images-changed' };

/**
 * Starts, pauses, stops, lists and watches instances. What instances are, and what `Spec` means, is up to the
 * runtime.
 *
 * Its errors may have a `code`. `ENGINE_UNREACHABLE`: what was asked for may have happened or may still happen.
 * `START_FAILED`, `ENGINE_REFUSED`: the revision is at fault, and rests before the next attempt. Every call ends,
 * even if what is behind it does not answer.
 */
export interface Runtime<Spec = unknown> {
  /** With `pause: false` idle instances run until they are stopped. */
  readonly capabilities: { readonly pause: boolean };
  /** A hash of the spec, to tell whether a running instance was started from it. */
  specHash(spec: Spec): string;
  /**
   * @param onCreated called when the instance has an id, before it runs; called again with another id if the runtime
   * tries again with a new instance and removes the previous one
   * @param signal aborts the start; what was created for it is removed, possibly after this has rejected
   */
  start(
    spec: Spec,
    options: { onCreated: (id: string) => void; signal: AbortSignal },
  ): Promise<RuntimeInstance>;
  /** Freezes the instance. Must be defined if the capabilities say so. */
  pause?(id: string): Promise<void>;
  resume?(id: string): Promise<void>;
  /** Stops and removes an instance. Does nothing if it does not exist. */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  inspect(id: string): Promise<RuntimeInstance | undefined>;
  /** All instances, whoever started them. */
  list(): Promise<RuntimeInstance[]>;
  /** The last lines that the instance wrote. */
  logs?(id: string): Promise<string[]>;
  /** Events as they happen, until the signal is aborted. The first event says whether it is connected. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

/**
 * Decides when an instance may get its first request. Resolves when it is ready; rejects with code `NOT_READY` and
 * the number of `attempts` after the timeout, or with the signal's reason. With `anyAnswer` it is asked only whether
 * the instance takes connections: whatever it answers is fine.
 */
export type ReadinessProbe<Readiness = unknown> = (
  endpoint: Endpoint,
  options: Readiness & {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly anyAnswer?: boolean;
  },
) => Promise<{ readonly attempts: number }>;

/** The open connections to instances, which belong to the forwarder. */
export interface Connections {
  /** Closes the pooled connections to an instance, which has no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance, with this reason. */
  destroy(instanceId: string, reason: Error): void;
}
