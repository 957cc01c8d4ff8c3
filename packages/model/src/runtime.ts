import type { Check } from './check.ts';
import type { Endpoint } from './endpoint.ts';
import type { InstanceSpec, PartialSpec } from './revision/revision.ts';

/** An instance as listed by the runtime. */
export interface RuntimeInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** Equal to {@link Runtime.specHash} of the spec it was started from. */
  readonly spec: string;
  /** `created`: it exists but has not been started. */
  readonly state: 'created' | 'running' | 'paused' | 'exited';
  /** Where it answers; undefined if it does not run or has lost its network. */
  readonly endpoint: Endpoint | undefined;
}

/** An instance that has just been started. */
export interface RunningInstance extends RuntimeInstance {
  readonly endpoint: Endpoint;
}

/** An instance as inspected individually. */
export interface InspectedInstance extends RuntimeInstance {
  /** How it ended; undefined if it has not exited. */
  readonly exit: { readonly exitCode: number; readonly oomKilled: boolean } | undefined;
}

/** Something that happened. Only a hint: after `connected`, list what really runs. */
export type RuntimeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error: Error }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode: number; readonly oomKilled: boolean }
  /** A process of the instance was killed because memory ran out. The instance may live on. */
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'removed'; readonly id: string }
  | { readonly type: 'images-changed' };

/** A part of a spec that would make a start fail. */
export interface Refusal {
  /** The path in the spec: `user`, `networks/0`. */
  readonly field: string;
  readonly reason: string;
  /** The option of the runtime that could allow it; undefined if there is none. */
  readonly option?: string;
}

/** A volume that an image of a service declared. */
export interface ServiceVolume {
  /** The name of the volume in the engine. */
  readonly name: string;
  /** The path where the service's instances have it. */
  readonly target: string;
}

/** The volumes that images of services declared. They outlive instances and revisions. */
export interface ServiceVolumes {
  of(service: string): Promise<readonly ServiceVolume[]>;
  /** Removes them with their content. Returns those that are in use. */
  remove(service: string): Promise<readonly ServiceVolume[]>;
}

/**
 * The driver that starts, pauses, resumes, stops, inspects, lists and watches instances.
 *
 * Its errors have one of the codes `ENGINE_UNREACHABLE`, `ENGINE_REFUSED`, `IMAGE_NOT_FOUND`, `NETWORK_NOT_FOUND`,
 * `NO_ADDRESS_POOL`, `NO_FREE_PORT`, `START_FAILED`, `INSTANCE_NOT_FOUND`. Every call ends, even if what is behind it
 * does not answer.
 *
 * Capabilities that not every runtime has are optional members: a runtime can do what it has a member for.
 */
export interface Runtime {
  readonly name: string;
  readonly capabilities: { readonly pause: boolean };
  prepare(): Promise<void>;
  /** All images that can be started by name: name → id. */
  listImages(): Promise<ReadonlyMap<string, string>>;
  image(reference: string): Promise<
    | {
        readonly id: string;
        readonly exposedPorts: readonly number[];
        /** The paths the image declares as `VOLUME`. */
        readonly volumes?: readonly string[];
        readonly labels?: Readonly<Record<string, string>>;
      }
    | undefined
  >;
  specHash(spec: InstanceSpec): string;
  /**
   * @param onCreated called when the instance has an id, before it runs; called again with another id if the runtime
   * tries again with a new instance and removes the previous one
   * @param signal aborts the start; what was created for it is removed, possibly after this has rejected
   */
  start(
    spec: InstanceSpec,
    options?: { onCreated?: (id: string) => void; signal?: AbortSignal },
  ): Promise<RunningInstance>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Stops and removes an instance. Does nothing if it does not exist. */
  stop(id: string, options?: { graceMs?: number }): Promise<void>;
  inspect(id: string): Promise<InspectedInstance | undefined>;
  list(): Promise<RuntimeInstance[]>;
  /** The addresses that something in the instance listens on, as seen from inside; undefined if unknown. */
  listening?(id: string): Promise<readonly Endpoint[] | undefined>;
  logs(id: string, options?: { lines?: number }): Promise<string[]>;
  /** The last lines and those that follow, until the instance ends or the signal is aborted. */
  followLogs(id: string, options: { lines?: number; signal: AbortSignal }): AsyncIterable<string>;
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  /** What would make a start of this spec fail, as far as it can be known before. */
  refusals?(spec: PartialSpec): Promise<readonly Refusal[]>;
  /** Pulls an image; no other method does. */
  pull?(
    reference: string,
    options: { onProgress: (line: string) => void; signal: AbortSignal },
  ): Promise<void>;
  readonly volumes?: ServiceVolumes;
  /** Releases what does not belong to an instance. */
  close(): Promise<void>;
}

/**
 * Decides when an instance may get its first request. Resolves when it is ready; rejects with code `NOT_READY` and
 * the number of `attempts` after the timeout, or with the signal's reason.
 */
export type ReadinessProbe = (
  endpoint: Endpoint,
  options: { check: Check; timeoutMs: number; signal: AbortSignal },
) => Promise<{ readonly attempts: number }>;
