/** An event in the life of an instance. Durations in milliseconds. */
export type ActivatorEvent = InstanceEvent & {
  readonly service: string;
  readonly revision: string;
  /** Undefined until the runtime has given it an id. */
  readonly instance: string | undefined;
};

export type InstanceEvent =
  | {
      readonly type: 'starting';
      /** Parts of the hardening that the revision turns off. */
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
  /** It exited by itself after it had been ready. */
  | ({ readonly type: 'exited'; readonly lastLogLines: readonly string[] } & Exit)
  /** One of its processes was killed because memory ran out. The instance may live on. */
  | { readonly type: 'out-of-memory' }
  /** It is started again without a request, since it never stops. */
  | { readonly type: 'restarting'; readonly failures: number };

/** How an instance ended. Without a code if nobody saw it exit. */
export type Exit = {
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
};

/**
 * Why an instance is stopped. `exited` and `vanished`: it ended by itself; `unreachable`: it runs but accepts no
 * connections any more.
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
