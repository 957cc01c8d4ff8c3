import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Endpoint } from '@cless/model';

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
