export type { Check } from './check.ts';
export type { Endpoint } from './endpoint.ts';
export type { HttpCheck } from './http-check.ts';
export { type Ready, type WaitOptions, waitUntilReady } from './readiness.ts';
export type { TcpCheck } from './tcp-check.ts';
