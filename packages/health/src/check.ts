import type { HttpCheck } from './http-check.ts';
import type { TcpCheck } from './tcp-check.ts';

/** How one attempt finds out whether the endpoint is ready. */
export type Check = HttpCheck | TcpCheck;
