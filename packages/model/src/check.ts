import type { Statuses } from './statuses.ts';

/** Ready when an HTTP request is answered with one of `statuses`. */
export interface HttpCheck {
  readonly kind: 'http';
  /** Default `/`. */
  readonly path?: string;
  /**
   * The statuses that mean ready, as numbers or inclusive ranges. Default: 200 to 399 if `path` is set, since any
   * other answer says that the path is wrong; otherwise any final status below 500.
   */
  readonly statuses?: readonly Statuses[];
}

/** Ready when a TCP connection shows that an app is behind it. */
export interface TcpCheck {
  readonly kind: 'tcp';
}

/** How to find out that an instance may get its first request. */
export type Check = HttpCheck | TcpCheck;
