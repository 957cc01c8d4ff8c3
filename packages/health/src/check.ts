import type { TcpCheck } from '@cless/model';
import type { HttpCheck } from './http-check.ts';

/** How one attempt finds out whether the endpoint is ready. */
export type Check = HttpCheck | TcpCheck;
