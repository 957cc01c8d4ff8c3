import type { Endpoint } from '@cless/model';

/** An instance as the runtime has it. */
export interface RuntimeInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** Equal to {@link Runtime.specHash} of the spec that it was started from. */
  readonly spec: string;
  /** `created`: it is there, and was not started (yet). */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** Where it answers; undefined while it has no address. */
  readonly endpoint: Endpoint | undefined;
  /** How it ended, where the runtime knows. */
  readonly exit?: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** Events are hints: after `connected`, list what is really there. */
export type RuntimeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error: Error }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode: number; readonly oomKilled: boolean }
  /** A process of the instance was killed because its memory was used up; the instance may live on. */
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'removed'; readonly id: string }
  /** What revisions are made from has changed. */
  | { readonly type: 'images-changed' };

/**
 * What starts, pauses, stops, lists and watches instances. What they are, and what `Spec` says of them, is its own affair.
 *
 * Its errors may have a `code`. `ENGINE_UNREACHABLE`: nothing is known of what it was asked for, which may happen yet.
 * `START_FAILED`, `ENGINE_REFUSED`: the revision's own fault, and it rests before the next try. Every call ends, also when
 * what is behind it does not answer.
 */
export interface Runtime<Spec = unknown> {
  /** With `pause: false` nothing is paused: what is idle runs until it is stopped. */
  readonly capabilities: { readonly pause: boolean };
  /** Tells whether what runs was started from what a revision says now. */
  specHash(spec: Spec): string;
  /**
   * @param onCreated called when there is something that has an id, before it runs; again, with another id, where the
   * runtime tries again with a new one and removes the one before
   * @param signal gives the start up; what was made for it is removed, if need be after this has rejected
   */
  start(
    spec: Spec,
    options: { onCreated: (id: string) => void; signal: AbortSignal },
  ): Promise<RuntimeInstance>;
  /** Freezes it; to be there where the capabilities say so. */
  pause?(id: string): Promise<void>;
  resume?(id: string): Promise<void>;
  /** Stops and removes; one that is not there is fine. */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  inspect(id: string): Promise<RuntimeInstance | undefined>;
  /** All that are there, whoever started them. */
  list(): Promise<RuntimeInstance[]>;
  /** The last lines that the instance wrote. */
  logs?(id: string): Promise<string[]>;
  /** What happens, until the signal. The first event says whether it is connected. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

/**
 * Decides when an instance may get its first request: resolves when it is ready; rejects with code `NOT_READY` and the
 * number of `attempts` after the timeout, or with the signal's reason. With `anyAnswer` it is asked only whether the
 * instance takes connections: whatever it answers is fine.
 */
export type ReadinessProbe<Readiness = unknown> = (
  endpoint: Endpoint,
  options: Readiness & {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly anyAnswer?: boolean;
  },
) => Promise<{ readonly attempts: number }>;

/** Open connections to instances, kept by whoever sends them requests. */
export interface Connections {
  /** Closes the pooled connections to the instance; there are no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance. */
  destroy(instanceId: string, reason: Error): void;
}
