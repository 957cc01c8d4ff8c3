import type { Readable } from 'node:stream';
import type { Endpoint } from '@cless/model';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { UpgradeOffer } from '../exchange/upgrade-offer.ts';

/** Where a forwarded request goes. */
export interface Target {
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** How long it may take to begin its answer, in milliseconds. Undefined: as long as all others. */
  readonly responseTimeoutMs?: number | undefined;
}

/** What the instance is to get. */
interface Sent {
  readonly target: Target;
  readonly method: string;
  /** Path and query, in origin form. */
  readonly path: string;
  /** Name and value in turn, without hop-by-hop headers. */
  readonly headers: string[];
  /** What the proxy adds to the headers of the answer, name and value in turn. */
  readonly answerHeaders: readonly string[];
}

/** A request on its way to an instance, and whom the answer is for. */
export interface ForwardedRequest extends Sent {
  /** Undefined if it has none. */
  readonly body: Readable | undefined;
  readonly outgoing: Outgoing;
}

/** An upgrade on its way to an instance, and the connection that it is for. */
export interface ForwardedUpgrade extends Sent {
  readonly offer: UpgradeOffer;
}

/** What is under way to an instance. */
export interface Forwarding {
  /** The client has left: nobody waits for the answer any more. */
  abort(): void;
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
  /**
   * @param settled called once: when the answer has been handed over to the client's side, or the client has left; or with
   * why there was no whole answer, of which nothing has been written if `outgoing` has no status yet
   */
  forward(request: ForwardedRequest, settled: (error?: ForwardError) => void): Forwarding;
  /**
   * Resolves with the status of the answer (101, or the instance's refusal) when the connection has ended; rejects with a
   * {@link ForwardError} if nothing was answered.
   */
  upgrade(upgrade: ForwardedUpgrade): Promise<number>;
  /** Closes the pooled connections to the instance; there are no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance. */
  destroy(instanceId: string, reason: Error): void;
}
