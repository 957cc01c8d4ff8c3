export type { Endpoint, TcpCheck } from '@cless/model';
export type { Check } from './check.ts';
export type { HttpCheck } from './http-check.ts';
export { type Ready, type WaitOptions, waitUntilReady } from './readiness.ts';
