import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/*
 * What the proxy needs of its parts. The interfaces belong to the proxy; other packages satisfy them by their
 * shape alone (`contracts.test.ts` proves it), and only `main.ts` names concrete classes.
 */

/** Where an instance answers. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

// Routing

/** Hostname → service. */
export interface Router {
  /** The service that the host stands for, and its tag. Throws an error of code `INVALID_HOST` if it is no host. */
  route(host: string): { readonly service: string; readonly tag?: string } | undefined;
}

/** A router whose services come and go. */
export interface RouterTable extends Router {
  /** Throws an error of code `HOST_TAKEN`, and with the `owner`, if a host is another service's; then nothing has changed. */
  set(service: string, routes: { readonly hosts: readonly string[]; readonly tags?: Iterable<string> }): void;
  delete(service: string): boolean;
}

/** What an instance is started from. */
export interface InstanceSpec {
  readonly service: string;
  readonly revision: string;
  readonly image: string;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the image's own. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly volumes?: readonly {
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
  }[];
  /** To join besides the installation's own. */
  readonly networks?: readonly string[];
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly pids?: number;
  readonly hardening?: 'baseline' | 'restricted' | 'off';
  /** Single parts of the hardening that are given up, by name. */
  readonly relaxations?: readonly string[];
}

/** How to tell that an instance may get its first request. */
export type Check =
  | {
      readonly kind: 'http';
      readonly path?: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly statuses?: readonly (number | readonly [from: number, to: number])[];
    }
  | { readonly kind: 'tcp' };

/** One immutable version of a service. */
export interface Revision {
  readonly service: string;
  readonly id: string;
  readonly spec: InstanceSpec;
  readonly readiness: { readonly check: Check; readonly timeoutMs: number };
  /** What happens after how much idleness; nothing stands for never. In milliseconds. */
  readonly idle: { readonly pauseAfterMs: number | undefined; readonly stopAfterMs: number | undefined };
  /** From SIGTERM to SIGKILL, in milliseconds. */
  readonly stopGraceMs: number;
  /**
   * `replace`: never beside another instance of a revision of the service that replaces, too, since they write the same
   * volumes. Else they overlap.
   */
  readonly rollout?: 'replace' | 'overlap';
  /** How long it may take to begin an answer, if not as long as all others. In milliseconds. */
  readonly responseTimeoutMs?: number | undefined;
  /** Values that must appear in no log, event or error. */
  readonly secrets?: readonly string[];
}

/** A service as requests find it. */
export interface ServedService {
  /**
   * The revision that a request goes to.
   *
   * @param tag what the host said
   * @throws an error of code `REVISION_NOT_FOUND` or `SERVICE_NOT_FOUND`
   */
  choose(request: IncomingMessage, tag: string | undefined): Revision;
  /** `Set-Cookie` for the answer, where clients stay with their revision. */
  cookie(request: IncomingMessage, revision: Revision): string | undefined;
  /** What a request gets that neither wakes the service nor keeps it awake, while it sleeps; nothing for all others. */
  whileAsleep(request: IncomingMessage, path: string): FixedAnswer | 'problem' | undefined;
}

export interface FixedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Service → the revisions that serve it. */
export interface ServiceSource {
  /** The service, if it is known without asking anybody. */
  known(service: string): ServedService | undefined;
  /** The service; nothing if there is none of that name. */
  resolve(service: string): Promise<ServedService | undefined>;
  /** The revision of that id, if it may get requests: what runs of it is wanted. */
  revision(service: string, id: string): Promise<Revision | undefined>;
  /** Something that revisions are made from has changed. */
  refresh(): void;
  /** Calls the listener with each revision that serves no longer. */
  onRetired(listener: (revision: Revision) => void): void;
  /** Calls the listener with each revision that is to run though nobody asks for it: those of now, and those to come. */
  onKept(listener: (revision: Revision) => void): void;
}

// Running

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

// Forwarding

/** Where a forwarded request goes. */
export interface Target {
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** How long it may take to begin its answer, if not as long as all others. In milliseconds. */
  readonly responseTimeoutMs?: number | undefined;
}

/** A client's request on its way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  /** The path and query to ask for, in origin form. */
  readonly path: string;
  /** Headers for the instance, name and value in turn, without hop-by-hop headers. */
  readonly headers: string[];
  /** The request's body, if it has one. */
  readonly body: Readable | undefined;
  /** Headers that the proxy adds to the answer, name and value in turn. */
  readonly answerHeaders: readonly string[];
  /** For the forwarder to set: called when the client's side has closed, whole or not. */
  onClosed: (() => void) | undefined;
  /** The answer has been handed over to the client's connection, or the client has left. Called once, or `failed`. */
  done(): void;
  /** There was no whole answer. Called once, or `done`; nothing was written if the response has no head yet. */
  failed(error: ForwardError): void;
}

/** An upgrade on its way. */
export interface UpgradeExchange {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What the client offers to switch to. */
  readonly protocol: string;
  /** What the client has sent after the request. Until this is called somebody else reads the connection. */
  takeEarly(): Buffer;
  readonly target: Target;
  readonly path: string;
  readonly headers: string[];
  readonly answerHeaders: readonly string[];
}

/** Why there was no (whole) answer. */
export interface ForwardError extends Error {
  readonly code:
    | 'UPSTREAM_DISCONNECTED'
    | 'UPSTREAM_TIMEOUT'
    | 'UPSTREAM_INVALID'
    /** The proxy itself has no room for a connection. */
    | 'NO_FREE_SOCKET';
  /**
   * How far the request came. `unsent`: not one byte of it was written to the instance. Before any byte of an answer,
   * the other side closed the connection, which had been used before (`stale`) or was fresh (`closed`, what an engine's
   * port relay does for an app that is dead). Else `sent`.
   */
  readonly reached: 'unsent' | 'stale' | 'closed' | 'sent';
}

/** Sends the leased request to the endpoint and streams the answer back. */
export interface Forwarder {
  forward(exchange: Exchange): void;
  /**
   * Resolves with the status of the answer (101, or the instance's refusal) when the connection has ended; rejects with a
   * {@link ForwardError} if nothing was answered.
   */
  upgrade(exchange: UpgradeExchange): Promise<number>;
  /** Closes the pooled connections to the instance; there are no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance. */
  destroy(instanceId: string, reason: Error): void;
}
