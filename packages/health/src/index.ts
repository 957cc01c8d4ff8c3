export type { Check, Endpoint, HttpCheck, TcpCheck } from '@cless/model';
export { type Ready, type WaitOptions, waitUntilReady } from './readiness.ts';
