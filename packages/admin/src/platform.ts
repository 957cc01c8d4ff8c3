import type {
  Outcome,
  RevisionSpec,
  Service,
  ServiceDefinition,
  StoredRevision,
  Traffic,
} from '@cless/model';

/*
 * What the admin API needs of the rest: the store and the running proxy. The interfaces belong to the API; others
 * satisfy them by their shape.
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

interface ServiceVolume {
  /** As the engine has it. */
  readonly name: string;
  /** Where the service's containers find it. */
  readonly target: string;
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
  /** Why changes would not last, in words; nothing if they do. */
  readonly lost?: string | undefined;
  /** Requests that wait for an instance. */
  readonly waiting: number;
  instances(): Promise<readonly RunningInstance[]>;
  /** Resolves when each request that comes meets what the store has. */
  applied(): Promise<void>;
  /** How the last start of a service went since the proxy runs; nothing if there was none. */
  lastStart(service: string):
    | {
        readonly service: string;
        readonly revision: string;
        readonly at: string;
        /** What the convention calls the image of that service. */
        readonly image?: string | undefined;
        readonly failure?:
          | { readonly reason: string; readonly message: string; readonly lastLogLines: readonly string[] }
          | undefined;
      }
    | undefined;
  /** Stops an instance as soon as it is not in use; says whether there is one. */
  stop(id: string): boolean;
  /** What an instance has written last; with `follow`, also what it writes from then on. */
  logs(id: string, options: { lines: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
  image(reference: string): Promise<
    | {
        readonly id: string;
        readonly exposedPorts: readonly number[];
        /** What it declares as `VOLUME`. */
        readonly volumes?: readonly string[] | undefined;
      }
    | undefined
  >;
  /** Nothing where the runtime knows no pulling. */
  readonly pull:
    | ((
        reference: string,
        options: { onProgress: (line: string) => void; signal: AbortSignal },
      ) => Promise<void>)
    | undefined;
  /** Volumes that the images of a service declared; nothing where the runtime has none. */
  readonly volumes:
    | {
        of(service: string): Promise<readonly ServiceVolume[]>;
        /** Removes them when nothing of the service runs any more; gives back those that are in use all the same. */
        remove(service: string): Promise<readonly ServiceVolume[]>;
      }
    | undefined;
  /** Why the installation does not allow this spec, as fields and reasons. */
  refusals(spec: RevisionSpec): Promise<{ readonly field: string; readonly reason: string }[]>;
  /**
   * Gets an instance of the revision ready, which stays awake until the release. Rejects with why it does not get ready
   * and, in `lastLogLines`, what it wrote last.
   */
  prove(service: string, revision: string): Promise<{ release(): void }>;
  publish(event: { readonly type: string; readonly [fact: string]: unknown }): void;
  /** @param after the id of the last event that is known already */
  subscribe(listener: (event: PlatformEvent) => void, after?: string): () => void;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}
