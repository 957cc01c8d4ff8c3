/*
 * What a server needs that is rarely asked: the app, with its schemas, is loaded at the first request.
 */

export { loadToken } from './http/token.ts';
export { AdminServer } from './server.ts';
