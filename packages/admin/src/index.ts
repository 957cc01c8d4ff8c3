export type {
  RevisionSpec as StoredSpec,
  Service as KnownService,
  ServiceDefinition as StoredService,
  StoredRevision,
  Traffic as StoredTraffic,
} from '@cless/model';
export { type AdminOptions, createApp } from './app.ts';
export { loadToken, TOKEN_FILE } from './http/token.ts';
export type { Platform, PlatformEvent, RunningInstance, Store } from './platform.ts';
export { AdminServer, type AdminServerOptions } from './server.ts';
