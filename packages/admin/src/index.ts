export { type AdminOptions, createApp } from './app.ts';
export type {
  KnownService,
  Platform,
  PlatformEvent,
  RunningInstance,
  Store,
  StoredRevision,
  StoredService,
  StoredSpec,
  StoredTraffic,
} from './platform.ts';
export { AdminServer, type AdminServerOptions } from './server.ts';
export { loadToken, TOKEN_FILE } from './token.ts';
