export { MemoryStore } from './memory-store.ts';
export type { ReadinessSpec, RevisionSpec, Volume } from './revision-spec.ts';
export type {
  FixedAnswer,
  Outcome,
  Revision,
  RevisionState,
  Service,
  ServiceDefinition,
  Split,
  Traffic,
  WakeFilter,
} from './service.ts';
export { SqliteStore } from './sqlite-store.ts';
export type { Expectation, Page, Store } from './store.ts';
