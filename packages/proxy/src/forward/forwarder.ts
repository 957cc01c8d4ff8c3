import type { Readable } from 'node:stream';
import type { Endpoint } from '@cless/model';
import type { Outgoing } from '../exchange/outgoing.ts';
import type { UpgradeOffer } from '../exchange/upgrade-offer.ts';
import type { InstanceSocket } from './instance-socket.ts';

/** Where a forwarded request goes. */
export interface Target {
  readonly instanceId: string;
  readonly endpoint: Endpoint;
  /** How long it may take to begin its answer, in milliseconds. Default: the installation's. */
  readonly responseTimeoutMs?: number | undefined;
}

/** What is sent to the instance. */
interface Sent {
  readonly target: Target;
  readonly method: string;
  /** The path and query in origin form. */
  readonly path: string;
  /** Names and values alternating, without hop-by-hop headers. */
  readonly headers: string[];
  /** Headers the proxy adds to the answer, names and values alternating. */
  readonly answerHeaders: readonly string[];
}

/** A request to forward, and where its answer goes. */
export interface ForwardedRequest extends Sent {
  /** The body; undefined if it has none. */
  readonly body: Readable | undefined;
  readonly outgoing: Outgoing;
  /** The connection on which it has been sent and its answer comes; undefined if it has yet to be sent. */
  readonly sentOn?: InstanceSocket | undefined;
}

/** An upgrade to forward, and the connection it is for. */
export interface ForwardedUpgrade extends Sent {
  readonly offer: UpgradeOffer;
}

/** A request being forwarded. */
export interface Forwarding {
  /** Called when the client has left, so that nobody waits for the answer. */
  abort(): void;
}

/** Why there was no answer, or an incomplete one. */
export interface ForwardError extends Error {
  readonly code:
    | 'UPSTREAM_DISCONNECTED'
    | 'UPSTREAM_TIMEOUT'
    | 'UPSTREAM_INVALID'
    /** The proxy itself cannot open another connection. */
    | 'NO_FREE_SOCKET';
  /**
   * How far the request got. `unsent`: no byte of it was written to the instance. `stale`: the instance closed a
   * reused connection before any byte of an answer. `closed`: the same on a fresh connection, as an engine's port
   * relay does for a dead app. `sent`: anything else.
   */
  readonly reached: 'unsent' | 'stale' | 'closed' | 'sent';
}

/** Called when a request has ended, with an error if there was no complete answer. */
export type Settled = (error?: ForwardError) => void;

/** Sends the leased request to the endpoint and streams the answer back. */
export interface Forwarder {
  /**
   * @param settled called once: when the answer has been handed to the client's side or the client has left, or with
   * an error if there was no complete answer. If `outgoing` then has no status, nothing was written
   */
  forward(request: ForwardedRequest, settled: Settled): Forwarding;
  /**
   * Resolves with the status of the answer (101, or the instance's refusal) when the connection has ended; rejects
   * with a {@link ForwardError} if there was no answer.
   */
  upgrade(upgrade: ForwardedUpgrade): Promise<number>;
  /** Closes the pooled connections to an instance, which has no open requests. */
  close(instanceId: string): Promise<void>;
  /** Breaks off everything that is open to the instance, with this reason. */
  destroy(instanceId: string, reason: Error): void;
}
