import type { Endpoint } from './endpoint.ts';
import type { Check, InstanceSpec, PartialSpec } from './revision/revision.ts';

/** An instance as the runtime has it. */
export interface RuntimeInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** Equal to {@link Runtime.specHash} of the spec that it was started from. */
  readonly spec: string;
  /** `created`: it is there, and was not started (yet). */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** Where it answers; undefined where it does not run, or has lost its network. */
  readonly endpoint: Endpoint | undefined;
}

/** An instance that has just been started. */
export interface RunningInstance extends RuntimeInstance {
  readonly endpoint: Endpoint;
}

/** An instance as it was asked about by itself. */
export interface InspectedInstance extends RuntimeInstance {
  /** How it ended, if it has exited. */
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

/** A part of a spec that a start would fail for. */
export interface Refusal {
  /** Where in the spec: `user`, `networks/0`. */
  readonly field: string;
  readonly reason: string;
  /** The option of the runtime that could allow it. */
  readonly option?: string;
}

/** A volume that the images of a service declared. */
export interface ServiceVolume {
  /** As the engine has it. */
  readonly name: string;
  /** Where the service's instances find it. */
  readonly target: string;
}

/** The volumes that the images of services declared; they outlive instances and revisions. */
export interface ServiceVolumes {
  of(service: string): Promise<readonly ServiceVolume[]>;
  /** Removes them, with all that is in them; gives back those that are in use. */
  remove(service: string): Promise<readonly ServiceVolume[]>;
}

/**
 * The driver that starts, pauses, resumes, stops, inspects, lists and watches instances.
 *
 * Its errors have a `code`: `ENGINE_UNREACHABLE`, `ENGINE_REFUSED`, `IMAGE_NOT_FOUND`, `NETWORK_NOT_FOUND`,
 * `NO_ADDRESS_POOL`, `NO_FREE_PORT`, `START_FAILED`, `INSTANCE_NOT_FOUND`. Every call ends, also when what is behind it does not answer.
 *
 * What not every runtime can do is an optional member: one that is there is the capability.
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
  ): Promise<RunningInstance>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Stops and removes; one that is not there is fine. */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  inspect(id: string): Promise<InspectedInstance | undefined>;
  list(): Promise<RuntimeInstance[]>;
  /** Where something listens in the instance, as it sees it itself; undefined where that cannot be told. */
  listening?(id: string): Promise<readonly Endpoint[] | undefined>;
  logs(id: string, options?: { lines?: number }): Promise<string[]>;
  /** The last lines, and those that follow, until the instance ends or the signal. */
  followLogs(id: string, options: { lines?: number; signal: AbortSignal }): AsyncIterable<string>;
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  /** What a start of this spec would fail for, as far as that is known before. */
  refusals?(spec: PartialSpec): Promise<readonly Refusal[]>;
  /** Fetches an image, which nothing else does. */
  pull?(
    reference: string,
    options: { onProgress: (line: string) => void; signal: AbortSignal },
  ): Promise<void>;
  readonly volumes?: ServiceVolumes;
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
) => Promise<{ readonly attempts: number }>;
