import type {
  Outcome,
  RevisionSpec,
  Service,
  ServiceDefinition,
  ServiceVolumes,
  StoredRevision,
  Traffic,
} from '@cless/model';

/*
 * What the admin API needs: a store and the running proxy. The interfaces belong to the API; others satisfy them by
 * their shape.
 */

interface Expectation {
  readonly expected?: number | 'absent' | undefined;
}

interface Page {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** Errors have the codes that `docs/problems.md` lists. A method that throws has changed nothing. */
export interface Store {
  services(page?: Page): Service[];
  count(): number;
  service(name: string): Service | undefined;
  put(definition: ServiceDefinition, expectation?: Expectation): Service;
  remove(name: string, expectation?: Expectation): boolean;
  setTraffic(name: string, traffic: Traffic, expectation?: Expectation): Service;
  revisions(service: string, page?: Page): StoredRevision[];
  revision(service: string, name: string): StoredRevision | undefined;
  addRevision(
    service: string,
    spec: RevisionSpec,
    secrets?: Readonly<Record<string, string>>,
  ): StoredRevision;
  secrets(service: string, revision: string): Readonly<Record<string, string>>;
  settle(service: string, revision: string, outcome: Outcome): StoredRevision;
  removeRevision(service: string, revision: string): boolean;
}

export interface RunningInstance {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  readonly state: string;
  readonly requests: number;
  readonly idleMs: number | undefined;
}

export interface PlatformEvent {
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly service?: string;
  readonly [fact: string]: unknown;
}

/** The running proxy. */
export interface Platform {
  readonly version: string;
  readonly runtime: string;
  /** Can the runtime be reached? */
  readonly connected: boolean;
  /** Why changes would be lost, for people; undefined if they would not. */
  readonly lost?: string | undefined;
  /** The number of requests that wait for an instance. */
  readonly waiting: number;
  instances(): Promise<readonly RunningInstance[]>;
  /** Resolves when every new request is served according to the current state of the store. */
  applied(): Promise<void>;
  /** How the last start of a service went; undefined if there was none since the proxy started. */
  lastStart(service: string):
    | {
        readonly service: string;
        readonly revision: string;
        readonly at: string;
        /** The image of the service by convention. */
        readonly image?: string | undefined;
        readonly failure?:
          | { readonly reason: string; readonly message: string; readonly lastLogLines: readonly string[] }
          | undefined;
      }
    | undefined;
  /** Stops an instance as soon as it is not in use. Returns whether it exists. */
  stop(id: string): boolean;
  /** The last lines an instance has written; with `follow`, also those it writes from now on. */
  logs(id: string, options: { lines: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
  image(reference: string): Promise<
    | {
        readonly id: string;
        readonly exposedPorts: readonly number[];
        /** The paths the image declares as `VOLUME`. */
        readonly volumes?: readonly string[] | undefined;
      }
    | undefined
  >;
  /** Undefined if the runtime cannot pull. */
  readonly pull:
    | ((
        reference: string,
        options: { onProgress: (line: string) => void; signal: AbortSignal },
      ) => Promise<void>)
    | undefined;
  /** The volumes that images of a service declared; undefined if the runtime has no volumes. */
  readonly volumes: ServiceVolumes | undefined;
  /** The fields of the spec that the installation does not allow, with reasons; empty if it allows all. */
  refusals(spec: RevisionSpec): Promise<{ readonly field: string; readonly reason: string }[]>;
  /**
   * Gets an instance of the revision ready and keeps it awake until `release` is called. If it does not get ready,
   * rejects with the reason, and its last output in `lastLogLines`.
   */
  prove(service: string, revision: string): Promise<{ release(): void }>;
  publish(event: { readonly type: string; readonly [fact: string]: unknown }): void;
  /** @param after the id of the last event that the listener knows */
  subscribe(listener: (event: PlatformEvent) => void, after?: string): () => void;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}
