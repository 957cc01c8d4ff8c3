/** The story of each instance, as the activator tells it. Durations in milliseconds. */
export type ActivatorEvent = InstanceEvent & {
  readonly service: string;
  readonly revision: string;
  /** Absent until the runtime has given it an id. */
  readonly instance: string | undefined;
};

export type InstanceEvent =
  | {
      readonly type: 'starting';
      /** Parts of the hardening that the revision gives up. */
      readonly relaxations?: readonly string[];
    }
  | { readonly type: 'created' | 'started'; readonly durationMs: number }
  | { readonly type: 'ready'; readonly durationMs: number; readonly attempts: number }
  | { readonly type: 'start-failed'; readonly error: unknown; readonly lastLogLines: readonly string[] }
  | { readonly type: 'paused' | 'resumed'; readonly durationMs: number; readonly byHand: boolean }
  | { readonly type: 'stopping'; readonly reason: StopReason }
  | { readonly type: 'stopped'; readonly reason: StopReason; readonly durationMs: number }
  | { readonly type: 'stop-failed' | 'pause-failed' | 'resume-failed'; readonly error: unknown }
  | { readonly type: 'adopted'; readonly state: 'running' | 'paused' }
  /** It ended by itself after it had been ready. */
  | ({ readonly type: 'exited'; readonly lastLogLines: readonly string[] } & Exit)
  /** One of its processes was killed for want of memory; not always the one that it ends with. */
  | { readonly type: 'out-of-memory' }
  /** Nobody asks for it, but it is one that never stops: it is started again. */
  | { readonly type: 'restarting'; readonly failures: number };

/** How an instance ended; without a code where nobody saw it. */
export type Exit = {
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
};

/**
 * Why an instance is stopped. `exited` and `vanished` are not our doing; an `unreachable` one ran, but took no connection
 * any more.
 */
export type StopReason =
  | 'idle'
  | 'capacity'
  | 'retired'
  | 'shutdown'
  | 'not-ours'
  | 'requested'
  | 'replaced'
  | 'exited'
  | 'vanished'
  | 'unreachable';
