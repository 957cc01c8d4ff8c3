import type { Lease } from '@cless/activator';
import type { InstanceSocket } from '../forward/instance-socket.ts';
import type { ServiceMeter } from '../observe/meters.ts';
import type { Choice } from '../services/source.ts';

/** A request that has been sent to an instance already, and what came of it: its journey goes on from there. */
export interface Begun {
  readonly requestId: string;
  /** In the clock's time. */
  readonly beganMs: number;
  readonly service: string;
  /** The tag of its host; undefined if it has none. */
  readonly tag: string | undefined;
  readonly choice: Choice;
  /** Counts it already. */
  readonly meter: ServiceMeter;
  readonly lease: Lease;
  /** Has any of its body been sent? */
  readonly bodyTaken: boolean;
  /** Why it failed, or the connection on which its answer comes. */
  readonly outcome: Error | InstanceSocket;
}

/** What has been done for a request before its journey. */
export interface HeadStart {
  /** The revision it was chosen for, of which no instance was ready. */
  readonly choice?: Choice | undefined;
  readonly begun?: Begun | undefined;
}
