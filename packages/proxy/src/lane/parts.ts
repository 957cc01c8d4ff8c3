import type { Socket } from 'node:net';
import type { Clock } from '@cless/model';
import type { Target } from '../forward/forwarder.ts';
import type { JourneyContext } from '../request/journey.ts';
import type { AnswerHead } from './bytes/answer-head.ts';
import type { RequestHead } from './bytes/request-head.ts';
import type { InstancePool } from './instance-pool.ts';
import type { Siding } from './siding.ts';

/** Takes what the lane does not. */
export interface FullWay {
  /** Takes a connection for good. @param bytes received, but not read yet */
  take(socket: Socket, bytes: Buffer): void;
  /** Takes one request, or what is left of it. */
  takeOne(siding: Siding): void;
  /** Ends a connection with a refusal. @param error as of Node's HTTP server */
  refuse(socket: Socket, error: NodeJS.ErrnoException): void;
  /** Ends a connection after what has been written. @param unread has anything been received that is not read? */
  finish(socket: Socket, unread: boolean): void;
}

/** What the lane needs of the edge. */
export interface LaneContext extends JourneyContext {
  readonly clock: Clock;
  readonly limits: JourneyContext['limits'] & {
    readonly maxHeaderBytes: number;
    /** How long the head of a request may take, in milliseconds. */
    readonly headersTimeoutMs: number;
    /** How long a connection may be idle between requests, in milliseconds. */
    readonly keepAliveTimeoutMs: number;
  };
}

export interface LaneOptions {
  /** How long an instance may take to begin its answer, in milliseconds, if its revision does not say. */
  readonly responseTimeoutMs: number;
}

/** What a lane’s connections have in common. */
export interface LaneParts {
  readonly context: LaneContext;
  readonly fullWay: FullWay;
  readonly responseTimeoutMs: number;
  /** The head of the request that was read last. */
  readonly request: RequestHead;
  /** The head of the answer that was read last. */
  readonly answer: AnswerHead;
  /** The line by which Node's server says how long it keeps a connection. */
  readonly keepAlive: string;
  /** The connections to an instance. */
  pool(target: Target): InstancePool;
}
